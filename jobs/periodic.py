"""Periodic work: a row for each slot of a task, so that a slot runs once however many clocks there are.

Celery beat, `/api/cron/<name>`, every worker and a command may all ask at once. The row decides: one insert wins the
slot, and a task has one unfinished row at a time, so it never overlaps itself.

- Missed slots: after a time in which nobody asked, the latest slot runs once, at once; those before are skipped, and
  the log says how many. So is what comes due while the task still runs. A task that never ran has its latest slot due.
- A run that fails is logged, its error kept on the row, and the next slot comes as usual. It is not tried again before.
- A run renews its lease while it lasts. When its process dies the lease ends, and the slot, if it is still the current
  one, starts again, at most `MAX_STARTS` times. A process that stood still for longer than the lease may so meet its
  successor: tasks are idempotent.
- A run that a person asks for is a slot of its own, at that moment. While it is newer, the current slot counts as done.
"""

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections, transaction
from django.db.models import Exists, F, OuterRef, Q

from ajansops.kit.clock import iso, now
from ajansops.kit.errors import DomainError
from ajansops.kit.periodic import Periodic, task, tasks
from jobs.models import PeriodicRun

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)
HEARTBEAT = 10.0  # seconds
HEARTBEATS = 360  # an hour: a task that hangs then loses its lease
MAX_STARTS = 5  # of one slot; more means that it kills its process
KEEP = timedelta(days=30)

LOST = {"code": "worker_lost", "message": "Its process died."}


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did, or the error that ended it."""

    result: dict[str, int] | None = None
    error: Exception | None = None


def run_due(*names: str) -> None:
    """Every due task, or those named, one after the other; one query when none is. What fails is logged.

    Raises the database's error when it is away; the broken connection is dropped: the next call opens a new one.
    """
    try:
        for one, slot in due([task(name) for name in names] or tasks().values()):
            run_slot(one, slot)
    except (OperationalError, InterfaceError):
        connection.close()
        raise


def run_current(one: Periodic) -> Ran | None:
    """The current slot, unless it ran or the task is running."""
    for _, slot in due([one]):
        return run_slot(one, slot)
    return None


def run_now(one: Periodic) -> Ran | None:
    """Whatever the schedule says, but not while the task is running."""
    return run_slot(one, now())


def due(candidates: Iterable[Periodic]) -> list[tuple[Periodic, datetime]]:
    """With their current slot: those that nobody runs and that have not run since it began."""
    moment = now()
    slots = {one.name: (one, one.schedule.current(moment)) for one in candidates}
    settled = Q(task__in=slots, finished_at=None, lease_until__gt=moment)
    for name, (_, slot) in slots.items():
        settled |= Q(task=name, slot__gte=slot, finished_at__isnull=False)
    names = set(PeriodicRun.objects.filter(settled).order_by().values_list("task", flat=True).distinct())
    return [found for name, found in slots.items() if name not in names]


def run_slot(one: Periodic, slot: datetime) -> Ran | None:
    """None when the slot is somebody else's, or another run of the task holds its lease."""
    lease = claim(one.name, slot)
    if lease is None:
        return None
    with structlog.contextvars.bound_contextvars(task=one.name, slot=iso(slot)):
        _tell_missed(one, slot)
        with _heartbeat(one.name, lease):
            ran = _call(one)
        _finish(one.name, lease, ran)
    return ran


@transaction.atomic
def claim(name: str, slot: datetime) -> UUID | None:
    """The lease of a run that may start now. Each statement is a compare-and-set, so of many callers one has it."""
    lease, moment = uuid4(), now()
    mine = {"lease": lease, "lease_until": moment + LEASE, "started_at": moment}
    dead = PeriodicRun.objects.filter(task=name, finished_at=None, lease_until__lte=moment)
    if dead.filter(slot=slot, attempts__lt=MAX_STARTS).update(**mine, attempts=F("attempts") + 1):
        return lease
    dead.update(finished_at=moment, error=LOST)
    PeriodicRun.objects.bulk_create([PeriodicRun(task=name, slot=slot, **mine)], ignore_conflicts=True)
    return lease if PeriodicRun.objects.filter(task=name, slot=slot, lease=lease).exists() else None


def forget_runs() -> int:
    """Remove old rows, never the last of a task: without it a slot of a rare task would seem to be due again."""
    newer = PeriodicRun.objects.filter(task=OuterRef("task"), slot__gt=OuterRef("slot"))
    old = PeriodicRun.objects.filter(Exists(newer), slot__lt=now() - KEEP)
    return old.delete()[0]


def _call(one: Periodic) -> Ran:
    try:
        ran = Ran(one.run())
    except Exception as error:
        log.exception("periodic_failed")
        if isinstance(error, OperationalError | InterfaceError):
            connection.close()  # so that this can still be written down
        return Ran(error=error)
    log.info("periodic_done", **(ran.result or {}))
    return ran


def _finish(name: str, lease: UUID, ran: Ran) -> None:
    held = PeriodicRun.objects.filter(task=name, finished_at=None, lease=lease)
    error = _reason(ran.error) if ran.error else None
    if not held.update(finished_at=now(), result=ran.result, error=error):
        log.warning("periodic_lease_lost")


def _reason(error: Exception) -> dict[str, str]:
    if isinstance(error, DomainError):
        return {"code": error.code, "message": error.message}
    return {"code": "internal_error", "message": f"{type(error).__name__}; the log has it."}


def _tell_missed(one: Periodic, slot: datetime) -> None:
    earlier = PeriodicRun.objects.filter(task=one.name, slot__lt=slot).order_by("-slot")
    last = earlier.values_list("slot", flat=True).first()
    if last and (missed := one.schedule.missed(last, slot)):
        log.warning("periodic_slots_missed", missed=missed, last=iso(last))


@contextmanager
def _heartbeat(name: str, lease: UUID) -> Iterator[None]:
    """Renews the lease meanwhile; a task that is over before the first beat costs no connection."""
    over = threading.Event()
    thread = threading.Thread(target=_renew, args=[name, lease, over], name="periodic-heart", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _renew(name: str, lease: UUID, over: threading.Event) -> None:
    for _ in range(HEARTBEATS):
        if over.wait(HEARTBEAT):
            break
        try:
            held = PeriodicRun.objects.filter(task=name, finished_at=None, lease=lease)
            held.update(lease_until=now() + LEASE)
        except (DatabaseError, InterfaceError):  # the lease outlasts two beats
            log.warning("periodic_trouble", task=name, exc_info=True)
            connection.close()
    connections.close_all()
