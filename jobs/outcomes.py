"""What becomes of items whose work is over: their effects and states, many in one transaction."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models.functions import Greatest

from ajansops.ai.contract import ProviderBusy
from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError
from ajansops.kit.events import tell
from ajansops.kit.runners import JSON, Item, ItemFailed, JobView, Saved, runner
from ajansops.kit.tenancy import lock_workspace_soon
from jobs import windows
from jobs.bulk import Fence, insert_items, lock_for_saving, mark_done, one_trip
from jobs.claims import LEFT, settle
from jobs.models import ItemState, Job, JobItem, ProviderPause

log = structlog.get_logger(__name__)

BACKOFF = (2, 8, 30)  # seconds before the 2nd, 3rd and 4th try, ±20 %
MAX_WAIT = 3600.0  # seconds that the other side may ask of one item
MIN_PAUSE, MAX_PAUSE = 1.0, 300.0  # seconds for which a busy provider is left alone by everybody; then some try again
REFUSALS = 10  # by a busy provider that cost an item nothing; more may be the item's own fault


@dataclass(frozen=True, slots=True)
class Outcome:
    """The output of an item's work, or the error that ended it."""

    item: Item
    output: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """What saving has led to."""

    exhausted: frozenset[str]  # jobs of which nothing is left: `end_jobs`
    more: bool  # items were added, or are to be tried again


class Refused(Exception):
    """One of several effects cannot be saved: each is tried by itself."""


def save_outcomes(outcomes: Sequence[Outcome], lease: UUID, blame: bool = False) -> Settled:
    """All in one transaction and few statements. When an effect fails, again with a savepoint around each; when the
    database refuses that for the sake of one of them, one by one.

    Raises the database's error when it is away, busy or full: waiting helps, and what was paid for is not thrown away.
    With `blame`, once waiting has not helped, an item whose effect it still refuses is failed for it.
    """
    try:
        try:
            return _save_together(outcomes, lease)
        except Refused:
            return _save_together(outcomes, lease, apart=True)
    except DatabaseError as error:
        if _passes(error) and not blame:
            raise
        log.warning("outcomes_saved_singly", count=len(outcomes), exc_info=True)
        singly = [_save_alone(outcome, lease, blame=blame) for outcome in outcomes]
        exhausted = frozenset[str]().union(*(settled.exhausted for settled in singly))
        return Settled(exhausted, any(settled.more for settled in singly))


def _save_alone(outcome: Outcome, lease: UUID, *, blame: bool) -> Settled:
    try:
        return _save_together([outcome], lease, apart=True)
    except DatabaseError as error:
        if _passes(error) and (not blame or connection.connection is None or not connection.is_usable()):
            raise
        return _save_together([Outcome(outcome.item, error=error)], lease)


def _passes(error: DatabaseError) -> bool:
    """Whether it says something of the database's state and nothing of the data. PostgreSQL's class 54 is a limit that
    the data exceeds, such as the size of an index row.
    """
    return isinstance(error, OperationalError) and not str(getattr(error.__cause__, "sqlstate", "")).startswith("54")


@transaction.atomic
def _save_together(outcomes: Sequence[Outcome], lease: UUID, *, apart: bool = False) -> Settled:
    for workspace_id in sorted({o.item.job.workspace_id for o in outcomes if runner(o.item.job.kind).locks_workspace}):
        lock_workspace_soon(workspace_id)
    job_ids, item_ids = {outcome.item.job.id for outcome in outcomes}, [outcome.item.id for outcome in outcomes]
    jobs, fences = lock_for_saving(job_ids, item_ids, lease)
    mine = _still_held(outcomes, fences)
    batch = Batch(jobs, apart=apart)
    for outcome in outcomes:
        item = outcome.item
        if (item.id, item.attempt) in mine:
            batch.add(outcome, begun_at=mine[item.id, item.attempt])
        else:  # another worker has it now, or its job was deleted: whatever we made of it must not count
            log.warning("lease_lost", **_about(item))
    return batch.close()


def _still_held(outcomes: Sequence[Outcome], fences: Sequence[Fence]) -> dict[tuple[int, int], datetime]:
    """Items, each with its attempt, that are ours until this transaction ends, and when they were begun.

    The attempt is a part of the fence: a lease that lapsed may have been claimed again by this very worker.
    """
    held = {(item_id, attempt): begun_at for item_id, attempt, begun_at in fences}
    return {key: held[key] for o in outcomes if (key := (o.item.id, o.item.attempt)) in held}


