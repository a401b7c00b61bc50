"""The loop of a worker: claim a little ahead, work concurrently, save; and nap until there is something to do.

One thread speaks to the database, so results that come in while it is busy are saved together. No transaction is open
while anything outside is awaited.
"""

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from django.db import InterfaceError, OperationalError, connection, connections

from ajansops.ai.contract import ProviderBusy
from ajansops.kit.clock import now
from ajansops.kit.runners import Item, ItemFailed, all_runners, runner
from ajansops.kit.tasks import announce
from jobs import claims, windows
from jobs.buffer import Buffer, Pace, is_paid
from jobs.outcomes import Outcome, Settled, save_outcomes
from jobs.querysets import SUSPECT
from jobs.services import WAKE

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONCURRENCY = 50
HEARTBEAT = 5.0  # seconds
SWEEP = 10.0
REVIEW = 1.0  # whether what was claimed ahead may still begin
IDLE = 5.0  # the longest nap; a wake-up cuts it short
HELD = (0.02, 0.5)  # items are due, but other workers hold their jobs, or have them at their limit: ever longer naps
PATIENCE = 60.0  # `until_idle` waits so long for what is to be tried again
GUESTS = 5  # more than the concurrency: of workspaces with nothing in flight while others have it all; or unsaved
DRY = 0.2  # seconds: nothing is left to claim, so nobody looks again, unless something is added
AHEAD = 0.3  # seconds: so much work is claimed ahead, as fast as it goes just now
MOST_AHEAD = 200  # items
UNSAVED = 500  # results of unpaid work that may wait to be saved
SAVE_AT_ONCE = 200
TROUBLE = 1.0  # before trying again after a fault of the database or ours
BLAME_AFTER = 10  # fruitless tries to save, each a second or more: then it may be the fault of one of the effects
END_TRIES = 3
ITEM_TIMEOUT = 300.0
STOP_WITHIN = 20.0


class SubjectGone(ItemFailed):
    """What this was about no longer exists."""

    code = "not_found"


