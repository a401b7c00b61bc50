"""Where calls are counted: in this process, in Redis, in Redis while it is there; and where nobody is let off."""

import hashlib
import socket
import struct
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from threading import Lock
from time import monotonic, time
from typing import Any

from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.connection import ConnectionInterface
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

from ajansops.kit.breaker import Breaker
from ajansops.kit.limiter import Bucket, Standing, Store

BUCKETS = 20_000  # in memory; the one that was asked for longest ago goes first
CALL_SECONDS = 0.05  # what Redis may take
MICRO = 1_000_000


@dataclass(slots=True)
class Entry:
    """Calls that leave together, a window after `last`."""

    first: float
    last: float
    calls: int


@dataclass(slots=True)
class Window:
    """What a bucket remembers."""

    entries: deque[Entry] = field(default_factory=deque)
    used: int = 0

    def forget(self, before: float) -> None:
        """What is too old to count."""
        while self.entries and self.entries[0].last <= before:
            self.used -= self.entries.popleft().calls

    def add(self, now: float, grain: float) -> None:
        """One call."""
        tail = self.entries[-1] if self.entries else None
        if tail and now - tail.first < grain:
            tail.last, tail.calls = now, tail.calls + 1
        else:
            self.entries.append(Entry(now, now, 1))
        self.used += 1


def count(windows: Sequence[tuple[Bucket, Window]], now: float) -> list[Standing]:
    """One call in all of them, or in none when one is full."""
    for bucket, window in windows:
        window.forget(now - bucket.limit.seconds)
    full = {bucket for bucket, window in windows if window.used >= bucket.limit.most}
    if not full:
        for bucket, window in windows:
            window.add(now, bucket.limit.grain)
    return [
        Standing(bucket, window.used, bucket not in full, now, _oldest(window, now) + bucket.limit.seconds)
        for bucket, window in windows
    ]


def _oldest(window: Window, now: float) -> float:
    return window.entries[0].last if window.entries else now


class MemoryStore:
    """For one process."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`."""
        with self._lock:
            return count([(bucket, self._window(bucket.name)) for bucket in buckets], self._clock())

    def _window(self, name: str) -> Window:
        window = self._windows.setdefault(name, Window())
        self._windows.move_to_end(name)
        if len(self._windows) > BUCKETS:
            self._windows.popitem(last=False)
        return window


class DividedStore:
    """One of several processes that do not hear of each other: each admits its share, and all together never more."""

    def __init__(self, own: Store, among: int) -> None:
        self._own, self._among = own, among

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`; told is the whole, as if the others did the same."""
        shares = [replace(bucket, limit=bucket.limit.share(self._among)) for bucket in buckets]
        return [standing.of(bucket) for bucket, standing in zip(buckets, self._own.hit(shares), strict=True)]


class SplitStore:
    """Sensitive buckets where all processes count together, the others where it costs nothing.

    What the others refuse is not counted there; what is refused there was counted by the others.
    """

    def __init__(self, cheap: Store, together: Store) -> None:
        self._cheap, self._together = cheap, together

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`, but for the order, and without those that were not asked any more."""
        cheap = [bucket for bucket in buckets if not bucket.sensitive]
        sensitive = [bucket for bucket in buckets if bucket.sensitive]
        standings = self._cheap.hit(cheap) if cheap else []
        if sensitive and all(standing.admitted for standing in standings):
            standings += self._together.hit(sensitive)
        return standings


# A bucket is a list of "first last total" in microseconds. `total` is every call ever counted up to that entry,
# so what is in the window is the difference of two. The first element has left the window already, or is 0.
SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

local function parsed(entry)
  local first, last, total = string.match(entry, '(%d+) (%d+) (%d+)')
  return tonumber(first), tonumber(last), tonumber(total)
end

local function last_of(entry)
  local _, last = parsed(entry)
  return last
end

local function total_of(entry)
  local _, _, total = parsed(entry or '0 0 0')
  return total
end

local totals, used, full = {}, {}, {}
local admitted = true
for i, key in ipairs(KEYS) do
  local most, window = tonumber(ARGV[3 * i - 2]), tonumber(ARGV[3 * i - 1])
  local oldest = redis.call('LINDEX', key, 1)
  while oldest and last_of(oldest) <= now - window do
    redis.call('LPOP', key)
    oldest = redis.call('LINDEX', key, 1)
  end
  totals[i] = total_of(redis.call('LINDEX', key, -1))
  used[i] = totals[i] - total_of(redis.call('LINDEX', key, 0))
  full[i] = used[i] >= most
  admitted = admitted and not full[i]
end

local answer = {}
for i, key in ipairs(KEYS) do
  local window, grain = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i])
  if admitted then
    local length, first = redis.call('LLEN', key), now
    if length == 0 then
      redis.call('RPUSH', key, '0 0 0')
    elseif length > 1 then
      local begun = parsed(redis.call('LINDEX', key, -1))
      if now - begun < grain then
        first = begun
        redis.call('RPOP', key)
      end
    end
    redis.call('RPUSH', key, string.format('%.0f %.0f %.0f', first, now, totals[i] + 1))
    redis.call('PEXPIRE', key, math.ceil(window / 1000))
    used[i] = used[i] + 1
  end
  local oldest = redis.call('LINDEX', key, 1)
  answer[i] = {used[i], full[i] and 1 or 0, now, (oldest and last_of(oldest) or now) + window}
end
return answer
"""
DIGEST = hashlib.sha1(SCRIPT.encode(), usedforsecurity=False).hexdigest()  # by which Redis knows the script