class Batch:
    """The outcomes of one transaction, whose job rows are locked. `apart`: each effect in a savepoint of its own."""

    def __init__(self, jobs: dict[str, Job], *, apart: bool) -> None:
        self._jobs, self._apart = jobs, apart
        self._tallies = {job_id: Counter[str]() for job_id in jobs}
        self._outputs: dict[str, list[tuple[Item, Any]]] = {}  # by kind
        self._results: list[tuple[int, JSON]] = []
        self._returned: list[windows.Begun] = []
        self._pauses: dict[str, datetime] = {}
        self._again = False  # one of them is tried again

    def add(self, outcome: Outcome, begun_at: datetime) -> None:
        """Keep its output for `close`, or save it apart; note its failure."""
        item, error = outcome.item, outcome.error
        if error is None and not self._apart:
            self._outputs.setdefault(item.job.kind, []).append((item, outcome.output))
            return
        if error := error or self._save_apart(item, outcome.output):
            self._fail(item, error)
            if meter := runner(item.job.kind).meter:
                self._returned.append((item.job.workspace_id, meter, begun_at))

    def _save_apart(self, item: Item, output: Any) -> Exception | None:
        """What its effect died of."""
        try:
            with transaction.atomic():
                saved = runner(item.job.kind).save(item, output)
                added = insert_items(item.job.id, saved.new_items)
                _tell([(item, saved)])
                mark_done([(item.id, saved.result)])
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001  # a runner's fault is recorded on its item; `explain` logs it
            return error
        self._tallies[item.job.id] += Counter(done=1, added=added)
        return None

    def _save_effects(self) -> None:
        """Raises `Refused` when one of them cannot be saved."""
        effects: list[tuple[Item, Saved]] = []
        try:
            for kind, outputs in self._outputs.items():
                for (item, _), saved in zip(outputs, runner(kind).save_all(outputs), strict=True):
                    added = insert_items(item.job.id, saved.new_items)  # before the next is saved, which may count them
                    self._tallies[item.job.id] += Counter(done=1, added=added)
                    self._results.append((item.id, saved.result))
                    effects.append((item, saved))
            _tell(effects)
        except OperationalError:
            raise
        except Exception as error:
            raise Refused from error

    def _mark_done(self) -> None:
        try:
            mark_done(self._results)
        except OperationalError:
            raise
        except Exception as error:
            raise Refused from error

    def _count(self) -> frozenset[str]:
        """Those of which nothing is left."""
        return frozenset(job_id for job_id, job in self._jobs.items() if settle(job, **self._tallies[job_id]))

    def _fail(self, item: Item, error: Exception) -> None:
        """Another try later, or the end of it.

        Whom a busy provider refused has not tried: that costs the item nothing, and all who need this provider wait.
        """
        provider = runner(item.job.kind).provider(test_mode=item.job.test_mode)
        busy = isinstance(error, ProviderBusy) and bool(provider)
        free = busy and item.attempt - item.failures - item.losses <= REFUSALS
        failed = not free and (isinstance(error, ItemFailed) or item.last_try)
        delay = retry_delay(item.failures, error)
        again_at = now() + delay
        change: dict[str, Any] = {"failures": item.failures + (not free), "error": explain(error, item), **LEFT}
        if failed:
            change |= {"state": ItemState.FAILED, "finished_at": now()}
        else:
            change |= {"state": ItemState.PENDING, "not_before": again_at}
            self._again = True
        JobItem.objects.filter(pk=item.id).update(**change)
        self._tallies[item.job.id]["failed"] += failed
        if busy:
            until = now() + min(delay, timedelta(seconds=MAX_PAUSE))
            self._pauses[provider] = max(until, self._pauses.get(provider, until))

    def close(self) -> Settled:
        """States, counters, pauses, units: in the order in which their rows are locked everywhere."""
        self._save_effects()
        with one_trip():
            self._mark_done()
            exhausted = self._count()
        for provider, until in sorted(self._pauses.items()):
            _pause(provider, until)
        windows.give_back(self._returned)
        return Settled(exhausted, self._again or any(tally["added"] for tally in self._tallies.values()))


def _tell(effects: Iterable[tuple[Item, Saved]]) -> None:
    """The news of each job, those of one type together."""
    jobs: dict[str, JobView] = {}
    rows: dict[tuple[str, str, type[Any]], list[int]] = defaultdict(list)
    for item, saved in effects:
        jobs[item.job.id] = item.job
        for event, model, pk in saved.news:
            rows[item.job.id, event, model].append(pk)
    for (job_id, event, model), pks in rows.items():
        tell(jobs[job_id].actor, event, model.objects.filter(pk__in=pks).order_by("pk"))


def _pause(provider: str, until: datetime) -> None:
    """Never shorter than somebody else was told."""
    ProviderPause.objects.bulk_create([ProviderPause(provider=provider, until=until)], ignore_conflicts=True)
    ProviderPause.objects.filter(pk=provider).update(until=Greatest("until", until))


def retry_delay(failures: int, error: Exception) -> timedelta:
    """After so many failures before this one; at least what the other side asked for."""
    asked = min(float(getattr(error, "retry_after", 0) or 0), MAX_WAIT)
    if isinstance(error, ProviderBusy):
        return timedelta(seconds=max(asked, MIN_PAUSE))
    planned = BACKOFF[min(failures, len(BACKOFF) - 1)] * random.uniform(0.8, 1.2)  # noqa: S311  # jitter
    return timedelta(seconds=max(planned, asked))


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
