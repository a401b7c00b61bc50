"""Loops that live in a Celery worker: each in a thread of its own, started before the consumer, so that it also works
while the broker is away.
"""

import asyncio
import os
import signal
import threading
from abc import abstractmethod
from contextlib import suppress
from typing import Any, ClassVar, Protocol

import structlog
from celery import bootsteps

log = structlog.get_logger(__name__)


class Loop(Protocol):
    """`run` lives until `stop`; `wake` and `stop` may be called from other threads."""

    async def run(self) -> None:
        """In an event loop of its own."""

    def wake(self) -> None:
        """There may be something to do."""

    def stop(self) -> None:
        """Come to an end, soon."""


class LoopStep(bootsteps.StartStopStep):
    """Celery's worker owns the process and its signals; the loop is a part of it. `running` is this process's loop."""

    running: ClassVar[Loop | None] = None
    stop_within: ClassVar[float] = 25.0  # seconds

    def __init__(self, parent: Any, **kwargs: Any) -> None:
        super().__init__(parent, **kwargs)
        self.thread: threading.Thread | None = None

    @abstractmethod
    def make(self) -> Loop:
        """A new one."""

    def start(self, parent: Any) -> None:
        """In a thread of its own: Celery's main thread is its consumer's."""
        loop = type(self).running = self.make()
        self.thread = threading.Thread(target=_live, args=[loop], name=type(self).__name__, daemon=True)
        self.thread.start()

    def stop(self, parent: Any) -> None:
        """Called on SIGTERM and SIGINT, of one step after the other: the first tells all, so that none goes on."""
        for step in LoopStep.__subclasses__():
            with suppress(RuntimeError):  # it has ended, and its event loop is closed
                if step.running is not None:
                    step.running.stop()
        if self.thread is not None:
            self.thread.join(self.stop_within)
        type(self).running = None

    @classmethod
    def wake(cls) -> None:
        """Nothing, where no worker runs."""
        with suppress(RuntimeError):  # it has ended, and its event loop is closed
            if cls.running is not None:
                cls.running.wake()


def _live(loop: Loop) -> None:
    """A loop that dies takes its worker with it: the supervisor starts a new one."""
    try:
        asyncio.run(loop.run())
    except BaseException:
        log.exception("loop_died", loop=type(loop).__name__)
        os.kill(os.getpid(), signal.SIGTERM)
