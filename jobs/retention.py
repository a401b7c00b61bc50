"""What is kept of work that is over."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from ajansops.kit.clock import now
from jobs.models import ItemState, Job, JobItem, JobStatus

KEPT = timedelta(days=90)
AT_ONCE = 5000
FINAL = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


def forget_items() -> int:
    """Remove the items of jobs that ended `KEPT` ago, little by little. The job and its counters stay, its effects too;
    it can no longer be requeued.
    """
    items = JobItem.objects.filter(job=OuterRef("pk"))
    old = Job.objects.filter(status__in=FINAL, reservation="", completed_at__lt=now() - KEPT)
    removed = 0
    for job_id in list(old.filter(Exists(items)).order_by().values_list("pk", flat=True)):
        while some := _remove_some(old.filter(pk=job_id)):
            removed += some
    return removed


@transaction.atomic
def _remove_some(job: QuerySet[Job]) -> int:
    """Under the job's lock: somebody may have requeued it meanwhile. What was never done goes first and at once, so
    that it cannot be requeued with a part of its items.
    """
    if not job.select_for_update().exists():
        return 0
    items = JobItem.objects.filter(job__in=job)
    if undone := items.exclude(state=ItemState.DONE).delete()[0]:
        return undone
    return JobItem.objects.filter(pk__in=list(items.values_list("pk", flat=True)[:AT_ONCE])).delete()[0]
