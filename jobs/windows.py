"""Units of a meter, counted where they are begun: in the transaction that claims the items, so no window is exceeded.

An item that does not end well gives its unit back to the hour in which it was begun.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db import transaction

from ajansops.kit.runners import Quota, metered, runner
from jobs.models import Job, UnitDay

Begun = tuple[int, str, datetime]  # workspace, meter, when


@dataclass(frozen=True, slots=True)
class Room:
    """What is left of this hour and this day. `next_reset_at`: when there may be more of what is short."""

    hourly: int
    daily: int
    next_reset_at: datetime

    @property
    def units(self) -> int:
        """That may be begun now."""
        return min(self.hourly, self.daily)


def room(workspace_id: int, meter: str, quota: Quota, moment: datetime) -> Room:
    """At this moment, without a lock: another may take of it."""
    day = UnitDay.objects.filter(workspace_id=workspace_id, meter=meter, day=_day(moment)).first()
    return _room(day.hours if day else [], quota, moment)


def take(workspace_id: int, meter: str, quota: Quota, wanted: int, moment: datetime) -> tuple[int, datetime]:
    """Begin up to `wanted` units, and how many that are; with the moment at which there may be more.

    The day's row is locked until the transaction ends; lock several in the order of their workspaces.
    """
    row = _locked(workspace_id, meter, _day(moment))
    granted = min(wanted, _room(row.hours, quota, moment).units)
    if granted:
        row.hours[_hour(moment)] += granted
        row.save(update_fields=["hours"])
    return granted, _room(row.hours, quota, moment).next_reset_at


def give_back(begun: Iterable[Begun]) -> None:
    """Units of items that were begun then and made nothing."""
    days: dict[tuple[int, str, date], Counter[int]] = {}
    for workspace_id, meter, moment in begun:
        days.setdefault((workspace_id, meter, _day(moment)), Counter())[_hour(moment)] += 1
    for key in sorted(days):
        row = _locked(*key)
        for hour, units in days[key].items():
            row.hours[hour] = max(0, row.hours[hour] - units)
        row.save(update_fields=["hours"])


def count_running(workspace_id: int, meter: str, moment: datetime) -> int:
    """Jobs that count against the concurrent limit: queued or processing, and not waiting for their window."""
    return Job.objects.active_of(workspace_id, metered()[meter], moment).count()


def may_run(job: Job, quota: Quota, moment: datetime) -> bool:
    """Whether it is among the oldest that may run at a time: jobs that go on by themselves may be too many."""
    running = Job.objects.active_of(job.workspace_id, metered()[runner(job.kind).meter], moment)
    older = running.filter(created_at__lt=job.created_at).count()
    return older < quota.concurrent


@transaction.atomic
def wake_waiting(kinds: Collection[str], moment: datetime) -> int:
    """Let go on who waits and need not any more: units were given back, or the plan has grown."""
    waiting = Job.objects.active().filter(kind__in=kinds, resumes_at__gt=moment)
    woken: list[str] = []
    for workspace_id, kind in waiting.order_by().values_list("workspace_id", "kind").distinct():
        one = runner(kind)
        if room(workspace_id, one.meter, one.quota(workspace_id), moment).units:
            woken += waiting.filter(workspace_id=workspace_id, kind=kind).values_list("pk", flat=True)
    rows = Job.objects.filter(pk__in=woken).order_by("pk").select_for_update(of=("self",))
    return Job.objects.filter(pk__in=[job.pk for job in rows]).update(resumes_at=None, runnable_at=moment)


def _locked(workspace_id: int, meter: str, day: date) -> UnitDay:
    wanted = {"workspace_id": workspace_id, "meter": meter, "day": day}
    UnitDay.objects.bulk_create([UnitDay(**wanted)], ignore_conflicts=True)
    return UnitDay.objects.select_for_update().get(**wanted)


def _room(hours: list[int], quota: Quota, moment: datetime) -> Room:
    hour = moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    daily = max(0, quota.daily - sum(hours))
    hourly = max(0, quota.hourly - hours[hour.hour]) if hours else quota.hourly
    next_hour, next_day = hour + timedelta(hours=1), hour.replace(hour=0) + timedelta(days=1)
    return Room(min(hourly, daily), daily, next_hour if daily else next_day)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _hour(moment: datetime) -> int:
    return moment.astimezone(UTC).hour
