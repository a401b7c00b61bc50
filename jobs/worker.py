"""The engine inside a Celery worker: started before the consumer, so that it also works while the broker is away."""

import asyncio
import os
import signal
import threading
from typing import Any

import structlog
from celery import bootsteps

from jobs.engine import STOP_WITHIN, Engine

log = structlog.get_logger(__name__)
_running: list[Engine] = []


def current_engine() -> Engine | None:
    """This process's engine, if it is a worker."""
    return _running[0] if _running else None


def _live(engine: Engine) -> None:
    """An engine that dies takes its worker with it: the supervisor starts a new one."""
    try:
        asyncio.run(engine.run())
    except BaseException:
        log.exception("engine_died")
        os.kill(os.getpid(), signal.SIGTERM)


class EngineStep(bootsteps.StartStopStep):
    """Celery's worker owns the process and its signals; the engine is a part of it."""

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.thread: threading.Thread | None = None

    def start(self, parent: Any) -> None:
        """In a thread of its own: Celery's main thread is its consumer's."""
        engine = Engine()
        _running.append(engine)
        self.thread = threading.Thread(target=_live, args=[engine], name="engine", daemon=True)
        self.thread.start()
        log.info("worker_started", lease=str(engine.lease), concurrency=engine.concurrency)

    def stop(self, parent: Any) -> None:
        """Called on SIGTERM and SIGINT."""
        for engine in _running:
            engine.stop()
        if self.thread is not None:
            self.thread.join(STOP_WITHIN + 5)
        _running.clear()
        log.info("worker_stopped")