class Engine:
    """One a worker process. `run` lives until `stop`; both `wake` and `stop` may be called from other threads.

    An item is claimed, waits in the buffer, is in flight, is finished, and is saved: in this order, and in one place at
    a time. `concurrency` are in flight at most, and a few `GUESTS`. Of paid work no more than these are in flight or
    unsaved together, which is what a crash may have to pay for twice (docs/decisions/0013).
    """

    def __init__(self, concurrency: int = CONCURRENCY) -> None:
        self.lease = uuid4()
        self.concurrency = concurrency
        self.kinds = [r.kind for r in all_runners()]
        self._loading: list[Item] = []
        self._buffer = Buffer()
        self._inflight: dict[asyncio.Task[Outcome], Item] = {}
        self._finished: list[Outcome] = []
        self._unsaved_paid = 0  # in flight or finished
        self._pace = Pace(concurrency)
        self._held = self._fruitless = 0
        self._invited_at = self._dry_until = 0.0
        self._news = False  # since the last look: there may be more to claim
        self._apart: list[Outcome] = []  # being saved by the thread that waits for workspaces
        self._database = ThreadPoolExecutor(1, thread_name_prefix="engine-db")
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="engine-heart")  # beats while the others are busy
        self._ends = ThreadPoolExecutor(1, thread_name_prefix="engine-ends")
        self._following: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """There may be something to do."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._look_again)

    def stop(self) -> None:
        """Finish what is in flight, give back the rest, return from `run`."""
        self._stopping = True
        self.wake()

    async def run(self, *, until_idle: bool = False) -> None:
        """`until_idle` returns once nothing is in flight and nothing is to be done soon; for commands and tests."""
        self._loop = asyncio.get_running_loop()
        if until_idle:
            await self._sweep()  # what the dead left is something to do
        care = [
            asyncio.create_task(self._every(HEARTBEAT, self._renew)),
            asyncio.create_task(self._every(SWEEP, self._sweep)),
            asyncio.create_task(self._every(REVIEW, self._review)),
        ]
        try:
            while not self._stopping:
                self._woken.clear()
                nap = await self._turn()
                # Woken: an end may have added work.
                busy = self._woken.is_set() or self._held_items() or self._following
                if until_idle and nap > PATIENCE and not busy:
                    break
                await self._sleep(min(nap, IDLE))
        finally:
            await self._wind_down(care)

    async def _turn(self) -> float:
        """Save, begin, claim. How long nothing can happen by itself (seconds)."""
        try:
            await self._save_finished()
            self._begin_more()
            wanted = self._wanted()
            if wanted:
                self._news = False
                if await self._claim(wanted):
                    self._held = 0
                    return 0
            if not wanted or self._finished:
                return await self._invite()
            due = await self._db(claims.seconds_until_due, self.kinds)
        except Exception:  # whatever it is, the leases hold and the next turn tries again
            log.exception("engine_trouble")
            await asyncio.sleep(TROUBLE)  # also when there is something to save: the database may be away
            return 0
        if due is None:
            self._dry_until = time.monotonic() + DRY
            return IDLE if self._held_items() else float("inf")
        if due > 0:
            return due + 0.01
        self._held += 1
        return min(HELD[0] * 2**self._held, HELD[1])

    def _look_again(self) -> None:
        self._news = True
        self._woken.set()

    def _wanted(self) -> int:
        """Items to claim; none until it is worth a look: half of what is to be ahead, or somebody has nothing to do.

        Results that wait are saved first, as long as something is there to begin: that is what frees places.
        """
        buffered = len(self._buffer)
        if (self._finished and buffered) or self._is_dry():
            return 0
        free = self.concurrency - len(self._inflight)
        ahead = min(round(self._pace.per_second * AHEAD), MOST_AHEAD)
        missing = free + ahead - buffered
        return missing if missing > 0 and (missing >= ahead / 2 or buffered < free) else 0

    def _is_dry(self) -> bool:
        """The last look found nothing, now or later, and what goes on will have us look again when it ends."""
        going_on = self._inflight or self._following
        return bool(going_on) and not self._news and time.monotonic() < self._dry_until

    async def _invite(self) -> float:
        """While others have all places: one of a few more for whoever has none here. How long until the next look."""
        guests = self.concurrency + GUESTS - len(self._inflight)
        if len(self._inflight) < self.concurrency or guests <= 0:
            return IDLE
        if time.monotonic() - self._invited_at >= REVIEW:
            await self._claim(guests, self._buffer.workspaces())
            self._invited_at = time.monotonic()
        return REVIEW

    async def _claim(self, wanted: int, besides: Collection[int] = ()) -> int:
        suspect = not any(item.losses >= SUSPECT for item in self._held_items())
        items = self._loading = await self._db(claims.claim, wanted, self.lease, self.kinds, suspect, besides)
        try:
            for kind in {item.job.kind for item in items}:
                await self._load([item for item in items if item.job.kind == kind])
        finally:
            self._loading = []
        self._begin_more()
        return len(items)

    async def _load(self, batch: list[Item]) -> None:
        try:
            given = await self._db(runner(batch[0].job.kind).load, batch)
        except (OperationalError, InterfaceError):
            await self._release(batch)  # the database's fault, not theirs
            raise
        except Exception as error:  # noqa: BLE001  # any fault of a runner is that of its items, never of the engine
            self._unsaved_paid += sum(map(is_paid, batch))
            self._finished += [Outcome(item, error=error) for item in batch]
        else:
            for item in batch:
                self._buffer.add(item, given)

    def _begin_more(self) -> None:
        """What may be in flight, is: of the workspace first that has least of it."""
        while not self._stopping and len(self._finished) < UNSAVED:
            room = self.concurrency - len(self._inflight)
            next_one = self._buffer.pop(room, self.concurrency + GUESTS - self._unsaved_paid, GUESTS)
            if next_one is None:
                return
            item, given = next_one
            self._unsaved_paid += is_paid(item)
            task = asyncio.create_task(_work(item, given))
            self._inflight[task] = item
            task.add_done_callback(functools.partial(self._ended, time.monotonic()))

    def _ended(self, begun_at: float, task: asyncio.Task[Outcome]) -> None:
        self._buffer.ended(self._inflight.pop(task))
        self._pace.ended(time.monotonic() - begun_at)
        if task.cancelled():
            return
        outcome = task.result()
        if runner(outcome.item.job.kind).locks_workspace:
            self._apart.append(outcome)
            self._follow(self._save_apart(outcome))
        else:
            self._finished.append(outcome)
            self._woken.set()
        self._begin_more()

    async def _save_finished(self) -> None:
        batch = self._finished[:SAVE_AT_ONCE]
        if not batch:
            return
        self._fruitless += 1
        settled = await self._db(save_outcomes, batch, self.lease, self._fruitless > BLAME_AFTER)
        self._fruitless = 0
        del self._finished[: len(batch)]
        self._saved(batch, settled)
        if any(isinstance(outcome.error, ProviderBusy) for outcome in batch):
            await self._review()

    def _saved(self, outcomes: Collection[Outcome], settled: Settled) -> None:
        self._unsaved_paid -= sum(is_paid(outcome.item) for outcome in outcomes)
        self._news = self._news or settled.more
        if settled.exhausted:
            self._follow(self._end(settled.exhausted))

    def _follow(self, work: Coroutine[Any, Any, None]) -> None:
        """In the thread that waits for workspaces' locks: nothing else is to wait for that."""
        task = asyncio.create_task(work)
        self._following.add(task)
        task.add_done_callback(self._following.discard)

    async def _save_apart(self, outcome: Outcome) -> None:
        """One whose effect takes its workspace's lock."""
        for tries in count():
            try:
                settled = await self._in(self._ends, save_outcomes, [outcome], self.lease, tries >= BLAME_AFTER)
            except Exception:
                log.exception("engine_trouble")
                if self._stopping:
                    return  # the lease expires
                await asyncio.sleep(TROUBLE)
            else:
                self._apart.remove(outcome)
                self._saved([outcome], settled)
                self._woken.set()
                return

    async def _end(self, job_ids: Collection[str]) -> None:
        for _ in range(END_TRIES):
            try:
                await self._in(self._ends, claims.end_jobs, job_ids)
                break
            except Exception:
                log.exception("engine_trouble")
                await asyncio.sleep(TROUBLE)  # after the last one, too, a sweep finds what has not ended
        self._look_again()  # it may go on

    async def _sleep(self, seconds: float) -> None:
        if self._finished:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)

    async def _every(self, seconds: float, care: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await care()
            except Exception:  # a heart that stops would give away everything in flight
                log.exception("engine_trouble")
            await asyncio.sleep(seconds)

    def _held_items(self) -> list[Item]:
        """Whatever is leased to us."""
        finished = (outcome.item for outcome in [*self._finished, *self._apart])
        return [*self._loading, *self._buffer.items(), *self._inflight.values(), *finished]

    async def _renew(self) -> None:
        if held := [item.id for item in self._held_items()]:
            await self._in(self._heart, claims.renew, held, self.lease)

    async def _sweep(self) -> None:
        if returned := await self._db(claims.sweep, self.kinds):
            log.warning("leases_expired", items=returned)
            self._look_again()
        if ending := await self._db(claims.ending_jobs, self.kinds):
            self._follow(self._end(ending))
        if await self._db(windows.wake_waiting, self.kinds, now()):
            self._look_again()

    async def _review(self) -> None:
        """Give back what may not begin any more: a pause is not to wait for what was claimed ahead."""
        jobs = {item.job.id for item in self._buffer.items()}
        if jobs and (stopped := await self._db(claims.stopped, jobs, self.kinds)):
            await self._release(self._buffer.remove(stopped))

    async def _release(self, items: Collection[Item]) -> None:
        if items:
            await self._db(claims.release, [item.id for item in items], self.lease)
            self._news = True

    async def _wind_down(self, care: list[asyncio.Task[None]]) -> None:
        """Give back what was not begun, let the rest finish, then give back what did not. Others are told at once.

        Whatever fails here, the leases expire by themselves.
        """
        self._stopping = True
        until = time.monotonic() + STOP_WITHIN
        await _tried(self._release(self._buffer.remove(None)))
        while self._inflight and (left := until - time.monotonic()) > 0:
            await asyncio.wait(list(self._inflight), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await _tried(self._save_finished())
        unfinished = list(self._inflight.values())
        for task in [*care, *self._inflight]:
            task.cancel()
        await _tried(self._release(unfinished))
        while self._finished and await _tried(self._save_finished()):
            pass
        await asyncio.gather(*self._following, return_exceptions=True)
        await _tried(self._db(announce, WAKE))
        await asyncio.gather(*(r.aclose() for r in all_runners()))
        self._loop = None
        for thread in (self._database, self._heart, self._ends):
            thread.submit(connections.close_all).result()
            thread.shutdown()

    async def _db(self, call: Callable[..., T], *args: Any) -> T:
        return await self._in(self._database, call, *args)

    async def _in(self, thread: ThreadPoolExecutor, call: Callable[..., T], *args: Any) -> T:
        """In a thread with its own connection; a broken one is dropped, so that the next call opens a new one."""
        return await asyncio.get_running_loop().run_in_executor(thread, _guarded, call, *args)


async def _tried(step: Awaitable[Any]) -> bool:
    """Whether it worked; the next step of a stop is taken in any case."""
    try:
        await step
    except Exception:
        log.exception("engine_trouble")
        return False
    return True


def _guarded(call: Callable[..., T], *args: Any) -> T:
    try:
        return call(*args)
    except (OperationalError, InterfaceError):
        connection.close()
        raise


async def _work(item: Item, given: Mapping[int, Any]) -> Outcome:
    """Never raises but for cancellation: an error is an outcome too."""
    with structlog.contextvars.bound_contextvars(job=item.job.id, item=item.key, request_id=item.job.request_id):
        if item.id not in given:
            return Outcome(item, error=SubjectGone())
        try:
            async with asyncio.timeout(ITEM_TIMEOUT):
                return Outcome(item, await runner(item.job.kind).work(item, given[item.id]))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            return Outcome(item, error=RuntimeError(f"cancelled from inside: {error}"))
        except Exception as error:  # noqa: BLE001  # a runner's fault is recorded on its item; `explain` logs it
            return Outcome(item, error=error)
