"""What lives inside a Celery worker: the engine, and somebody who looks whether periodic work is due."""

import asyncio
from typing import Any

import structlog
from django.db import connections

from ajansops.kit.loops import LoopStep
from jobs.engine import STOP_WITHIN, Engine
from jobs.periodic import run_due

log = structlog.get_logger(__name__)

LOOK = 5.0  # seconds


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
    """Runs what is due, one after the other, also where no beat runs."""

    def __init__(self) -> None:
        self._stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """Until `stop`; a task that is still running then is begun again when its lease is over."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            await asyncio.to_thread(_look)
            try:
                await asyncio.wait_for(self._stopping.wait(), LOOK)
            except TimeoutError:
                continue

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


def _look() -> None:
    try:
        run_due()
    except Exception:  # the database may be away: it looks again soon
        log.exception("periodic_trouble")
    finally:
        connections.close_all()  # the thread of the next look may be another
