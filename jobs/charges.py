"""What a job costs of its workspace's plan: reserved when it starts, charged when it has ended.

The items are the truth: once nothing of an ended job is in flight any more, its runner counts what was really done;
that is charged, and the rest goes back. So a lost worker, a pause or a wait costs nothing, and a job of any size is one
reservation. The workspace and the job's row must be locked, in this order.
"""

from datetime import timedelta

from ajansops.kit.actor import Actor, Via
from ajansops.kit.entitlements import entitlements
from ajansops.kit.ids import random_text
from ajansops.kit.runners import runner
from jobs.models import ItemState, Job

PREFIX = "job:"
HOLD = timedelta(days=1)  # and for as long as a job holds it (`selectors.holding`)


def reserve(actor: Actor, job: Job) -> None:
    """All that is still to be done of it. Raises `FeatureLimitReached`; commands and kinds without a feature do not.

    Each reservation has a name of its own: a job that is tried again reserves again.
    """
    one = runner(job.kind)
    if one.feature is None or job.reservation or actor.via is Via.COMMAND:
        return
    if job.done:
        job.charged = max(job.charged, one.spent(job.pk, job.done))  # what a command has done meanwhile was free
    if (units := job.units - job.charged) <= 0:
        return
    job.reservation = f"{PREFIX}{job.pk}:{random_text(6)}"
    entitlements().reserve(job.workspace_id, one.feature, units, job.reservation, hold=HOLD)
    job.save(update_fields=["charged", "reservation"])


def settle(job: Job) -> None:
    """Idempotent. Nothing happens before its end, or while some of it is in flight: that still counts."""
    if not job.reservation or not job.is_final or job.items.filter(state=ItemState.RUNNING).exists():
        return
    one = runner(job.kind)
    assert one.feature is not None
    spent = one.spent(job.pk, job.done)
    if spent > job.charged:
        entitlements().settle(job.workspace_id, one.feature, job.reservation, {"": spent - job.charged})
    entitlements().release(job.workspace_id, one.feature, job.reservation)
    job.charged, job.reservation = spent, ""
    job.save(update_fields=["charged", "reservation"])
