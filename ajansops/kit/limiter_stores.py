"""Where calls are counted: in this process, in Redis, and in Redis while it is there."""

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from threading import Lock
from time import monotonic, time

import structlog
from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from ajansops.kit.limiter import Bucket, Standing, Store

BUCKETS = 20_000  # in memory; the one that was asked for longest ago goes first
CALL_SECONDS = 0.05  # what Redis may take
PAUSE_SECONDS = 5  # without asking, once it took longer
LOG_SECONDS = 60
MICRO = 1_000_000

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Entry:
    """Calls that leave together, a window after `last`."""

    first: float
    last: float
    calls: int


@dataclass(slots=True)
class _Window:
    entries: deque[_Entry] = field(default_factory=deque)
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
            self.entries.append(_Entry(now, now, 1))
        self.used += 1


class MemoryStore:
    """For one process, and for every process while Redis is away: then each counts for itself."""

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._windows: OrderedDict[str, _Window] = OrderedDict()

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`."""
        with self._lock:
            now = self._clock()
            windows = [(bucket, self._window(bucket, now)) for bucket in buckets]
            full = {bucket for bucket, window in windows if window.used >= bucket.limit.most}
            if not full:
                for bucket, window in windows:
                    window.add(now, bucket.limit.grain)
            return [
                Standing(bucket, window.used, bucket not in full, now, _oldest(window, now) + bucket.limit.seconds)
                for bucket, window in windows
            ]

    def _window(self, bucket: Bucket, now: float) -> _Window:
        window = self._windows.setdefault(bucket.name, _Window())
        self._windows.move_to_end(bucket.name)
        if len(self._windows) > BUCKETS:
            self._windows.popitem(last=False)
        window.forget(now - bucket.limit.seconds)
        return window


def _oldest(window: _Window, now: float) -> float:
    return window.entries[0].last if window.entries else now


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


class RedisStore:
    """One script, one round trip, Redis's clock. Raises `RedisError` or `OSError`."""

    def __init__(self, url: str, prefix: str) -> None:
        self._prefix = prefix
        self._redis = Redis.from_url(
            url,
            socket_timeout=CALL_SECONDS,
            socket_connect_timeout=CALL_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,  # connecting asks for less, and so fails sooner
            driver_info=None,
        )
        self._script = self._redis.register_script(SCRIPT)

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`."""
        limits = [bucket.limit for bucket in buckets]
        numbers = [(limit.most, limit.seconds * MICRO, round(limit.grain * MICRO)) for limit in limits]
        answer = self._script(keys=[self._prefix + bucket.name for bucket in buckets], args=list(chain(*numbers)))
        return [
            Standing(bucket, used, not full, now / MICRO, frees / MICRO)
            for bucket, (used, full, now, frees) in zip(buckets, answer, strict=True)
        ]


class SharedStore:
    """Redis's count; while it is away or slow this process's own, so that nobody waits for it and nobody is let off."""

    def __init__(self, shared: Store, own: Store, clock: Callable[[], float] = monotonic) -> None:
        self._shared, self._own, self._clock = shared, own, clock
        self._lock = Lock()
        self._down = False
        self._ask_again = 0.0
        self._log_again = 0.0

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`."""
        if self._may_ask():
            try:
                standings = self._shared.hit(buckets)
            except (RedisError, OSError) as error:
                self._failed(error)
            else:
                self._down = False
                return standings
        return self._own.hit(buckets)

    def _may_ask(self) -> bool:
        """While it is down one caller tries every few seconds, and waits for it; the others do not."""
        if not self._down:
            return True
        with self._lock:
            if self._clock() < self._ask_again:
                return False
            self._ask_again = self._clock() + PAUSE_SECONDS
            return True

    def _failed(self, error: Exception) -> None:
        with self._lock:
            now = self._clock()
            self._down, self._ask_again = True, now + PAUSE_SECONDS
            quiet = now < self._log_again
            if not quiet:
                self._log_again = now + LOG_SECONDS
        if not quiet:
            log.warning("limiter_store_away", error=str(error), counting="in this process")
