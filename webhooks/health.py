"""How an endpoint fares: counted in the transaction of the outcomes, and disabled when there is no hope."""

from collections import defaultdict
from collections.abc import Sequence
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


def tally(outcomes: Sequence[Outcome]) -> None:
    """Counts and times of each endpoint: one statement for all that took equally many, and one for each that failed."""
    by_endpoint: dict[int, list[bool]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.parcel.endpoint_id is not None:
            by_endpoint[outcome.parcel.endpoint_id].append(outcome.delivered)
    locked = Endpoint.objects.filter(pk__in=by_endpoint).order_by("pk").select_for_update(no_key=True)
    list(locked.values_list("pk"))  # in one order: the statements below are not
    moment, well = now(), {pk: len(results) for pk, results in by_endpoint.items() if all(results)}
    for count in set(well.values()):
        same = [pk for pk, taken in well.items() if taken == count]
        Endpoint.objects.filter(pk__in=same).update(success_count=F("success_count") + count, **_reached(moment))
    for pk, results in sorted(by_endpoint.items()):
        if pk not in well:
            Endpoint.objects.filter(pk=pk).update(**_counted(results, moment))
    _note_given_up(outcomes, moment)


def _note_given_up(outcomes: Sequence[Outcome], moment: datetime) -> None:
    """The first since one has arrived: `notices` tells of it."""
    last = [o.parcel for o in outcomes if not o.delivered and o.parcel.attempts + 1 >= MAX_ATTEMPTS]
    if concerned := {parcel.endpoint_id for parcel in last if parcel.endpoint_id is not None}:
        first = Q(given_up_at=None) | Q(given_up_at__lt=F("last_success_at"))
        Endpoint.objects.filter(first, pk__in=concerned).update(given_up_at=moment)


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


def disable_hopeless(outcomes: Sequence[Outcome]) -> None:
    """Those that say they are gone, and those that have failed for days. A crash before this only puts it off."""
    failed = [(o.parcel.endpoint_id, o.status) for o in outcomes if not o.delivered]
    tried = {pk for pk, _ in failed if pk is not None}
    gone = {pk for pk, status in failed if pk is not None and status == GONE}
    hopeless = Q(failing_since__lte=now() - HOPELESS_AFTER, consecutive_failures__gte=LEAST_FAILURES)
    if not tried:
        return
    for row in Endpoint.objects.filter(Q(pk__in=gone) | hopeless, pk__in=tried, is_active=True).order_by("id"):
        try:
            disable(row, Disabled.GONE if row.pk in gone else Disabled.FAILING)
        except OperationalError:  # such as a workspace that is busy: its next failure tries again, the others go on
            log.warning("webhook_not_disabled", endpoint=row.pk, workspace=row.workspace_id, exc_info=True)


@transaction.atomic
def disable(endpoint: Endpoint, reason: Disabled) -> None:
    """Nothing more is sent, and its owners are told (`notices`)."""
    lock_workspace_soon(endpoint.workspace_id)
    row = Endpoint.objects.select_for_update().filter(pk=endpoint.pk, is_active=True).first()
    if row is None:
        return
    before = snapshot(row)
    row.is_active, row.disabled_reason, row.noticed_at = False, reason, None
    row.save(update_fields=["is_active", "disabled_reason", "noticed_at", "updated_at"])
    close_deliveries(row)
    publish(Actor(row.workspace_id, frozenset()), "webhook.disabled", row, changed(row, before))
    log.warning("webhook_disabled", endpoint=row.pk, workspace=row.workspace_id, reason=reason.value)


def close_deliveries(endpoint: Endpoint) -> None:
    """Of an endpoint that is not active any more. They can be replayed later."""
    Delivery.objects.filter(endpoint=endpoint, next_attempt_at__isnull=False).update(
        status=DeliveryStatus.FAILED, next_attempt_at=None, error="endpoint_disabled"
    )
