"""How items change hands: claim, renew, give back, settle. All of it is SQL on rows; nothing here awaits.

Locks are taken on job rows first, in the order of their ids, so that two workers cannot wait for each other. A claim
skips jobs that are locked. On SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Subquery, Window
from django.db.models.functions import Greatest, Now, RowNumber

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.events import publish
from ajansops.kit.runners import Item, JobView, runner
from ajansops.kit.tenancy import lock_workspace_soon
from jobs import charges, windows
from jobs.bulk import insert_items, save_counters
from jobs.models import ItemState, Job, JobItem, JobStatus, ProviderPause
from jobs.querysets import SUSPECT

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # renewed every 5 s; a dead worker's items are back after at most LEASE + SWEEP
CANDIDATES = 16  # jobs looked at in one claim
MAX_LOSSES = 8  # of one item; more means that it kills its workers. An innocent one may be unlucky a few times
LEFT = {"lease": None, "lease_until": None}
TURN = timedelta(seconds=5)  # before a job that is one too many at a time is looked at again


def job_view(job: Job) -> JobView:
    """What runners may see of the row."""
    return JobView(job.pk, job.workspace_id, job.kind, job.configuration, job.test_mode, job.memory, job.request_id)


@transaction.atomic
def claim(
    capacity: int, lease: UUID, kinds: Collection[str], suspect: bool = True, besides: Collection[int] = ()
) -> list[Item]:
    """Lease up to `capacity` due items, shared between the workspaces that have any, and in each between its jobs.

    Nothing of the workspaces `besides`. With `suspect` one of them may be an item that was lost with its workers
    before. Who holds one takes no second: so the item that kills its worker never takes the same others with it time
    after time.
    """
    moment, left = now(), capacity
    claimed: list[Item] = []
    runnable = Job.objects.active().filter(_open(kinds, moment), runnable_at__lte=moment)
    runnable = runnable.exclude(workspace_id__in=besides)
    workspaces = _candidates(runnable, moment, min(CANDIDATES, capacity), suspect=suspect)
    for at, jobs in enumerate(workspaces):
        share = _part(left, len(workspaces) - at)
        for position, job in enumerate(jobs):
            items = _due_of(job, _part(share, len(jobs) - position), moment, suspect=suspect)
            suspect = suspect and all(item.losses < SUSPECT for item in items)
            share, left = share - len(items), left - len(items)
            _touch(job, moment, begins=bool(items))
            claimed += items
    JobItem.objects.filter(pk__in=[item.id for item in claimed]).update(
        state=ItemState.RUNNING,
        lease=lease,
        lease_until=Now() + LEASE,
        attempts=F("attempts") + 1,
        started_at=moment,
    )
    return claimed


def _candidates(runnable: QuerySet[Job], moment: datetime, most: int, *, suspect: bool) -> list[list[Job]]:
    """With a due item, by workspace; of each the one served longest ago, then the second of each, and so on: neither a
    large job nor many of them starve anybody. Locked, and in one order for everybody who locks more than them.
    """
    due = JobItem.objects.filter(job=OuterRef("pk"), state=ItemState.PENDING, not_before__lte=moment)
    turn = Window(RowNumber(), partition_by="workspace_id", order_by=("claimed_at", "created_at"))
    ranked = runnable.filter(Exists(due if suspect else due.unsuspected())).annotate(turn=turn)
    chosen = ranked.order_by("turn", "claimed_at").values("pk")[:most]
    jobs: QuerySet[Job] = runnable.filter(pk__in=chosen).order_by("workspace_id", "pk")
    if connection.features.has_select_for_update_skip_locked:
        jobs = jobs.select_for_update(skip_locked=True, of=("self",))
    return [list(theirs) for _, theirs in groupby(jobs, key=attrgetter("workspace_id"))]


def _open(kinds: Collection[str], moment: datetime) -> Q:
    """Jobs of these kinds, without those whose provider asks us to wait."""
    paused = set(ProviderPause.objects.filter(until__gt=moment).values_list("provider", flat=True))
    jobs = Q(kind__in=kinds)
    for kind in kinds if paused else ():
        for test_mode in (False, True):
            if runner(kind).provider(test_mode=test_mode) in paused:
                jobs &= ~Q(kind=kind, test_mode=test_mode)
    return jobs


def _part(whole: int, among: int) -> int:
    return -(-whole // among)


def _due_of(job: Job, share: int, moment: datetime, *, suspect: bool) -> list[Item]:
    """What of its items may begin, at most so many."""
    if job.max_parallel is not None:
        share = min(share, job.max_parallel - job.items.filter(state=ItemState.RUNNING).count())
    if job.interval_ms:
        share = min(share, 1)
    if share <= 0:
        return []
    due = job.items.due(moment)
    items = _items(job, due.unsuspected()[:share])
    if suspect and len(items) < share:
        items += _items(job, due.suspect()[:1])  # last: they are no reason for the others to wait
    return _within_quota(job, items, moment) if items and runner(job.kind).meter else items


def _items(job: Job, due: QuerySet[JobItem]) -> list[Item]:
    view = job_view(job)
    rows = due.values_list("pk", "key", "payload", "attempts", "failures", "losses")
    return [Item(pk, view, key, payload, attempts + 1, *lost) for pk, key, payload, attempts, *lost in rows]


def _within_quota(job: Job, items: list[Item], moment: datetime) -> list[Item]:
    """Those for which there are units; the job waits for the next window when that is not all."""
    one = runner(job.kind)
    quota = one.quota(job.workspace_id)
    if not windows.may_run(job, quota, moment):
        job.runnable_at = moment + TURN
        return []
    granted, opens_at = windows.take(job.workspace_id, one.meter, quota, len(items), moment)
    job.resumes_at = opens_at if granted < len(items) else None
    return items[:granted]


def _touch(job: Job, moment: datetime, *, begins: bool) -> None:
    """It was its turn, whether or not anything could begin."""
    fields = ["claimed_at", "runnable_at", "resumes_at"]
    job.claimed_at = moment
    if begins:
        fields += ["status", "started_at", "updated_at"]
        job.status = JobStatus.PROCESSING
        job.started_at = job.started_at or moment
        job.runnable_at = max(job.runnable_at, moment + timedelta(milliseconds=job.interval_ms))
    if job.resumes_at and job.resumes_at > moment:
        job.runnable_at = job.resumes_at
    job.save(update_fields=fields)


def stopped(job_ids: Collection[str], kinds: Collection[str]) -> set[str]:
    """Those whose items may not begin now: paused or ended meanwhile, or their provider asks us to wait."""
    going = Job.objects.active().filter(_open(kinds, now()), pk__in=job_ids)
    return set(job_ids).difference(going.values_list("pk", flat=True))


@transaction.atomic
def renew(item_ids: Collection[int], lease: UUID) -> None:
    """The worker is alive. What is being saved just now needs it no more, and is not waited for."""
    held = JobItem.objects.filter(pk__in=item_ids, lease=lease)
    if connection.features.has_select_for_update_skip_locked:
        free = held.order_by("pk").select_for_update(skip_locked=True).values_list("pk", flat=True)
        held = JobItem.objects.filter(pk__in=list(free))
    held.update(lease_until=Now() + LEASE)


@transaction.atomic
def release(item_ids: Collection[int], lease: UUID) -> None:
    """What was not begun, or not ended at a clean stop: given back at once, and the try does not count."""
    held = JobItem.objects.filter(pk__in=item_ids, lease=lease, state=ItemState.RUNNING).select_for_update(of=("self",))
    rows = list(held.order_by("pk").select_related("job"))
    JobItem.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=ItemState.PENDING, attempts=F("attempts") - 1, **LEFT
    )
    windows.give_back(begun(rows))


def begun(items: Iterable[JobItem]) -> list[windows.Begun]:
    """The units that they took."""
    found = [(item.job, runner(item.job.kind).meter, item.started_at) for item in items]
    return [(job.workspace_id, meter, moment) for job, meter, moment in found if meter and moment]


@transaction.atomic
def sweep(kinds: Collection[str]) -> int:
    """Take items back from workers that no longer renew; one that was lost too often fails as `worker_lost`."""
    lost = JobItem.objects.expired().filter(job__kind__in=kinds)
    jobs = lock_jobs(lost.order_by().values_list("job_id", flat=True).distinct())
    # Locked one by one: a worker that was only slow may renew at this very moment.
    expired = list(JobItem.objects.expired().filter(job_id__in=jobs).order_by("pk").select_for_update())
    for item in expired:
        item.job = jobs[item.job_id]
    poison = [item for item in expired if item.losses + 1 >= MAX_LOSSES]
    reason = {"code": "worker_lost", "message": "Its worker died each time it was tried."}
    failing = {"state": ItemState.FAILED, "error": reason, "finished_at": now()}
    of, change = JobItem.objects.filter, {"losses": F("losses") + 1, **LEFT}
    of(pk__in=[item.pk for item in poison]).update(**failing, **change)
    of(pk__in=[item.pk for item in expired if item not in poison]).update(state=ItemState.PENDING, **change)
    for job_id, count in Counter(item.job_id for item in poison).items():
        settle(jobs[job_id], failed=count)
    windows.give_back(begun(expired))
    return len(expired)


def lock_jobs(job_ids: Iterable[str]) -> dict[str, Job]:
    """The rows, locked until the transaction ends."""
    rows = Job.objects.filter(pk__in=list(job_ids)).order_by("pk").defer("configuration", "memory")
    rows = rows.select_for_update(of=("self",))
    return {job.pk: job for job in rows}


def settle(job: Job, *, done: int = 0, failed: int = 0, added: int = 0) -> bool:
    """Move the counters of a locked job. Whether nothing is left: then call `end_jobs`, in a transaction of its own."""
    job.done, job.failed, job.total = job.done + done, job.failed + failed, job.total + added
    save_counters(job)
    return job.is_exhausted


def ending_jobs(kinds: Collection[str]) -> list[str]:
    """Those of which nothing is left, whose worker died before it ended them; those nobody prepares any more; and those
    that were cancelled while something was in flight, which has ended since.
    """
    jobs = Job.objects.filter(kind__in=kinds)
    exhausted = jobs.active().filter(status=JobStatus.PROCESSING, total=F("done") + F("failed"))
    return [
        pk
        for ending in (exhausted, jobs.abandoned(now()), jobs.unsettled())
        for pk in ending.values_list("pk", flat=True)
    ]


def end_jobs(job_ids: Iterable[str]) -> None:
    """Each in its own transaction, and once, however often it is called. `drained` may keep it going instead.

    One that cannot end just now keeps no other from it; then the last of the errors is raised.
    """
    failure: Exception | None = None
    for job in Job.objects.filter(pk__in=list(job_ids)).only("pk", "workspace_id"):
        try:
            with transaction.atomic():
                lock_workspace_soon(job.workspace_id)  # for the log, which is told of the end: first, as everywhere
                for locked in lock_jobs([job.pk]).values():
                    end_if_over(locked)
        except Exception as error:  # noqa: BLE001  # raised below
            log.warning("job_not_ended_yet", job=job.pk, error=str(error))
            failure = error
    if failure:
        raise failure


def end_if_over(job: Job) -> None:
    """End a job, or let it go on with what `drained` adds. Its workspace and its row must be locked."""
    if job.is_final:
        charges.settle(job)
        return  # somebody was faster, and has told
    if job.is_exhausted:
        _end_or_go_on(job)
    elif job in Job.objects.abandoned(now()):
        _fail(job, "interrupted", "The server stopped while the job was prepared. Start it again.")
    job.save(update_fields=["total", "status", "completed_at", "error", "updated_at"])
    if job.is_final:
        charges.settle(job)
        _tell(job)


def _end_or_go_on(job: Job) -> None:
    try:
        with transaction.atomic():
            job.total += insert_items(job.pk, runner(job.kind).drained(job_view(job)))
    except (OperationalError, InterfaceError):
        raise  # the end is tried again
    except Exception:
        log.exception("job_could_not_end", job=job.pk, request_id=job.request_id)
        _fail(job, "internal_error", "An unexpected error occurred; the log has it.")
    else:
        if job.is_exhausted:
            _finish(job)


def _finish(job: Job) -> None:
    if job.done or not job.failed:
        job.status, job.completed_at = JobStatus.COMPLETED, now()
        return
    last = job.items.filter(state=ItemState.FAILED).order_by("-id").values_list("error", flat=True).first()
    _fail(job, **(last or {"code": "failed", "message": "Every item failed."}))


def _fail(job: Job, code: str, message: str) -> None:
    job.status, job.completed_at = JobStatus.FAILED, now()
    job.error = {"code": code, "message": message}


def _tell(job: Job) -> None:
    actor = Actor(
        job.workspace_id,
        frozenset(),
        user_id=job.user_id,
        key_id=job.api_key_id,
        test_mode=job.test_mode,
        request_id=job.request_id,
    )
    publish(actor, f"job.{job.status}", job, {"done": (None, job.done), "failed": (None, job.failed)})


def seconds_until_due(kinds: Collection[str]) -> float | None:
    """Until the next item may start; negative when one already may; None when there is none."""
    moment = now()
    pending = JobItem.objects.filter(job=OuterRef("pk"), state=ItemState.PENDING).order_by("not_before")
    jobs = Job.objects.active().annotate(first=Subquery(pending.values("not_before")[:1])).exclude(first=None)
    going = jobs.filter(_open(kinds, moment)).aggregate(at=Min(Greatest("first", "runnable_at")))["at"]
    pauses = ProviderPause.objects.filter(until__gt=moment)
    if pauses and jobs.filter(kind__in=kinds).exclude(_open(kinds, moment)).exists():
        going = min([pause.until for pause in pauses] + ([going] if going else []))
    return (going - moment).total_seconds() if going else None
