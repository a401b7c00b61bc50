"""What becomes of items whose work is over: their effects and states, many in one transaction."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import OperationalError, transaction

from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError
from ajansops.kit.runners import Item, ItemFailed, runner
from jobs.claims import add_items, lock_jobs, settle
from jobs.models import ItemState, Job, JobItem

log = structlog.get_logger(__name__)

RETRIES = 3
BACKOFF = (2, 8, 30)  # seconds before the 2nd, 3rd and 4th try, ±20 %


@dataclass(frozen=True, slots=True)
class Outcome:
    """The output of an item's work, or the error that ended it."""

    item: Item
    output: Any = None
    error: Exception | None = None


def save_outcomes(outcomes: Sequence[Outcome], lease: UUID) -> None:
    """All in one transaction; when the database refuses that (a deadlock, say), one by one."""
    try:
        _save_together(outcomes, lease)
    except OperationalError:
        if len(outcomes) == 1:
            raise
        log.warning("outcomes_saved_singly", count=len(outcomes), exc_info=True)
        for outcome in outcomes:
            _save_together([outcome], lease)


@transaction.atomic
def _save_together(outcomes: Sequence[Outcome], lease: UUID) -> None:
    jobs = lock_jobs({outcome.item.job.id for outcome in outcomes})
    mine = _still_held(outcomes, lease)
    tallies = {job_id: Counter[str]() for job_id in jobs}
    for outcome in outcomes:
        item = outcome.item
        if item.id in mine:
            tallies[item.job.id] += _save_one(outcome, jobs[item.job.id])
        else:  # another worker has it now, or its job was deleted: whatever we made of it must not count
            log.warning("lease_lost", job=item.job.id, item=item.key)
    for job_id, tally in tallies.items():
        settle(jobs[job_id], **tally)


def _still_held(outcomes: Sequence[Outcome], lease: UUID) -> set[int]:
    """Items that are ours until this transaction ends: the lease and the attempt are as they were at the claim."""
    attempts = {outcome.item.id: outcome.item.attempt for outcome in outcomes}
    rows = JobItem.objects.filter(pk__in=list(attempts), state=ItemState.RUNNING, lease=lease).select_for_update()
    return {row.pk for row in rows.only("attempts") if row.attempts == attempts[row.pk]}


def _save_one(outcome: Outcome, job: Job) -> Counter[str]:
    """What it adds to the job's counters."""
    error = outcome.error
    if error is None:
        try:
            return Counter(done=1, added=_save_effect(outcome, job))
        except OperationalError:
            raise
        except Exception as failure:  # noqa: BLE001  # a runner's fault is recorded on its item; `explain` logs it
            error = failure
    return Counter(failed=_save_failure(outcome.item, error))


@transaction.atomic
def _save_effect(outcome: Outcome, job: Job) -> int:
    """The effect and the state, both or neither. The number of items it added."""
    item = outcome.item
    saved = runner(item.job.kind).save(item, outcome.output)
    JobItem.objects.filter(pk=item.id).update(
        state=ItemState.DONE, result=saved.result, error=None, lease=None, lease_until=None, finished_at=now()
    )
    return add_items(job, saved.new_items) if saved.new_items else 0


def _save_failure(item: Item, error: Exception) -> int:
    """Another try later, or the end of it. 1 when the item has failed for good."""
    final = isinstance(error, ItemFailed) or item.attempt > RETRIES
    if final:
        change: dict[str, Any] = {"state": ItemState.FAILED, "finished_at": now()}
    else:
        change = {"state": ItemState.PENDING, "not_before": now() + retry_delay(item.attempt, error)}
    reason = explain(error, item)
    JobItem.objects.filter(pk=item.id).update(**change, error=reason, lease=None, lease_until=None)
    return int(final)


def retry_delay(attempt: int, error: Exception) -> timedelta:
    """At least what the other side asked for."""
    planned = BACKOFF[min(attempt, len(BACKOFF)) - 1] * random.uniform(0.8, 1.2)  # noqa: S311  # jitter
    asked = getattr(error, "retry_after", 0) or 0
    return timedelta(seconds=max(planned, min(float(asked), 3600)))


def explain(error: Exception, item: Item) -> dict[str, str]:
    """The reason kept on the item. What is not a domain error is a fault of ours: logged whole, shown as such."""
    if isinstance(error, DomainError):
        return {"code": error.code, "message": error.message}
    if isinstance(error, TimeoutError):
        return {"code": "timeout", "message": "It took too long."}
    log.error("item_crashed", exc_info=error, job=item.job.id, item=item.key, attempt=item.attempt)
    return {"code": "internal_error", "message": "An unexpected error occurred; the log has it."}
