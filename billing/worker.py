"""The loop inside a Celery worker that handles Stripe's events."""

import asyncio
import contextlib

import structlog
from django.db import connections

from ajansops.kit.loops import LoopStep
from billing.inbox import handle_next

log = structlog.get_logger(__name__)

AT_ONCE = 4  # customers: one about whom Stripe is slow to answer does not hold up all others
IDLE = 5.0  # seconds; the longest nap, a wake-up cuts it short


class Inbox:
    """`run` lives until `stop`; `wake` and `stop` may be called from other threads."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """An event that is being handled when it stops is handled to its end."""
        self._loop = asyncio.get_running_loop()
        while not self._stopping:
            self._woken.clear()
            await asyncio.gather(*(asyncio.to_thread(self._work) for _ in range(AT_ONCE)))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), IDLE)

    def wake(self) -> None:
        """There may be something to handle."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Soon: after what is in flight."""
        self._stopping = True
        self.wake()

    def _work(self) -> None:
        try:
            while not self._stopping and handle_next():
                pass
        except Exception:  # the rows are there, and it looks again soon
            log.exception("inbox_trouble")
        finally:
            connections.close_all()  # the thread of the next look may be another


class InboxStep(LoopStep):
    """Beside the engine of jobs."""

    stop_within = 45.0  # two calls of two attempts

    def make(self) -> Inbox:
        """A new one."""
        return Inbox()
