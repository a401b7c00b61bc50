"""The loop of a worker: claim, work concurrently, save, until there is nothing left; then wait to be woken.

One thread speaks to the database, so results that come in while it is busy are saved together. No transaction is open
while anything outside is awaited.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from django.db import InterfaceError, OperationalError, connection, connections

from ajansops.kit.runners import Item, ItemFailed, all_runners, runner
from jobs import claims
from jobs.outcomes import Outcome, save_outcomes

log = structlog.get_logger(__name__)
T = TypeVar("T")

CONCURRENCY = 50
HEARTBEAT = 5.0  # seconds
SWEEP = 10.0
IDLE = 5.0  # the longest nap; a wake-up cuts it short
HELD = 0.5  # items are due, but their jobs are at their limit with other workers
SAVE_AT_ONCE = 200
TROUBLE = 1.0  # before trying again after a fault of the database or ours
ITEM_TIMEOUT = 300.0
STOP_WITHIN = 20.0


class SubjectGone(ItemFailed):
    """What this was about no longer exists."""

    code = "not_found"


class Engine:
    """One a worker process. `run` lives until `stop`; both `wake` and `stop` may be called from other threads."""

    def __init__(self, concurrency: int = CONCURRENCY) -> None:
        self.lease = uuid4()
        self.concurrency = concurrency
        self.kinds = [r.kind for r in all_runners()]
        self._inflight: dict[asyncio.Task[Outcome], Item] = {}
        self._finished: list[Outcome] = []
        self._loading: list[Item] = []
        self._database = ThreadPoolExecutor(1, thread_name_prefix="engine-db")
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="engine-heart")  # beats while the other thread is busy
        self._woken = asyncio.Event()
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def wake(self) -> None:
        """There may be something to do."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Finish what is in flight, give back the rest, return from `run`."""
        self._stopping = True
        self.wake()

    async def run(self, *, until_idle: bool = False) -> None:
        """`until_idle` returns once nothing is in flight and nothing is left to start; for commands and tests."""
        self._loop = asyncio.get_running_loop()
        care = [
            asyncio.create_task(self._every(HEARTBEAT, self._renew)),
            asyncio.create_task(self._every(SWEEP, self._sweep)),
        ]
        try:
            while not self._stopping:
                self._woken.clear()
                nap = await self._turn()
                if nap is None and until_idle:
                    break
                await self._sleep(IDLE if nap is None else nap)
        finally:
            await self._wind_down(care)

    async def _turn(self) -> float | None:
        """Save, claim, start. How long nothing can happen by itself (seconds); None when there is nothing at all."""
        try:
            await self._save_finished()
            free = self.concurrency - len(self._inflight)
            started = await self._start(free) if free else 0
            if self._finished or (free and started == free) or not free:
                return IDLE if self._inflight and not self._finished else 0
            due = await self._db(claims.seconds_until_due, self.kinds)
        except Exception:  # whatever it is, the leases hold and the next turn tries again
            log.exception("engine_trouble")
            await asyncio.sleep(TROUBLE)  # also when there is something to save: the database may be away
            return 0
        if due is None:
            return IDLE if self._inflight or self._finished else None
        return HELD if due <= 0 else min(due + 0.01, IDLE)

    async def _start(self, free: int) -> int:
        items = self._loading = await self._db(claims.claim, free, self.lease, self.kinds)
        try:
            for kind in {item.job.kind for item in items}:
                await self._load([item for item in items if item.job.kind == kind])
        finally:
            self._loading = []
        return len(items)

    async def _load(self, batch: list[Item]) -> None:
        try:
            given = await self._db(runner(batch[0].job.kind).load, batch)
        except Exception as error:  # noqa: BLE001  # any fault of a runner is that of its items, never of the engine
            self._finished += [Outcome(item, error=error) for item in batch]
            self._woken.set()
            return
        for item in batch:
            self._begin(item, given)

    def _begin(self, item: Item, given: Mapping[int, Any]) -> None:
        task = asyncio.create_task(_work(item, given))
        self._inflight[task] = item
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Outcome]) -> None:
        del self._inflight[task]
        if not task.cancelled():
            self._finished.append(task.result())
            self._woken.set()

    async def _save_finished(self) -> None:
        batch = self._finished[:SAVE_AT_ONCE]
        if batch:
            await self._db(save_outcomes, batch, self.lease)
            del self._finished[: len(batch)]

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

    async def _renew(self) -> None:
        held = [*self._inflight.values(), *self._loading, *(outcome.item for outcome in self._finished)]
        if held:
            ids = [item.id for item in held]
            await asyncio.get_running_loop().run_in_executor(self._heart, _guarded, claims.renew, ids, self.lease)

    async def _sweep(self) -> None:
        if returned := await self._db(claims.sweep):
            log.warning("leases_expired", items=returned)
            self._woken.set()

    async def _wind_down(self, care: list[asyncio.Task[None]]) -> None:
        """Let items finish, then give back what did not. Whatever fails here, the leases expire by themselves."""
        if self._inflight:
            await asyncio.wait(list(self._inflight), timeout=STOP_WITHIN)
        for task in [*care, *self._inflight]:
            task.cancel()
        unfinished = [item.id for item in self._inflight.values()]
        try:
            await self._db(claims.release, unfinished, self.lease)
            while self._finished:
                await self._save_finished()
        except Exception:
            log.exception("engine_trouble")
        await asyncio.gather(*(r.aclose() for r in all_runners()))
        for thread in (self._database, self._heart):
            thread.submit(connections.close_all).result()
            thread.shutdown()

    async def _db(self, call: Callable[..., T], *args: Any) -> T:
        """In the thread of the database; a broken connection is dropped, so that the next call opens a new one."""
        return await asyncio.get_running_loop().run_in_executor(self._database, _guarded, call, *args)


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
