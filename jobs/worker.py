"""What lives inside a Celery worker: the engine, and somebody who looks whether periodic work is due."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import structlog
from django.db import connections

from ajansops.kit.loops import LoopStep
from ajansops.kit.periodic import Periodic, tasks
from jobs.engine import STOP_WITHIN, Engine
from jobs.periodic import due, run_slot

log = structlog.get_logger(__name__)

LOOK = 5.0  # seconds
TASKS_AT_ONCE = 3


class EngineStep(LoopStep):
    """All long work."""

    stop_within = STOP_WITHIN + 5

    def make(self) -> Engine:
        """A new one."""
        engine = Engine()
        log.info("worker_started", lease=str(engine.lease), concurrency=engine.concurrency)
        return engine

    def stop(self, parent: Any) -> None:
        """When it has given back what it had."""
        super().stop(parent)
        log.info("worker_stopped")


class Clock:
    """Runs what is due, also where no beat runs. A few at a time: a task that waits for Stripe makes no other late."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = ThreadPoolExecutor(TASKS_AT_ONCE, thread_name_prefix="clock")
        self._taken: set[str] = set()  # names of tasks that run, or wait for a thread

    async def run(self) -> None:
        """Until `stop`. The process waits for tasks that run then; what is killed is begun again after its lease."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            for one, slot in await asyncio.to_thread(_due):
                if one.name not in self._taken:
                    self._taken.add(one.name)
                    self._pool.submit(self._run, one, slot)
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK)
            except TimeoutError:
                continue
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, one: Periodic, slot: datetime) -> None:
        try:
            run_slot(one, slot)
        except Exception:  # the database may be away: the slot is still due at a later look
            log.exception("periodic_trouble", task=one.name)
        finally:
            self._taken.discard(one.name)
            connections.close_all()  # of this thread

    def wake(self) -> None:
        """Beat has its own message (`jobs.tasks.run_periodic`)."""

    def stop(self) -> None:
        """From another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stopping.set)


class ClockStep(LoopStep):
    """Periodic work."""

    def make(self) -> Clock:
        """A new one."""
        return Clock()


def _due() -> list[tuple[Periodic, datetime]]:
    try:
        return due(tasks().values())
    except Exception:  # the database may be away: it looks again soon
        log.exception("periodic_trouble")
        return []
    finally:
        connections.close_all()  # the thread of the next look may be another
