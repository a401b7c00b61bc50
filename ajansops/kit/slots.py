"""When periodic work is due: the slots of a schedule, as moments in UTC. Pure.

A slot is one planned start. What runs asks for the current one, the latest that is not in the future, so that after a
pause it finds the last that was missed and none of those before.

Cron and daylight saving time, as Debian's cron has it: a line with a fixed minute and hour is meant by the wall clock.
A time that does not exist in spring comes once, at the first moment after the gap; one that exists twice in autumn
comes once, the first time. A line whose minute or hour begins with `*` is meant by real time: every hour is every real
hour, in autumn 25 of a day, and what lies in the gap does not come.

`cronsim` finds the times that a line names. Which moments they are is said here: its own way of doing that loses slots
where clocks shift by half an hour, and takes the hour that comes twice for one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice, takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIELDS = 5  # minute, hour, day of month, month, day of week
SHIFT = timedelta(hours=3)  # more than any clock is put forward or back
MINUTE = timedelta(minutes=1)
WINDOWS = [timedelta(hours=8**power) for power in range(7)]  # the longest: 30 years, for 29 February on a Sunday
COUNT_AT_MOST = 10_000  # missed slots of a cron line: each is looked for


@dataclass(frozen=True, slots=True)
class Every:
    """Each so many seconds, counted from the epoch: wherever and whenever a process starts, the slots are the same."""

    seconds: int

    def current(self, moment: datetime) -> datetime:
        """The latest at or before the moment."""
        return EPOCH + (moment - EPOCH) // self._step * self._step

    def following(self, moment: datetime) -> datetime:
        """The first after it."""
        return self.current(moment) + self._step

    def missed(self, after: datetime, until: datetime) -> int:
        """How many lie between, without both."""
        return max(0, -((EPOCH - until) // self._step) - 1 - (after - EPOCH) // self._step)

    @property
    def _step(self) -> timedelta:
        return timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        return f"every {self.seconds} s"


@dataclass(frozen=True, slots=True)
class Cron:
    """A line with five fields, read by the wall clock of a zone. Raises ValueError for one that never comes."""

    line: str
    zone: ZoneInfo

    def __post_init__(self) -> None:
        if len(self.line.split()) != FIELDS:
            raise ValueError("A cron line has five fields.")
        try:
            next(CronSim(self.line, EPOCH))
        except (CronSimError, StopIteration) as error:
            raise ValueError(f"{self.line!r} never comes: {error}") from error

    def current(self, moment: datetime) -> datetime:
        """The latest at or before the moment."""
        return next(max(found) for window in WINDOWS if (found := set(self._between(moment - window, moment))))

    def following(self, moment: datetime) -> datetime:
        """The first after it."""
        return next(min(found) for window in WINDOWS if (found := set(self._between(moment, moment + window))))

    def missed(self, after: datetime, until: datetime) -> int:
        """How many lie between, without both; at most `COUNT_AT_MOST`."""
        found = self._between(after, until - timedelta(microseconds=1))
        return len(set(islice(found, COUNT_AT_MOST)))

    def _between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Later than `after`, up to `until`: roughly in order, and what falls into one gap more than once."""
        last = self._wall(until) + SHIFT
        for wall in takewhile(lambda wall: wall <= last, CronSim(self.line, self._wall(after) - SHIFT)):
            yield from (moment for moment in self._moments(wall) if after < moment <= until)

    def _moments(self, wall: datetime) -> list[datetime]:
        """When the clocks show this time, as far as the line means it."""
        both = [wall.replace(tzinfo=self.zone, fold=fold).astimezone(UTC) for fold in (0, 1)]
        shown = sorted({moment for moment in both if self._wall(moment) == wall})
        if self._by_real_time:
            return shown
        return shown[:1] or [next(moment for moment in _minutes(min(both)) if self._wall(moment) > wall)]

    @property
    def _by_real_time(self) -> bool:
        return any(field.startswith("*") for field in self.line.split()[:2])

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def __str__(self) -> str:
        return f"{self.line} {self.zone.key}"


Schedule = Every | Cron


def _minutes(start: datetime) -> Iterator[datetime]:
    return (start + MINUTE * passed for passed in count())
