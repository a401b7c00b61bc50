"""How items change hands: claim, renew, give back, settle. All of it is SQL on rows; nothing here awaits.

Locks are taken on job rows first, in the order of their ids, so that two workers cannot wait for each other. A claim
skips jobs that are locked. On SQLite the transaction itself is the lock (BEGIN IMMEDIATE).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Exists, F, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest

from ajansops.kit.clock import now
from ajansops.kit.runners import Item, JobView, NewItem, runner
from jobs.models import ItemState, Job, JobItem, JobStatus

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # renewed every 5 s; a dead worker's items are back after at most LEASE + SWEEP
CANDIDATES = 16  # jobs looked at in one claim
MAX_CLAIMS = 5  # of one item; more means that it kills its workers


def job_view(job: Job) -> JobView:
    """What runners may see of the row."""
    return JobView(job.pk, job.workspace_id, job.kind, job.configuration, job.test_mode, job.memory, job.request_id)


@transaction.atomic
def claim(capacity: int, lease: UUID, kinds: Collection[str]) -> list[Item]:
    """Lease up to `capacity` due items, shared between the jobs that have any."""
    jobs = _claimable(kinds)
    if connection.features.has_select_for_update_skip_locked:
        jobs = jobs.select_for_update(skip_locked=True, of=("self",))
    candidates = list(jobs[: min(CANDIDATES, capacity)])
    claimed: list[Item] = []
    for position, job in enumerate(candidates):
        share = -(-(capacity - len(claimed)) // (len(candidates) - position))
        claimed += _claim_from(job, share, lease)
    return claimed


def _claimable(kinds: Collection[str]) -> QuerySet[Job]:
    """With a due item; the one served longest ago first, so that a large job never starves a small one."""
    moment = now()
    due = JobItem.objects.filter(job=OuterRef("pk"), state=ItemState.PENDING, not_before__lte=moment)
    runnable: QuerySet[Job] = Job.objects.active().filter(kind__in=kinds, runnable_at__lte=moment)
    return runnable.filter(Exists(due)).order_by("claimed_at", "created_at").defer("memory")  # it may be large


def _claim_from(job: Job, share: int, lease: UUID) -> list[Item]:
    moment = now()
    if job.max_parallel is not None:
        share = min(share, job.max_parallel - job.items.filter(state=ItemState.RUNNING).count())
    if job.interval_ms:
        share = min(share, 1)
    rows = list(job.items.due(moment)[:share]) if share > 0 else []
    job.items.filter(pk__in=[row.pk for row in rows]).update(
        state=ItemState.RUNNING,
        lease=lease,
        lease_until=moment + LEASE,
        attempts=F("attempts") + 1,
        started_at=moment,
    )
    job.claimed_at = moment
    if rows:
        job.status = JobStatus.PROCESSING
        job.started_at = job.started_at or moment
        job.runnable_at = max(job.runnable_at, moment + timedelta(milliseconds=job.interval_ms))
    job.save(update_fields=["claimed_at", "status", "started_at", "runnable_at", "updated_at"])
    if not rows:
        return []
    view = job_view(job)
    return [Item(row.pk, view, row.key, row.payload, row.attempts + 1) for row in rows]


def renew(item_ids: Collection[int], lease: UUID) -> None:
    """The worker is alive."""
    JobItem.objects.filter(pk__in=item_ids, lease=lease).update(lease_until=now() + LEASE)


def release(item_ids: Collection[int], lease: UUID) -> None:
    """A clean stop gives items back at once, and the try does not count."""
    JobItem.objects.filter(pk__in=item_ids, lease=lease, state=ItemState.RUNNING).update(
        state=ItemState.PENDING, lease=None, lease_until=None, attempts=F("attempts") - 1
    )


@transaction.atomic
def sweep() -> int:
    """Take items back from workers that no longer renew; one that was lost too often fails as `worker_lost`."""
    _fail_abandoned()
    jobs = lock_jobs(JobItem.objects.expired(now()).order_by().values_list("job_id", flat=True).distinct())
    if not jobs:
        return 0
    # Locked one by one: a worker that was only slow may renew at this very moment.
    expired = list(JobItem.objects.expired(now()).filter(job_id__in=jobs).select_for_update())
    poison = [item for item in expired if item.attempts >= MAX_CLAIMS]
    reason = {"code": "worker_lost", "message": "Its worker died each time it was tried."}
    free = {"lease": None, "lease_until": None}
    of = JobItem.objects.filter
    of(pk__in=[item.pk for item in poison]).update(state=ItemState.FAILED, error=reason, finished_at=now(), **free)
    of(pk__in=[item.pk for item in expired if item not in poison]).update(state=ItemState.PENDING, **free)
    for job_id, count in Counter(item.job_id for item in poison).items():
        settle(jobs[job_id], failed=count)
    return len(expired)


def _fail_abandoned() -> None:
    reason = {"code": "interrupted", "message": "The server stopped while the job was prepared. Start it again."}
    Job.objects.abandoned(now()).update(status=JobStatus.FAILED, error=reason, completed_at=now())


def lock_jobs(job_ids: Iterable[str]) -> dict[str, Job]:
    """The rows, locked until the transaction ends."""
    rows = Job.objects.filter(pk__in=list(job_ids)).order_by("pk").select_for_update(of=("self",))
    return {job.pk: job for job in rows}


def add_items(job: Job, items: Sequence[NewItem]) -> int:
    """Those whose key the job does not have yet. The job row must be locked."""
    new = {item.key: item for item in items}
    for known in job.items.filter(key__in=list(new)).values_list("key", flat=True):
        del new[known]
    JobItem.objects.bulk_create(JobItem(job=job, key=i.key, payload=i.payload) for i in new.values())
    return len(new)


def settle(job: Job, *, done: int = 0, failed: int = 0, added: int = 0) -> None:
    """Move the counters of a locked job, and end it when nothing is left."""
    job.done, job.failed, job.total = job.done + done, job.failed + failed, job.total + added
    if job.status == JobStatus.PROCESSING and job.done + job.failed == job.total:
        _end_or_go_on(job)
    job.save(update_fields=["done", "failed", "total", "status", "completed_at", "error", "updated_at"])


def _end_or_go_on(job: Job) -> None:
    try:
        with transaction.atomic():
            job.total += add_items(job, runner(job.kind).drained(job_view(job)))
    except (OperationalError, InterfaceError):
        raise  # it passes, and the whole step is tried again
    except Exception:
        log.exception("job_could_not_end", job=job.pk, request_id=job.request_id)
        job.status, job.completed_at = JobStatus.FAILED, now()
        job.error = {"code": "internal_error", "message": "An unexpected error occurred; the log has it."}
        return
    if job.done + job.failed == job.total:
        _finish(job)


def _finish(job: Job) -> None:
    job.completed_at = now()
    job.status = JobStatus.FAILED if job.failed and not job.done else JobStatus.COMPLETED
    if job.status == JobStatus.FAILED:
        last = job.items.filter(state=ItemState.FAILED).order_by("-id").values_list("error", flat=True).first()
        job.error = last or {"code": "failed", "message": "Every item failed."}


def seconds_until_due(kinds: Collection[str]) -> float | None:
    """Until the next item may start; negative when one already may; None when there is none."""
    pending = JobItem.objects.filter(job=OuterRef("pk"), state=ItemState.PENDING).order_by("not_before")
    jobs = Job.objects.active().filter(kind__in=kinds).annotate(first=Subquery(pending.values("not_before")[:1]))
    moment = jobs.exclude(first=None).aggregate(at=Min(Greatest("first", "runnable_at")))["at"]
    return (moment - now()).total_seconds() if moment else None
