"""Starting jobs. Whoever calls has already asked for the right to do the work."""

from collections.abc import Iterable

from django.db import IntegrityError, transaction

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Conflict
from ajansops.kit.ids import job_id
from ajansops.kit.runners import JSON, NewItem, runner
from ajansops.kit.tasks import announce
from jobs.models import Job, JobItem, JobStatus

WAKE = "jobs.wake"
INSERT_AT_ONCE = 1000


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
    unique = {item.key: item for item in items}
    try:
        with transaction.atomic():
            job = Job.objects.create(
                id=job_id(kind, actor.workspace_id),
                workspace_id=actor.workspace_id,
                kind=kind,
                subject=subject,
                configuration=configuration or {},
                total=len(unique),
                max_parallel=max_parallel or runner(kind).max_parallel,
                interval_ms=interval_ms,
                user_id=actor.user_id,
                api_key_id=actor.key_id,
                test_mode=actor.test_mode,
                request_id=actor.request_id,
            )
            rows = [JobItem(job=job, key=item.key, payload=item.payload) for item in unique.values()]
            JobItem.objects.bulk_create(rows, batch_size=INSERT_AT_ONCE)
    except IntegrityError as error:
        if subject and Job.objects.unfinished().filter(workspace_id=actor.workspace_id, kind=kind, subject=subject):
            raise JobRunning from error
        raise
    if not unique:
        Job.objects.filter(pk=job.pk).update(status=JobStatus.COMPLETED, started_at=now(), completed_at=now())
    announce(WAKE)
    job.refresh_from_db()
    return job
