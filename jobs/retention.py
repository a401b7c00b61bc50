"""What is kept of work that is over."""

from datetime import timedelta

from django.db.models import Exists, OuterRef

from ajansops.kit.clock import now
from jobs.models import Job, JobItem, JobStatus

KEPT = timedelta(days=90)
AT_ONCE = 5000
FINAL = (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


def forget_items() -> int:
    """Remove the items of jobs that ended `KEPT` ago, little by little. The job and its counters stay, its effects too;
    it can no longer be requeued.
    """
    items = JobItem.objects.filter(job=OuterRef("pk"))
    old = Job.objects.filter(Exists(items), status__in=FINAL, reservation="", completed_at__lt=now() - KEPT)
    removed = 0
    for job_id in list(old.order_by().values_list("pk", flat=True)):
        while some := list(JobItem.objects.filter(job=job_id).values_list("pk", flat=True)[:AT_ONCE]):
            removed += JobItem.objects.filter(pk__in=some).delete()[0]
    return removed