def _patient_in_the_kernel(connection: Any) -> None:
    """The time limit as an option of the socket: in Python it costs a second system call each way, and each of those
    a turn at the interpreter's lock.
    """
    connection.on_connect()
    limit = struct.pack("ll", 0, round(CALL_SECONDS * MICRO))
    sock: socket.socket = connection._sock  # noqa: SLF001  # redis-py has no other way to it
    for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        sock.setsockopt(socket.SOL_SOCKET, option, limit)
    sock.settimeout(None)


class RedisStore:
    """One script, one round trip, Redis's clock. Raises `RedisError` or `OSError`.

    Each thread keeps a connection: a pool, which looks whether it still lives, costs more than the call.
    """

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._pool = ConnectionPool.from_url(
            url,
            socket_timeout=CALL_SECONDS,
            socket_connect_timeout=CALL_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,  # connecting asks for less, and so fails sooner
            driver_info=None,
            redis_connect_func=_patient_in_the_kernel,
        )
        self._of_thread = threading.local()

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`."""
        limits = [bucket.limit for bucket in buckets]
        numbers = [(limit.most, limit.seconds * MICRO, round(limit.grain * MICRO)) for limit in limits]
        keys = [self._prefix + bucket.name for bucket in buckets]
        answer = self._evaluate(len(keys), *keys, *chain(*numbers))
        return [
            Standing(bucket, used, not full, now / MICRO, frees / MICRO)
            for bucket, (used, full, now, frees) in zip(buckets, answer, strict=True)
        ]

    def _evaluate(self, *arguments: Any) -> Any:
        kept: ConnectionInterface | None = getattr(self._of_thread, "connection", None)
        if kept is None:
            kept = self._of_thread.connection = self._pool.make_connection()
            return _evaluated(kept, arguments)
        try:
            return _evaluated(kept, arguments)
        except RedisTimeout:
            raise
        except RedisConnectionError as error:
            if isinstance(error.__context__, BlockingIOError):  # the kernel's way to say that the time is up
                raise
            return _evaluated(kept, arguments)  # ended while nobody used it, as by a restart: a new one is worth a try


def _evaluated(connection: Any, arguments: Sequence[Any]) -> Any:
    try:
        connection.send_command("EVALSHA", DIGEST, *arguments)
        return connection.read_response()
    except NoScriptError:
        connection.send_command("EVAL", SCRIPT, *arguments)
        return connection.read_response()


class SharedStore:
    """Redis's count; while it is away or slow another's, so that nobody waits for it and nobody is let off."""

    def __init__(self, shared: Store, meanwhile: Store, clock: Callable[[], float] = monotonic) -> None:
        self._shared, self._meanwhile = shared, meanwhile
        self._breaker = Breaker("limiter_store_away", clock)

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`."""
        if self._breaker.may_ask():
            try:
                standings = self._shared.hit(buckets)
            except (RedisError, OSError) as error:
                self._breaker.failed(error)
            else:
                self._breaker.worked()
                return standings
        return self._meanwhile.hit(buckets)
