"""Starting jobs, whose caller has already asked for the right to do the work; controlling them; writes of agents."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Conflict, NotFound, RateLimited
from ajansops.kit.events import publish
from ajansops.kit.ids import job_id
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import JSON, NewItem, Quota, runner
from ajansops.kit.tasks import announce
from ajansops.kit.tenancy import lock_workspace
from ajansops.kit.writer import Writer
from jobs import charges, windows
from jobs.bulk import insert_items
from jobs.claims import end_if_over, lock_jobs
from jobs.models import Agent, ItemState, Job, JobStatus
from jobs.states import before

WAKE = "jobs.wake"
INSERT_AT_ONCE = 1000

AGENTS = Writer(Agent, "agent", Permission.ADD_AGENT, Permission.CHANGE_AGENT, Permission.DELETE_AGENT)


class JobRunning(Conflict):
    """A job of this kind is already running for it."""


class InvalidTransition(Conflict):
    """The status of the job does not allow this."""

    code = "invalid_transition"


class NothingLeft(Conflict):
    """Nothing of this job is left to do."""

    code = "nothing_left"


class ConcurrentLimit(RateLimited):
    """Concurrent job limit exceeded"""

    code = "concurrent_limit_exceeded"


@dataclass(frozen=True, slots=True)
class Controlled:
    """A job that somebody paused, resumed, cancelled or requeued, and the status it had until then."""

    job: Job
    previous: str


def start_job(
    actor: Actor,
    kind: str,
    items: Iterable[NewItem],
    *,
    configuration: JSON | None = None,
    subject: str = "",
    max_parallel: int | None = None,
    interval_ms: int = 0,
    webhook_url: str = "",
    units: int | None = None,
) -> Job:
    """A queued job with its items, in the caller's transaction. Items with the same key are one.

    `units` are what it costs at most of the runner's feature, one an item unless told; raises `FeatureLimitReached`.
    With a `subject` at most one unfinished job of the kind exists for it; a second raises `JobRunning`. Whoever takes
    a `webhook_url` from outside has it checked by `kit.net.check_target`.
    """
    unique = list({item.key: item for item in items}.values())
    parallel = max_parallel or runner(kind).max_parallel
    options = {"max_parallel": parallel, "interval_ms": interval_ms, "webhook_url": webhook_url}
    options["units"] = len(unique) if units is None else units
    try:
        with transaction.atomic():
            if runner(kind).feature:
                lock_workspace(actor.workspace_id)
            job = _create(actor, kind, len(unique), configuration, subject=subject, **options)
            charges.reserve(actor, job)
            insert_items(job.pk, unique)
            _tell(actor, job)
    except IntegrityError as error:
        if subject and Job.objects.unfinished().filter(workspace_id=actor.workspace_id, kind=kind, subject=subject):
            raise JobRunning from error
        raise
    return _begin(actor, job)


def start_large_job(
    actor: Actor,
    kind: str,
    items: Iterable[NewItem],
    *,
    configuration: JSON | None = None,
    webhook_url: str = "",
) -> Job:
    """As `start_job`, in many short transactions (unless the caller has one: on SQLite that stops everybody's writes).

    The job is not ready, so that nothing of it runs, until all items are there. A start that is interrupted fails the
    job after ten minutes (`claims.ending_jobs`).
    """
    unique = list({item.key: item for item in items}.values())
    options = {"max_parallel": runner(kind).max_parallel, "webhook_url": webhook_url}
    job = _create(actor, kind, len(unique), configuration, ready=False, **options)
    for start in range(0, len(unique), INSERT_AT_ONCE):
        insert_items(job.pk, unique[start : start + INSERT_AT_ONCE])
    with transaction.atomic():
        lock_workspace(actor.workspace_id)
        Job.objects.filter(pk=job.pk).update(ready=True)
        _tell(actor, job)
    return _begin(actor, job)


def _create(actor: Actor, kind: str, total: int, configuration: JSON | None, **options: Any) -> Job:
    return Job.objects.create(
        id=job_id(kind, actor.workspace_id),
        workspace_id=actor.workspace_id,
        kind=kind,
        configuration=configuration or {},
        total=total,
        user_id=actor.user_id,
        api_key_id=actor.key_id,
        test_mode=actor.test_mode,
        request_id=actor.request_id,
        **options,
    )


def _tell(actor: Actor, job: Job) -> None:
    """After the items: whoever tells holds up the workspace's other writers until the transaction ends."""
    told = {"kind": (None, job.kind), "items": (None, job.total), "subject": (None, job.subject)}
    publish(actor, "job.created", job, told)


def _begin(actor: Actor, job: Job) -> Job:
    """Tell the workers; a job without items is over at once."""
    if not job.total:
        with transaction.atomic():
            lock_workspace(actor.workspace_id)
            job.status, job.started_at, job.completed_at = JobStatus.COMPLETED, now(), now()
            job.save(update_fields=["status", "started_at", "completed_at", "updated_at"])
            publish(actor, "job.completed", job, {"done": (None, 0), "failed": (None, 0)})
    announce(WAKE)
    job.refresh_from_db()
    return job


@transaction.atomic
def pause_job(actor: Actor, job_id: str) -> Controlled:
    """No item of it starts any more; those in flight end, and count."""
    job = _locked(actor, job_id)
    return _move(actor, job, "pause", JobStatus.PAUSED, before(JobStatus.PAUSED), **_waiting_no_more(job))


@transaction.atomic
def resume_job(actor: Actor, job_id: str) -> Controlled:
    """It goes on, or ends at once when its last item ended while it was paused."""
    job = _locked(actor, job_id)
    status = JobStatus.PROCESSING if job.started_at else JobStatus.QUEUED
    return _set_going(_move(actor, job, "resume", status, {JobStatus.PAUSED}))


@transaction.atomic
def cancel_job(actor: Actor, job_id: str) -> Controlled:
    """For good, unless an operator requeues it; items in flight end, and count."""
    job, changes = _locked(actor, job_id), {"completed_at": now()}
    changes |= _waiting_no_more(job)
    moved = _move(actor, job, "cancel", JobStatus.CANCELLED, before(JobStatus.CANCELLED), **changes)
    charges.settle(moved.job)
    return moved


@transaction.atomic
def requeue_job(actor: Actor, job_id: str) -> Controlled:
    """Try again what failed, and go on with what a cancelled job had not come to. What is done stays done.

    Raises `FeatureLimitReached` when the plan has no units left for it, and `NothingLeft`, also for a job whose items
    are no longer kept (`retention`).
    """
    job = _locked(actor, job_id)
    if job.is_final and not (job.ready and job.items.exclude(state=ItemState.DONE).exists()):
        raise NothingLeft
    charges.reserve(actor, job)
    again = job.items.filter(state=ItemState.FAILED)
    given_back = {"failures": 0, "losses": 0, "not_before": now(), "finished_at": None}
    ended = before(JobStatus.PROCESSING) - {JobStatus.QUEUED, JobStatus.PAUSED}
    fresh = {"completed_at": None, "error": None, "failed": F("failed") - again.count()}
    try:
        with transaction.atomic():
            moved = _move(actor, job, "requeue", JobStatus.PROCESSING, ended, **fresh)
    except IntegrityError as error:  # another one has begun about the same subject
        raise JobRunning from error
    again.update(state=ItemState.PENDING, **given_back)
    return _set_going(moved)


CONTROLS: Mapping[str, Callable[[Actor, str], Controlled]] = {
    "pause": pause_job,
    "resume": resume_job,
    "cancel": cancel_job,
    "requeue": requeue_job,
}
TOLD = {"pause": "job.paused", "resume": "job.resumed", "cancel": "job.cancelled", "requeue": "job.requeued"}


def too_many(quota: Quota) -> ConcurrentLimit:
    """The documented refusal."""
    message = gettext(
        "You have reached the maximum number of concurrent jobs (%(limit)s). Please wait for existing jobs to complete."
    )
    return ConcurrentLimit(details=message % {"limit": quota.concurrent})


def _locked(actor: Actor, job_id: str) -> Job:
    """Behind its workspace, as everywhere. Raises `NotFound` for another workspace's."""
    actor.require(Permission.CHANGE_JOB)
    lock_workspace(actor.workspace_id)
    job = lock_jobs(Job.objects.visible_to(actor).filter(pk=job_id).values_list("pk", flat=True)).get(job_id)
    if job is None:
        raise NotFound
    return job


def _waiting_no_more(job: Job) -> JSON:
    """Changes to a job that waits for its window: when it goes on, it looks anew whether it has to."""
    return {"resumes_at": None, "runnable_at": now()} if job.resumes_at else {}


def _move(
    actor: Actor, job: Job, action: str, status: JobStatus, sources: Collection[JobStatus], **changes: Any
) -> Controlled:
    """Compare and set: whoever comes second finds another status, whatever they read before."""
    previous = job.status
    rows = Job.objects.filter(pk=job.pk, status__in=sources)
    if not rows.update(status=status, updated_at=now(), **changes):
        message = gettext("'%(action)s' is not possible for a job that is '%(status)s'.")
        raise InvalidTransition(message % {"action": action, "status": previous})
    job.refresh_from_db()
    publish(actor, TOLD[action], job, {"status": (previous, job.status)})
    return Controlled(job, previous)


def _set_going(moved: Controlled) -> Controlled:
    """Wake the workers, or end a job of which nothing is left. Raises `ConcurrentLimit` when it is one too many.

    The count is exact: whoever starts or resumes one holds the workspace's lock until then.
    """
    job, one = moved.job, runner(moved.job.kind)
    if one.meter:
        quota = one.quota(job.workspace_id)
        if windows.count_running(job.workspace_id, one.meter, now()) > quota.concurrent:
            raise too_many(quota)
    end_if_over(job)
    announce(WAKE)
    return moved
