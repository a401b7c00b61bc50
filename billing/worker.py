"""The loop inside a Celery worker that handles Stripe's events."""

import asyncio
import contextlib

import structlog
from django.db import connections

from ajansops.kit.loops import LoopStep
from billing.inbox import handle_next
from billing.rereading import read_next

log = structlog.get_logger(__name__)

AT_ONCE = 4  # customers: one about whom Stripe is slow to answer does not hold up the others
IDLE = 5.0  # seconds; the longest nap, a wake-up cuts it short


class Inbox:
    """`run` lives until `stop`; `wake` and `stop` may be called from other threads.

    Each place takes the next customer by itself, and never waits for the others: events first, then who is due.
    """

    def __init__(self) -> None:
        self._woken = [asyncio.Event() for _ in range(AT_ONCE)]
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def run(self) -> None:
        """An event that is being handled when it stops is handled to its end."""
        self._loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as places:
            for woken in self._woken:
                places.create_task(self._live(woken))

    def wake(self) -> None:
        """There may be something to handle."""
        if self._loop is not None:
            for woken in self._woken:
                self._loop.call_soon_threadsafe(woken.set)

    def stop(self) -> None:
        """Soon: after what is in flight."""
        self._stopping = True
        self.wake()

    async def _live(self, woken: asyncio.Event) -> None:
        while not self._stopping:
            woken.clear()
            await asyncio.to_thread(self._work)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), IDLE)

    def _work(self) -> None:
        try:
            while not self._stopping and (handle_next() or read_next()):
                pass
        except Exception:  # the rows are there, and it looks again soon
            log.exception("inbox_trouble")
        finally:
            connections.close_all()  # the thread of the next look may be another


class InboxStep(LoopStep):
    """Beside the engine of jobs."""

    stop_within = 45.0  # most reads end in it; what is cut off is due again when its lease is over

    def make(self) -> Inbox:
        """A new one."""
        return Inbox()
