"""How deliveries get to a worker and their outcomes back: all of it is SQL on rows; nothing here awaits.

A worker leases a workspace's outbox and sends what is due in it. Nothing is written for a single delivery until its
attempt is over, and then only if no other worker has written the same one: the number of attempts is the fence.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet

from ajansops.kit.clock import now
from webhooks.health import tally
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Outbox
from webhooks.parcels import Lane, Outcome, Parcel
from webhooks.schedule import next_attempt

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # renewed every 5 s; what a dead worker held is sent by another one after that
CLAIM_AT_ONCE = 16
AHEAD = 16  # deliveries of a lane that a worker reads before it can send them
OF_OUTBOX = 512  # and of an outbox, whatever lanes that takes

# The lanes of a workspace that have something open, each found by one step in the index, however long they are.
LANES = """
WITH RECURSIVE lanes(lane) AS (
  SELECT min(lane) FROM webhooks_delivery WHERE workspace_id = %s AND next_attempt_at IS NOT NULL
  UNION ALL
  SELECT (SELECT min(lane) FROM webhooks_delivery
          WHERE workspace_id = %s AND next_attempt_at IS NOT NULL AND lane > lanes.lane)
  FROM lanes WHERE lane IS NOT NULL
)
SELECT lane FROM lanes WHERE lane IS NOT NULL
"""

DueRow = tuple[int, int | None, str, int, str, str, bytes, str]


def claim(lease: UUID) -> int:
    """Lease outboxes that have something due. Their number."""
    waiting = Outbox.objects.claimable(now())
    if not waiting.exists():  # a look costs no lock, which on SQLite would be everybody's
        return 0
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True, of=("self",))
        taken = [row.pk for row in waiting[:CLAIM_AT_ONCE]]
        Outbox.objects.filter(pk__in=taken).update(lease=lease, lease_until=now() + LEASE, served_at=now())
    return len(taken)


def renew(lease: UUID) -> None:
    """The worker is alive."""
    Outbox.objects.held(lease).update(lease_until=now() + LEASE)


def release(lease: UUID, keep: Collection[int] = ()) -> None:
    """Give back the outboxes that have nothing due, but those to `keep`."""
    due = Delivery.objects.due(now()).filter(workspace=OuterRef("pk"))
    idle = Outbox.objects.held(lease).exclude(pk__in=list(keep)).filter(~Exists(due))
    idle.update(lease=None, lease_until=None)


def release_all(lease: UUID) -> None:
    """A clean stop gives everything back at once."""
    Outbox.objects.held(lease).update(lease=None, lease_until=None)


def due_parcels(lease: UUID, known: Mapping[Lane, Sequence[int]], slow: Collection[Lane]) -> list[Parcel]:
    """What may be sent of the outboxes held, oldest first in each lane, without the deliveries that are `known`.

    Of a lane that is `slow` not more than one is wanted.
    """
    found: list[Parcel] = []
    for outbox in Outbox.objects.held(lease).filter(workspace__deleted_at=None):
        try:
            found += _parcels(outbox, known, slow)
        except ValueError:  # a secret that no key of ours opens: the others' are none the worse for it
            log.exception("outbox_not_readable", workspace=outbox.pk)
    return found


def _parcels(outbox: Outbox, known: Mapping[Lane, Sequence[int]], slow: Collection[Lane]) -> list[Parcel]:
    """The lanes in any order: where they are more than there is room for, none is always the last."""
    receivers, found = _receivers(outbox), list[Parcel]()
    room = OF_OUTBOX - sum(len(ids) for (workspace_id, _), ids in known.items() if workspace_id == outbox.pk)
    names = _lanes(outbox.pk)
    random.shuffle(names)
    for name in names:
        lane = (outbox.pk, name)
        already = known.get(lane, ())
        wanted = min((1 if lane in slow else AHEAD) - len(already), room - len(found))
        if wanted > 0:
            rows = _due(lane, already)[:wanted]
            # Of an endpoint that was made, or switched on, since the receivers were read: the next look has it.
            found += [_parcel(lane, row, receivers) for row in rows if row[1] in receivers]
    return found


class Receiver(NamedTuple):
    """Where to send, and what to sign with."""

    url: str
    secrets: tuple[str, ...]


def _receivers(outbox: Outbox) -> dict[int | None, Receiver]:
    """By id of the endpoint, as they are now: it may have moved since the event. None is for jobs."""
    endpoints = Endpoint.objects.filter(workspace=outbox.pk, is_active=True)
    found = {row.pk: Receiver(row.url, tuple(row.secrets())) for row in endpoints}
    return {None: Receiver("", tuple(outbox.secrets())), **found}


def _lanes(workspace_id: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(LANES, [workspace_id, workspace_id])
        return [lane for (lane,) in cursor.fetchall()]


def _due(lane: Lane, already: Sequence[int]) -> QuerySet[Delivery, DueRow]:
    workspace_id, name = lane
    rows = Delivery.objects.due(now()).filter(workspace=workspace_id, lane=name).exclude(pk__in=already)
    columns = ("id", "endpoint_id", "url", "attempts", "event__public_id", "event__type", "event__body")
    return rows.order_by("next_attempt_at", "id").values_list(*columns, "event__request_id", named=False)


def _parcel(lane: Lane, row: DueRow, receivers: Mapping[int | None, Receiver]) -> Parcel:
    pk, endpoint_id, url, attempts, public_id, type_, body, request_id = row
    receiver = receivers[endpoint_id]
    secrets = receiver.secrets
    return Parcel(
        pk, lane, endpoint_id, url or receiver.url, public_id, type_, bytes(body), secrets, attempts, request_id
    )


@dataclass(frozen=True, slots=True)
class Change:
    """What an outcome makes of its delivery. Equal for many when a receiver works: one statement writes them all."""

    attempts: int  # before
    status: DeliveryStatus
    next_attempt_at: datetime | None
    response_status: int | None
    response_body: str
    error: str


def save_outcomes(outcomes: Sequence[Outcome]) -> None:
    """In one transaction. A delivery that somebody deleted, or another worker has written meanwhile, stays as it is.

    Endpoints are written first, in the order of their ids: whoever deletes or disables one locks it before its
    deliveries.
    """
    groups: dict[Change, list[int]] = defaultdict(list)
    for outcome in outcomes:
        groups[_change(outcome)].append(outcome.parcel.id)
    with transaction.atomic():
        tally(outcomes)
        for change, ids in sorted(groups.items(), key=lambda group: min(group[1])):
            _apply(change, ids)


def _change(outcome: Outcome) -> Change:
    status, later, attempts = DeliveryStatus.SUCCESS, None, outcome.parcel.attempts
    if not outcome.delivered:
        later = next_attempt(attempts + 1, outcome.status, timed_out=outcome.timed_out, asked=outcome.asked)
        status = DeliveryStatus.RETRYING if later else DeliveryStatus.FAILED
    return Change(attempts, status, later, outcome.status, outcome.body, outcome.error)


def _apply(change: Change, ids: Collection[int]) -> None:
    Delivery.objects.filter(pk__in=ids, attempts=change.attempts, next_attempt_at__isnull=False).update(
        attempts=F("attempts") + 1,
        status=change.status,
        next_attempt_at=change.next_attempt_at,
        response_status=change.response_status,
        response_body=change.response_body,
        error=change.error,
        last_attempt_at=now(),
    )


def seconds_until_due() -> float | None:
    """Until the next attempt of any delivery; negative when one is due; None when nothing is open."""
    coming = Delivery.objects.filter(next_attempt_at__isnull=False, workspace__deleted_at=None)
    moment = coming.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    return (moment - now()).total_seconds() if moment else None
