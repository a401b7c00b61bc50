"""How many calls there may be in any minute: a sliding window, so that there is no boundary to meet at.

throttled-py was measured first: its token bucket and its sliding window let up to twice the limit through in one minute
(a full bucket that is refilled meanwhile), and neither counts two buckets in one round trip.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import time
from typing import Protocol

EXACT = 128  # up to so many calls each is remembered; of more, those within a 128th of the window leave together
KEPT = 10_000  # refusals that are remembered


@dataclass(frozen=True, slots=True)
class Limit:
    """So many calls in any `seconds`, and `burst` percent of it on top."""

    calls: int
    burst: int = 0
    seconds: int = 60

    @property
    def most(self) -> int:
        """What one window admits."""
        return self.calls * (100 + self.burst) // 100

    @property
    def grain(self) -> float:
        """Seconds within which calls share an entry, so that a window is never more than about `EXACT` of them.

        They leave when the last of them is a window old: never too many, and at most this much too late.
        """
        return 0 if self.most <= EXACT else self.seconds / EXACT

    def share(self, among: int) -> "Limit":
        """What each of so many counters may admit; one call at least."""
        return Limit(max(1, self.most // among), seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Who is counted, and how much they may. `sensitive`: never in more than one place, whatever it costs."""

    name: str
    limit: Limit
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bucket stands after a call, by the clock of whoever counted. `frees_at`: when the oldest call leaves it."""

    bucket: Bucket
    used: int
    admitted: bool
    now: float
    frees_at: float

    @property
    def remaining(self) -> int:
        """Of the plain limit; none while the burst is used."""
        return max(0, self.bucket.limit.calls - self.used)

    @property
    def reset(self) -> int:
        """Unix seconds at which there is more."""
        return math.ceil(self.frees_at)

    @property
    def retry_after(self) -> int:
        """Whole seconds, at least one; whoever waits so long is admitted."""
        return max(1, math.ceil(round(self.frees_at - self.now, 6)))

    def of(self, bucket: Bucket) -> "Standing":
        """As a bucket stands of which this is one of several equal shares."""
        used = math.ceil(self.used * bucket.limit.most / self.bucket.limit.most)
        return replace(self, bucket=bucket, used=used)


class Store(Protocol):
    """Counts one call in all of the buckets, or in none when one of them is full."""

    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """Atomic. Of a full bucket `admitted` is False."""
        ...


class Limiter:
    """A store, and the memory of whom it refused: until then a flood costs no more than looking it up here."""

    def __init__(self, store: Store, clock: Callable[[], float] = time) -> None:
        self._store = store
        self._clock = clock
        self._refused: dict[Bucket, tuple[float, Standing]] = {}

    def hit(self, buckets: Sequence[Bucket]) -> Standing:
        """Count the call. What is told is the bucket that refuses, else the one with the least left."""
        if known := self.refusal(buckets):
            return known
        standings = self._store.hit(buckets)
        refusals = [standing for standing in standings if not standing.admitted]
        for refusal in refusals:
            self._remember(refusal)
        return min(refusals or standings, key=lambda standing: standing.remaining)

    def refusal(self, buckets: Sequence[Bucket]) -> Standing | None:
        """What is known already, without counting: one of them is full, and stays so for a while."""
        for bucket in buckets:
            until, standing = self._refused.get(bucket, (0.0, None))
            left = until - self._clock()
            if standing and left > 0:
                return replace(standing, now=standing.frees_at - left)
        return None

    def _remember(self, refusal: Standing) -> None:
        if len(self._refused) >= KEPT:
            self._refused.clear()  # forgetting costs a round trip each, and nothing else
        self._refused[refusal.bucket] = (self._clock() + refusal.frees_at - refusal.now, refusal)
