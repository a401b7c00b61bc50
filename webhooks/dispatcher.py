"""The loop that sends: lease outboxes, read what is due, send it concurrently, save what came of it, until nothing is
left; then wait to be woken.

One thread speaks to the database, so outcomes that come in while it is busy are saved together. No transaction is open
while a receiver is awaited.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import chain
from typing import Any, TypeVar
from uuid import uuid4

import structlog
from django.db import InterfaceError, OperationalError, connection, connections

from ajansops.kit.net import Client, open_client
from webhooks import claims
from webhooks.health import disable_hopeless, failed_endpoints
from webhooks.parcels import Held, Lane, Outcome, Parcel
from webhooks.sending import send

log = structlog.get_logger(__name__)
T = TypeVar("T")

IN_FLIGHT = 256  # of a worker; many times a workspace's share, so that hanging receivers leave room for others
OF_WORKSPACE = 8
OF_LANE = 4
RESERVED = 2  # places of a workspace for receivers that answered last time; of the others each gets one at a time
REMEMBERED = 10_000  # receivers of which it is known how they answered; with more, the idle are forgotten
OUTBOXES = 256  # with something in memory; with more no further one is leased
LEFT_TO_OTHERS = timedelta(seconds=5)  # by a worker that has no place free
FRESH = 3.0  # seconds; older ones are read again: their endpoint may have been switched off, or moved
HEARTBEAT = 5.0  # seconds
IDLE = 5.0  # the longest nap; a wake-up cuts it short
HELD = 0.5  # something is due, but its lane is full, or its outbox is another worker's
SAVE_AT_ONCE = 1000
PACE = 0.1  # seconds that outcomes wait for more, unless their lane has run dry: each turn has its price
AT_ONCE_MS = 20  # how long a busy workspace is waited for when one of its endpoints is to be disabled
TROUBLE = 1.0  # before trying again after a fault of the database or ours
STOP_WITHIN = 20.0  # for what is in flight
SAVE_WITHIN = 5.0  # and then for outcomes; those whose rows are locked all the while are sent again


class Dispatcher:
    """One a worker process. `run` lives until `stop`; both `wake` and `stop` may be called from other threads."""

    def __init__(self) -> None:
        self.lease = uuid4()
        self._waiting: dict[int, dict[Lane, deque[Parcel]]] = defaultdict(dict)  # by workspace
        self._inflight: dict[int, Parcel] = {}  # by delivery
        self._carriers: set[asyncio.Task[None]] = set()
        self._busy: Counter[int | Lane] = Counter()  # in flight, by workspace and by lane
        self._slow: set[Lane] = set()  # did not answer last time: one at a time until it does
        self._heard: set[Lane] = set()  # answered last time
        self._finished: list[Outcome] = []
        self._database = ThreadPoolExecutor(1, thread_name_prefix="dispatcher-db")
        self._heart = ThreadPoolExecutor(1, thread_name_prefix="dispatcher-heart")  # beats while the other is busy
        self._woken = asyncio.Event()
        self._called = True  # since outboxes were last looked for
        self._looked_at = 0.0
        self._stopping = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: Client | None = None

    def wake(self) -> None:
        """There may be something to send."""
        self._called = True
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    def stop(self) -> None:
        """Let what is in flight end, give back the rest, return from `run`."""
        self._stopping = True
        self.wake()

    async def run(self, *, until_idle: bool = False) -> None:
        """`until_idle` returns once nothing is in flight and nothing is due; for commands and tests."""
        self._loop = asyncio.get_running_loop()
        self._client = open_client(connections=IN_FLIGHT)
        heart = asyncio.create_task(self._beat())
        try:
            while not self._stopping:
                self._woken.clear()
                nap, idle = await self._turn()
                if until_idle and idle:
                    break
                await self._sleep(nap)
        finally:
            await self._wind_down(heart)

    async def _turn(self) -> tuple[float, bool]:
        """Save, claim, start. For how many seconds nothing can happen by itself; and whether nothing is left to do."""
        try:
            await self._save_finished()
            read = await self._db(self._read, self._held())
            for parcel in read:
                self._waiting[parcel.lane[0]].setdefault(parcel.lane, deque()).append(parcel)
            self._start_all([*self._waiting])
            if self._finished or read:
                return PACE, False
            await self._db(claims.release, self.lease, self._held().workspaces)
            due = await self._db(claims.seconds_until_due)
        except Exception:  # whatever it is, the rows are there and the next turn tries again
            log.exception("dispatcher_trouble")
            await asyncio.sleep(TROUBLE)
            return 0, False
        if due is not None and due <= 0:
            return HELD, False
        self._forget()
        self._called = True  # after a nap something new may be due
        return IDLE if due is None else min(due + 0.01, IDLE), not self._inflight

    def _forget(self) -> None:
        """How receivers fared that have nothing to take now: jobs name ever new ones."""
        known = self._held().lanes.keys()
        if len(self._heard) + len(self._slow) > REMEMBERED:
            self._heard &= known
            self._slow &= known

    def _held(self) -> Held:
        """What is in flight, what waits for its turn, what is not saved yet."""
        lanes = chain.from_iterable(lanes.values() for lanes in self._waiting.values())
        unsaved = (outcome.parcel for outcome in self._finished)
        return Held(chain(self._inflight.values(), chain.from_iterable(lanes), unsaved))

    def _read(self, held: Held) -> list[Parcel]:
        """In the thread of the database, while the loop goes on sending."""
        moment = time.monotonic()
        if len(held.workspaces) < OUTBOXES and (self._called or moment > self._looked_at + HELD):
            self._called, self._looked_at = False, moment
            full = len(self._inflight) >= IN_FLIGHT
            if claims.claim(self.lease, waited=LEFT_TO_OTHERS if full else timedelta(0)):
                self._called = True
        return claims.due_parcels(self.lease, held, frozenset(self._slow))

    def _start_all(self, workspace_ids: list[int]) -> None:
        """One of each workspace in turn, within the bounds; who is first changes, so that nobody always is."""
        ready = [] if self._stopping else workspace_ids
        random.shuffle(ready)
        while ready:
            ready = [workspace_id for workspace_id in ready if self._start_one(workspace_id)]

    def _start_one(self, workspace_id: int) -> bool:
        """False when nothing may start."""
        parcel = self._next(workspace_id)
        if parcel is not None:
            carrier = asyncio.create_task(self._carry(parcel))
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carriers.discard)
        return parcel is not None

    def _next(self, workspace_id: int) -> Parcel | None:
        """Of the lane whose turn it is, counted as in flight; None when nothing may start."""
        lanes, oldest = self._waiting.get(workspace_id, {}), time.monotonic() - FRESH
        while lanes and len(self._inflight) < IN_FLIGHT and self._busy[workspace_id] < OF_WORKSPACE:
            lane = next(filter(self._has_place, lanes), None)
            if lane is None:
                return None
            queue = lanes.pop(lane)
            parcel = queue.popleft()
            if queue:
                lanes[lane] = queue  # behind the others
            elif not lanes:
                del self._waiting[workspace_id]
            if parcel.read_at > oldest:
                self._inflight[parcel.id] = parcel
                self._busy[lane] += 1
                self._busy[workspace_id] += 1
                return parcel
        return None

    def _has_place(self, lane: Lane) -> bool:
        """Within its workspace's share. Lanes that may hang leave some of it to those that have answered."""
        if lane in self._heard:
            return self._busy[lane] < OF_LANE
        if self._busy[lane]:
            return False
        others = (parcel.lane for parcel in self._inflight.values() if parcel.lane[0] == lane[0])
        return sum(other not in self._heard for other in others) < OF_WORKSPACE - RESERVED

    async def _carry(self, parcel: Parcel) -> None:
        """Send it, and whatever may start when it has ended: a task for each would cost more than its bookkeeping."""
        following: Parcel | None = parcel
        while following is not None:
            parcel = following
            try:
                self._note(await self._sent(parcel))
            finally:
                crowded = self._ended(parcel)
            following = None if crowded or self._stopping else self._next(parcel.lane[0])
            if crowded:
                self._start_all([*self._waiting])
            self._call_for_turn(parcel.lane)

    async def _sent(self, parcel: Parcel) -> Outcome:
        """Never raises, but for cancellation."""
        assert self._client is not None
        return await send(self._client, parcel)

    def _ended(self, parcel: Parcel) -> bool:
        """Whether others may have waited for its place."""
        crowded = len(self._inflight) >= IN_FLIGHT
        del self._inflight[parcel.id]
        for key in (parcel.lane, parcel.lane[0]):
            self._busy[key] -= 1
            if not self._busy[key]:
                del self._busy[key]
        return crowded

    def _call_for_turn(self, lane: Lane) -> None:
        """At once when there may be more to read, or too much to save."""
        if lane not in self._waiting.get(lane[0], {}) or len(self._finished) >= SAVE_AT_ONCE:
            self._woken.set()
        elif len(self._finished) == 1:
            asyncio.get_running_loop().call_later(PACE, self._woken.set)

    def _note(self, outcome: Outcome) -> None:
        self._finished.append(outcome)
        lane = outcome.parcel.lane
        if outcome.timed_out:
            self._slow.add(lane)
            self._heard.discard(lane)
            self._waiting.get(lane[0], {}).pop(lane, None)  # read again when there is room
        else:
            self._slow.discard(lane)
            self._heard.add(lane)

    async def _save_finished(self) -> None:
        """Those whose rows are locked go back behind the others."""
        batch = self._finished[:SAVE_AT_ONCE]
        if batch:
            locked = await self._db(claims.save_outcomes, batch)
            self._finished = [*self._finished[len(batch) :], *locked]
            if failed := failed_endpoints(batch):
                await self._db(partial(disable_hopeless, failed, within_ms=AT_ONCE_MS))

    async def _sleep(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), min(seconds, PACE) if self._finished else seconds)

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(HEARTBEAT)
            try:
                await loop.run_in_executor(self._heart, _guarded, claims.renew, self.lease)
            except Exception:
                log.exception("dispatcher_trouble")

    async def _wind_down(self, heart: asyncio.Task[None]) -> None:
        """Let attempts end, then give back everything. Whatever fails here, the lease expires by itself."""
        self._waiting.clear()
        if self._carriers:
            await asyncio.wait(list(self._carriers), timeout=STOP_WITHIN)
        for task in [heart, *self._carriers]:
            task.cancel()
        ends = time.monotonic() + SAVE_WITHIN
        try:
            while self._finished and time.monotonic() < ends:
                await self._save_finished()
                await asyncio.sleep(PACE if self._finished else 0)
            await self._db(claims.release_all, self.lease)
        except Exception:
            log.exception("dispatcher_trouble")
        assert self._client is not None
        await self._client.aclose()
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
