"""What becomes of items whose work is over: their effects and states, many in one transaction."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, OperationalError, transaction

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
    """All in one transaction; when the database refuses that (a deadlock, say), one by one.

    Raises the database's error only when it cannot even note that an item failed: then it is away, and waiting helps.
    """
    try:
        _save_together(outcomes, lease)
    except DatabaseError:
        log.warning("outcomes_saved_singly", count=len(outcomes), exc_info=True)
        for outcome in outcomes:
            _save_alone(outcome, lease)


def _save_alone(outcome: Outcome, lease: UUID) -> None:
    try:
        _save_together([outcome], lease)
    except DatabaseError as error:
        _save_together([Outcome(outcome.item, error=error)], lease)


@transaction.atomic
def _save_together(outcomes: Sequence[Outcome], lease: UUID) -> None:
    jobs = lock_jobs({outcome.item.job.id for outcome in outcomes})
    mine = _still_held(outcomes, lease)
    tallies = {job_id: Counter[str]() for job_id in jobs}
    for outcome in outcomes:
        item = outcome.item
        if (item.id, item.attempt) in mine:
            tallies[item.job.id] += _save_one(outcome, jobs[item.job.id])
        else:  # another worker has it now, or its job was deleted: whatever we made of it must not count
            log.warning("lease_lost", **_about(item))
    for job_id, tally in tallies.items():
        settle(jobs[job_id], **tally)


def _still_held(outcomes: Sequence[Outcome], lease: UUID) -> set[tuple[int, int]]:
    """Items, each with its attempt, that are ours until this transaction ends. The attempt is a part of the fence:

    a lease that lapsed may have been claimed again by this very worker.
    """
    ids = [outcome.item.id for outcome in outcomes]
    rows = JobItem.objects.filter(pk__in=ids, state=ItemState.RUNNING, lease=lease).select_for_update()
    return {(row.pk, row.attempts) for row in rows.only("attempts")}


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
        return {"code": error.code, "message": _storable(error.message)}
    if isinstance(error, TimeoutError):
        return {"code": "timeout", "message": "It took too long."}
    log.error("item_crashed", exc_info=error, attempt=item.attempt, **_about(item))
    return {"code": "internal_error", "message": "An unexpected error occurred; the log has it."}


def _about(item: Item) -> dict[str, str]:
    return {"job": item.job.id, "item": item.key, "request_id": item.job.request_id}


def _storable(text: str) -> str:
    """What PostgreSQL takes: no NUL, no lone surrogates."""
    return text.replace("\0", "").encode(errors="replace").decode()
