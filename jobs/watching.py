"""Streams that wait until a job changes: one reader a process looks for all of them.

Once a second it asks the database for every job that is watched, and twice in ten seconds who may still watch; while
nobody does, it asks nothing. The streams themselves hold neither a thread nor a connection.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import Context
from dataclasses import dataclass
from threading import Lock
from time import monotonic

import structlog
from asgiref.sync import sync_to_async
from django.db import connections

from accounts.standing import still_allowed
from ajansops.api.streams import STOPPING
from ajansops.kit.actor import Actor
from ajansops.kit.errors import RateLimited
from ajansops.kit.permissions import Permission

log = structlog.get_logger(__name__)

TICK = 1.0  # seconds between two looks at the jobs
RIGHTS_EVERY = 10.0  # seconds between two looks at who may still watch
AT_ONCE = 10  # streams of one key or person, in one process
RETRY_AFTER = 5  # seconds, when there are too many


class TooManyStreams(RateLimited):
    """Too many streams of events are open at once. Close one first."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A job as it is shown. The same content has the same id."""

    id: str
    event: bytes
    is_final: bool


Read = Callable[[Collection[str]], Mapping[str, Snapshot]]


class Watch:
    """One stream's. `latest` is what was found last: None when the job, or the right to see it, is gone."""

    def __init__(self, actor: Actor, job_id: str, latest: Snapshot) -> None:
        self.actor = actor
        self.job_id = job_id
        self.latest: Snapshot | None = latest
        self._news = asyncio.Event()

    def tell(self, found: Snapshot | None) -> None:
        """Wakes the stream if it is something else. What it was too slow for it misses: the latest is whole."""
        if self.latest is not None and found != self.latest:
            self.latest = found
            self._news.set()

    async def changed(self, seconds: float) -> bool:
        """Whether there was news within so many seconds."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return False
        self._news.clear()
        return True


class Watchers:
    """All watches of this process, which has one event loop. `read` is called in a thread."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._watches: set[Watch] = set()
        self._reader: asyncio.Task[None] | None = None

    @contextmanager
    def looking_for(self, watch: Watch) -> Iterator[None]:
        """What has changed since its `latest` it is told, too."""
        self._watches.add(watch)
        if self._reader is None or self._reader.done():
            # Not in the context of this request, whose thread goes with it.
            self._reader = asyncio.get_running_loop().create_task(self._look_around(), context=Context())
        try:
            yield
        finally:
            self._watches.discard(watch)

    async def _look_around(self) -> None:
        rights_at = monotonic() + RIGHTS_EVERY
        look = sync_to_async(self._look, thread_sensitive=False)
        while self._watches:
            rights_due = monotonic() >= rights_at
            if rights_due:
                rights_at = monotonic() + RIGHTS_EVERY
            watches = list(self._watches)
            try:
                found = {} if STOPPING.is_set() else await look(watches, rights_due)
            except Exception as error:  # noqa: BLE001  # the database is away, say: streams outlive that
                log.warning("watched_jobs_not_read", error=repr(error))
            else:
                for watch in watches:
                    watch.tell(found.get(watch))
            await asyncio.sleep(TICK)

    def _look(self, watches: Collection[Watch], rights_due: bool) -> dict[Watch, Snapshot]:
        try:
            jobs = self._read({watch.job_id for watch in watches})
            allowed = {watch.actor for watch in watches}
            if rights_due:
                allowed = still_allowed(allowed, Permission.VIEW_JOB)
        finally:
            connections.close_all()
        return {watch: jobs[watch.job_id] for watch in watches if watch.job_id in jobs and watch.actor in allowed}


class Places:
    """How many streams each key or person has open in this process."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()
        self._lock = Lock()

    def take(self, actor: Actor) -> None:
        """Raises `TooManyStreams`. Whoever takes one leaves it."""
        with self._lock:
            if self._taken[actor.credential] >= AT_ONCE:
                raise TooManyStreams(retry_after=RETRY_AFTER)
            self._taken[actor.credential] += 1

    def leave(self, actor: Actor) -> None:
        """It is free again."""
        with self._lock:
            self._taken[actor.credential] -= 1
            self._taken += Counter()  # forgets those that have none


PLACES = Places()
