"""How an endpoint fares: counted in the transaction of the outcomes, and disabled when there is no hope."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import OperationalError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.events import changed, publish, snapshot
from ajansops.kit.tenancy import lock_workspace_soon
from webhooks.models import Delivery, DeliveryStatus, Disabled, Endpoint
from webhooks.parcels import Outcome
from webhooks.schedule import GONE, MAX_ATTEMPTS

log = structlog.get_logger(__name__)

HOPELESS_AFTER = timedelta(days=5)
LEAST_FAILURES = 10


def tally(outcomes: Sequence[Outcome], urls: Mapping[int, str]) -> None:
    """Counts and times of each endpoint: one statement for all that took equally many, and one for each that failed.
    The caller has locked them; `urls` are where they are now: what an address says that one has left is not its own.
    """
    by_endpoint: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        pk = outcome.parcel.endpoint_id
        if pk is not None and answers_for(outcome, urls):
            by_endpoint[pk].append(outcome)
    moment, well = now(), {pk: len(own) for pk, own in by_endpoint.items() if all(one.delivered for one in own)}
    for count in set(well.values()):
        same = [pk for pk, taken in well.items() if taken == count]
        Endpoint.objects.filter(pk__in=same).update(success_count=F("success_count") + count, **_reached(moment))
    for pk in sorted(by_endpoint.keys() - well):
        results = [one.delivered for one in by_endpoint[pk]]
        Endpoint.objects.filter(pk=pk).update(**_counted(results, moment))
    _note_given_up(by_endpoint, moment)
    _note_gone(by_endpoint, moment)


def answers_for(outcome: Outcome, urls: Mapping[int, str]) -> bool:
    """Whether it is the endpoint's answer, and not that of an address which it has left."""
    pk = outcome.parcel.endpoint_id
    return pk is None or urls.get(pk) == outcome.parcel.url


def _note_given_up(by_endpoint: Mapping[int, Sequence[Outcome]], moment: datetime) -> None:
    """The first since one has arrived: `notices` tells of it."""
    if concerned := {pk for pk, own in by_endpoint.items() if any(map(_given_up, own))}:
        first = Q(given_up_at=None) | Q(given_up_at__lt=F("last_success_at"))
        Endpoint.objects.filter(first, pk__in=concerned).update(given_up_at=moment)


def _given_up(outcome: Outcome) -> bool:
    return not outcome.delivered and outcome.parcel.attempts + 1 >= MAX_ATTEMPTS


def _note_gone(by_endpoint: Mapping[int, Sequence[Outcome]], moment: datetime) -> None:
    """Nothing more is sent there; `disable_hopeless` does the rest when the workspace is free."""
    if gone := {pk for pk, own in by_endpoint.items() if any(one.status == GONE for one in own)}:
        Endpoint.objects.filter(pk__in=gone).update(gone_at=moment)


def _reached(moment: datetime) -> dict[str, Any]:
    return {
        "last_delivery_at": moment,
        "last_success_at": moment,
        "consecutive_failures": 0,
        "failing_since": None,
    }


def _counted(results: Sequence[bool], moment: datetime) -> dict[str, Any]:
    """`results` in the order in which they came; at least one of them is a failure."""
    successes = sum(results)
    counted: dict[str, Any] = {
        "success_count": F("success_count") + successes,
        "failure_count": F("failure_count") + len(results) - successes,
        "last_delivery_at": moment,
    }
    if not successes:
        since = Coalesce("failing_since", Value(moment))
        return counted | {"consecutive_failures": F("consecutive_failures") + len(results), "failing_since": since}
    streak = results[::-1].index(True)
    return counted | _reached(moment) | {"consecutive_failures": streak, "failing_since": moment if streak else None}


def failed_endpoints(outcomes: Sequence[Outcome]) -> set[int]:
    """Those that an attempt has failed for."""
    return {o.parcel.endpoint_id for o in outcomes if not o.delivered and o.parcel.endpoint_id is not None}


def disable_hopeless(among: Collection[int] | None = None, *, within_ms: int = 1000) -> dict[str, int]:
    """Disable those that answered 410, or that nothing has reached for five days. A workspace that is busy for so long
    is left to the next look: this is called after outcomes, for those concerned, and every minute for all.
    """
    hopeless = Q(failing_since__lte=now() - HOPELESS_AFTER, consecutive_failures__gte=LEAST_FAILURES)
    rows = Endpoint.objects.filter(Q(gone_at__isnull=False) | hopeless, is_active=True, workspace__deleted_at=None)
    disabled = 0
    for row in (rows if among is None else rows.filter(pk__in=among)).order_by("id"):
        try:
            disabled += disable(row, within_ms=within_ms)
        except OperationalError:
            log.warning("webhook_not_disabled", endpoint=row.pk, workspace=row.workspace_id, exc_info=True)
    return {"webhooks_disabled": disabled}


@transaction.atomic
def disable(endpoint: Endpoint, *, within_ms: int) -> bool:
    """Nothing more is sent, and its owners are told (`notices`). False when somebody else has disabled or moved it."""
    lock_workspace_soon(endpoint.workspace_id, within_ms)
    same = {"pk": endpoint.pk, "url": endpoint.url, "is_active": True, "gone_at": endpoint.gone_at}
    same |= {"failing_since": endpoint.failing_since}
    row = Endpoint.objects.select_for_update().filter(**same).first()
    if row is None:
        return False
    before = snapshot(row)
    reason = Disabled.GONE if row.gone_at else Disabled.FAILING
    row.is_active, row.disabled_reason, row.noticed_at = False, reason, None
    row.save(update_fields=["is_active", "disabled_reason", "noticed_at", "updated_at"])
    close_deliveries(row)
    publish(Actor(row.workspace_id, frozenset()), "webhook.disabled", row, changed(row, before))
    log.warning("webhook_disabled", endpoint=row.pk, workspace=row.workspace_id, reason=reason.value)
    return True


def close_deliveries(endpoint: Endpoint) -> None:
    """Of an endpoint that is not active any more. They can be replayed later."""
    Delivery.objects.filter(endpoint=endpoint, next_attempt_at__isnull=False).update(
        status=DeliveryStatus.FAILED, next_attempt_at=None, error="endpoint_disabled"
    )
