"""Starting jobs, whose caller has already asked for the right to do the work; and writes of agents."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import IntegrityError, transaction

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Conflict
from ajansops.kit.events import publish
from ajansops.kit.ids import job_id
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import JSON, NewItem, runner
from ajansops.kit.tasks import announce
from ajansops.kit.writer import Writer
from jobs.models import Agent, Job, JobItem, JobStatus

WAKE = "jobs.wake"
INSERT_AT_ONCE = 1000

AGENTS = Writer(Agent, "agent", Permission.ADD_AGENT, Permission.CHANGE_AGENT, Permission.DELETE_AGENT)


class JobRunning(Conflict):
    """A job of this kind is already running for it."""


def start_job(
    actor: Actor,
    kind: str,
    items: Iterable[NewItem],
    *,
    configuration: JSON | None = None,
    subject: str = "",
    max_parallel: int | None = None,
    interval_ms: int = 0,
) -> Job:
    """A queued job with its items, in the caller's transaction. Items with the same key are one.

    With a `subject` at most one unfinished job of the kind exists for it; a second raises `JobRunning`.
    """
    unique = list({item.key: item for item in items}.values())
    options = {"max_parallel": max_parallel or runner(kind).max_parallel, "interval_ms": interval_ms}
    try:
        with transaction.atomic():
            job = _create(actor, kind, len(unique), configuration, subject=subject, **options)
            _insert(job, unique)
            _tell(actor, job)
    except IntegrityError as error:
        if subject and Job.objects.unfinished().filter(workspace_id=actor.workspace_id, kind=kind, subject=subject):
            raise JobRunning from error
        raise
    return _begin(job)


def start_large_job(actor: Actor, kind: str, items: Iterable[NewItem], *, configuration: JSON | None = None) -> Job:
    """As `start_job`, in many short transactions: on SQLite one long one would stop everybody's writes.

    The job is not ready, so that nothing of it runs, until all items are there. A start that is interrupted fails the
    job after ten minutes (`claims.sweep`).
    """
    unique = list({item.key: item for item in items}.values())
    job = _create(actor, kind, len(unique), configuration, ready=False, max_parallel=runner(kind).max_parallel)
    for start in range(0, len(unique), INSERT_AT_ONCE):
        _insert(job, unique[start : start + INSERT_AT_ONCE])
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(ready=True)
        _tell(actor, job)
    return _begin(job)


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


def _insert(job: Job, items: Sequence[NewItem]) -> None:
    rows = [JobItem(job=job, key=item.key, payload=item.payload) for item in items]
    JobItem.objects.bulk_create(rows, batch_size=INSERT_AT_ONCE)


def _tell(actor: Actor, job: Job) -> None:
    """After the items: whoever tells holds up the workspace's other writers until the transaction ends."""
    told = {"kind": (None, job.kind), "items": (None, job.total), "subject": (None, job.subject)}
    publish(actor, "job.created", job, told)


def _begin(job: Job) -> Job:
    """Tell the workers; a job without items is over at once."""
    if not job.total:
        Job.objects.filter(pk=job.pk).update(status=JobStatus.COMPLETED, started_at=now(), completed_at=now())
    announce(WAKE)
    job.refresh_from_db()
    return job
