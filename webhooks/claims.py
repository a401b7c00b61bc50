"""How deliveries get to a worker and their outcomes back: all of it is SQL on rows; nothing here awaits.

A worker leases a workspace's outbox and sends what is due in it. Nothing is written for a single delivery until its
attempt is over, and then only if no other worker has written the same one: the number of attempts is the fence.
"""

import random
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from django.db import connection, transaction
from django.db.models import Exists, OuterRef

from ajansops.kit.clock import now
from webhooks.health import answers_for, tally
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event, Outbox
from webhooks.parcels import Held, Lane, Outcome, Parcel
from webhooks.querysets import among
from webhooks.schedule import next_attempt

log = structlog.get_logger(__name__)

LEASE = timedelta(seconds=30)  # renewed every 5 s; what a dead worker held is sent by another one after that
CLAIM_AT_ONCE = 16
AHEAD = 64  # deliveries of a lane that a worker holds in memory; it reads more when half of them are gone
OF_OUTBOX = 512  # and of an outbox, whatever lanes that takes,
IN_ALL = 4096  # or its part of these when there are many
LEAST_OF_OUTBOX, LEAST_OF_LANE = 16, 8
WEIGHT_OF_OUTBOX = 4 * 2**20  # bytes; few events are as large as they may be
LANES_AT_ONCE = 50  # read by one statement

# The lanes of outboxes that have something due, each found by two steps in the index, however long they are.
LANES = """
WITH RECURSIVE lanes(workspace_id, lane) AS (
  SELECT workspace_id, (SELECT min(lane) FROM webhooks_delivery AS first
                        WHERE first.workspace_id = outbox.workspace_id AND next_attempt_at IS NOT NULL)
  FROM webhooks_outbox AS outbox WHERE workspace_id IN ({})
  UNION ALL
  SELECT workspace_id, (SELECT min(lane) FROM webhooks_delivery AS next
                        WHERE next.workspace_id = lanes.workspace_id AND next_attempt_at IS NOT NULL
                        AND next.lane > lanes.lane)
  FROM lanes WHERE lane IS NOT NULL
)
SELECT workspace_id, lane FROM lanes
WHERE EXISTS (SELECT 1 FROM webhooks_delivery AS due WHERE due.workspace_id = lanes.workspace_id
              AND due.lane = lanes.lane AND next_attempt_at <= %s)
"""
# The beginning of one lane. Joined by UNION ALL: a bound for each of many lanes in one statement.
DUE = """
SELECT * FROM (
  SELECT id, workspace_id, lane, endpoint_id, event_id, url, attempts,
    (SELECT length(body) FROM webhooks_event WHERE webhooks_event.id = event_id) AS weight FROM webhooks_delivery
  WHERE workspace_id = %s AND lane = %s AND next_attempt_at <= %s ORDER BY next_attempt_at, id LIMIT %s
) AS beginning
"""
# Which rows are written tells which others somebody has locked, closed or written meanwhile.
WRITE = """
UPDATE webhooks_delivery SET attempts = attempts + 1, status = %s, next_attempt_at = {}, response_status = %s,
  response_body = %s, error = %s, last_attempt_at = %s
WHERE id IN (SELECT id FROM webhooks_delivery WHERE id IN ({})
             AND attempts = %s AND (next_attempt_at IS NOT NULL OR %s){})
RETURNING id
"""
# What was made due since it was read is somebody's wish: a failure of the attempt that was under way leaves it.
LATER = "CASE WHEN next_attempt_at > %s THEN next_attempt_at ELSE %s END"


class Due(NamedTuple):
    """A row that `DUE` finds."""

    id: int
    workspace_id: int
    lane: str
    endpoint_id: int | None
    event_id: int
    url: str
    attempts: int
    weight: int  # bytes of the event


def claim(lease: UUID, *, waited: timedelta = timedelta(0)) -> int:
    """Lease outboxes that have had something due for so long. Their number."""
    waiting = Outbox.objects.claimable(now(), waited)
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


def due_parcels(lease: UUID, held: Held, slow: Collection[Lane]) -> list[Parcel]:
    """What may be sent of the outboxes leased, oldest first in each lane, without the deliveries that are `held`.

    Of a lane that is `slow` not more than one is wanted.
    """
    outboxes = {row.pk: row for row in Outbox.objects.held(lease).filter(workspace__deleted_at=None)}
    rows = _due(_wanted(_lanes(list(outboxes)), held, slow), held)
    receivers, events = _receivers(outboxes, rows), _events(rows)
    # Of an endpoint or an event that is not there any more, or not yet: the next look knows.
    return [
        _parcel(row, receivers[_key(row)], events[row.event_id])
        for row in rows
        if _key(row) in receivers and row.event_id in events
    ]


def _lanes(workspace_ids: Sequence[int]) -> list[Lane]:
    if not workspace_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(LANES.format(", ".join(["%s"] * len(workspace_ids))), [*workspace_ids, _moment()])
        return list(cursor.fetchall())


def _moment() -> Any:
    """Now, as a statement of ours has to be given it."""
    return _stored(now())


def _stored(moment: datetime | None) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _wanted(lanes: list[Lane], held: Held, slow: Collection[Lane]) -> list[tuple[Lane, int]]:
    """How many of which lane. Those we hold least of come first, and else in any order: where they are more than there
    is room for, none is always the last.
    """
    many, of_workspace = len(held.workspaces.union(pk for pk, _ in lanes)), Counter(pk for pk, _ in lanes)
    each = min(OF_OUTBOX, max(LEAST_OF_OUTBOX, IN_ALL // max(1, many)))
    room: dict[int, int] = defaultdict(lambda: each)
    for (workspace_id, _), ids in held.lanes.items():
        room[workspace_id] -= len(ids)
    random.shuffle(lanes)
    found: list[tuple[Lane, int]] = []
    for lane in sorted(lanes, key=lambda lane: len(held.lanes.get(lane, ()))):
        share = min(AHEAD, max(LEAST_OF_LANE, each // of_workspace[lane[0]]))
        most, already = 1 if lane in slow else share, len(held.lanes.get(lane, ()))
        wanted = min(most - already, room[lane[0]])
        if already <= most // 2 and wanted > 0:
            found.append((lane, wanted))
            room[lane[0]] -= wanted
    return found


def _due(wanted: Sequence[tuple[Lane, int]], held: Held) -> list[Due]:
    """Those that are held are read as well, and dropped: they are the oldest."""
    moment, found, left = _moment(), list[tuple[Any, ...]](), dict(wanted)
    with connection.cursor() as cursor:
        for start in range(0, len(wanted), LANES_AT_ONCE):
            part = wanted[start : start + LANES_AT_ONCE]
            given = [(*lane, moment, most + len(held.lanes.get(lane, ()))) for lane, most in part]
            cursor.execute(" UNION ALL ".join([DUE] * len(part)), list(chain.from_iterable(given)))
            found += cursor.fetchall()
    dropped = {pk for lane in left for pk in held.lanes.get(lane, ())}
    rows, weight, begun = [], Counter(held.weight), {lane for lane, ids in held.lanes.items() if ids}
    for row in (Due(*columns) for columns in found if columns[0] not in dropped):
        lane = (row.workspace_id, row.lane)
        light = weight[row.workspace_id] < WEIGHT_OF_OUTBOX or lane not in begun  # what hangs leaves one to each other
        if left[lane] > 0 and light:
            left[lane] -= 1
            begun.add(lane)
            weight[row.workspace_id] += row.weight
            rows.append(row)
    return rows


class Receiver(NamedTuple):
    """Where to send, and what to sign with."""

    url: str
    secrets: tuple[str, ...]


def _key(row: Due) -> tuple[int, int | None]:
    """Of its receiver: an endpoint, or the `webhook_url` of a job."""
    return row.workspace_id, row.endpoint_id


def _receivers(outboxes: Mapping[int, Outbox], rows: Sequence[Due]) -> dict[tuple[int, int | None], Receiver]:
    """As they are now: an endpoint may have moved since the event."""
    asked = {row.endpoint_id for row in rows if row.endpoint_id is not None}
    endpoints = Endpoint.objects.filter(pk__in=asked, is_active=True, gone_at=None)
    columns = ("workspace", "url", "secret", "old_secret", "old_until")
    signing: list[tuple[tuple[int, int | None], str, Endpoint | Outbox]] = [
        *(((row.workspace_id, row.pk), row.url, row) for row in endpoints.only(*columns)),
        *(((pk, None), "", outboxes[pk]) for pk in {row.workspace_id for row in rows if row.endpoint_id is None}),
    ]
    found = {}
    for key, url, row in signing:
        try:
            found[key] = Receiver(url, tuple(row.secrets()))
        except ValueError:  # a secret that no key of ours opens: the others' are none the worse for it
            log.exception("webhook_secret_unreadable", workspace=key[0], endpoint=key[1])
            found[key] = Receiver(url, ())
    return found


class Told(NamedTuple):
    """What an event says. Held once, however many receivers it has."""

    public_id: str
    type: str
    body: bytes
    request_id: str


def _events(rows: Sequence[Due]) -> dict[int, Told]:
    events = Event.objects.filter(pk__in=among({row.event_id for row in rows}))
    told = events.values_list("id", "public_id", "type", "body", "request_id")
    return {pk: Told(public_id, type_, bytes(body), request_id) for pk, public_id, type_, body, request_id in told}


def _parcel(row: Due, receiver: Receiver, event: Told) -> Parcel:
    lane, url = (row.workspace_id, row.lane), row.url or receiver.url
    told = (event.public_id, event.type, event.body, receiver.secrets, row.attempts, event.request_id)
    return Parcel(row.id, lane, row.endpoint_id, url, *told, time.monotonic())


class Change(NamedTuple):
    """What an outcome makes of its delivery. Equal for many when a receiver works: one statement writes them all."""

    attempts: int  # before
    status: DeliveryStatus
    next_attempt_at: datetime | None
    response_status: int | None
    response_body: str
    error: str
    read_at: datetime | None  # where there is a next attempt


def save_outcomes(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """In one transaction. Those whose rows somebody else has locked are returned, unsaved: nobody waits for them.

    A delivery that is gone, or that another worker has written meanwhile, stays as it is and counts nowhere. One that
    was closed meanwhile is written only when it has arrived.

    Endpoints are locked first, then deliveries, each in the order of their ids, as by whoever deletes or disables one.
    """
    with transaction.atomic():
        urls, busy = _lock_endpoints({o.parcel.endpoint_id for o in outcomes} - {None})
        groups: dict[Change, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            if outcome.parcel.endpoint_id not in busy:
                groups[_change(outcome, urls)].append(outcome)
        written = set(chain.from_iterable(_apply(change, group) for change, group in groups.items()))
        tally([outcome for outcome in outcomes if outcome.parcel.id in written], urls)
    left = [outcome for outcome in outcomes if outcome.parcel.id not in written]
    return [outcome for outcome in left if outcome.parcel.endpoint_id in busy or _stands(outcome)]


def _lock_endpoints(ids: Collection[Any]) -> tuple[dict[int, str], set[int]]:
    """The addresses of those that are free, locked; and which of them somebody else has locked."""
    rows = Endpoint.objects.filter(pk__in=ids)
    locked = rows.order_by("pk").select_for_update(skip_locked=True, no_key=True)
    urls = dict(locked.values_list("pk", "url"))
    missing = ids - urls.keys()
    return urls, set(rows.filter(pk__in=missing).values_list("pk", flat=True)) if missing else set()


def _stands(outcome: Outcome) -> bool:
    """Whether its delivery could still be written: it was locked."""
    rows = Delivery.objects.filter(pk=outcome.parcel.id, attempts=outcome.parcel.attempts)
    return (rows if outcome.delivered else rows.filter(next_attempt_at__isnull=False)).exists()


def _change(outcome: Outcome, urls: Mapping[int, str]) -> Change:
    status, later, attempts = DeliveryStatus.SUCCESS, None, outcome.parcel.attempts
    read_at = None
    if not outcome.delivered:
        answer = outcome.status if answers_for(outcome, urls) else None  # elsewhere it may not be gone
        later = next_attempt(attempts + 1, answer, timed_out=outcome.timed_out, asked=outcome.asked)
        status = DeliveryStatus.RETRYING if later else DeliveryStatus.FAILED
        read_at = now() - timedelta(seconds=time.monotonic() - outcome.parcel.read_at) if later else None
    return Change(attempts, status, later, outcome.status, outcome.body, outcome.error, read_at)


def _apply(change: Change, outcomes: Sequence[Outcome]) -> list[int]:
    """The deliveries that were written."""
    locking = " ORDER BY id FOR NO KEY UPDATE SKIP LOCKED" if connection.features.has_select_for_update else ""
    among_them = among([outcome.parcel.id for outcome in outcomes])
    arrived = change.status == DeliveryStatus.SUCCESS
    later, times = ("%s", []) if change.read_at is None else (LATER, [_stored(change.read_at)])
    answer = (change.response_status, change.response_body, change.error)
    values = [change.status, *times, _stored(change.next_attempt_at), *answer, _moment()]
    sql = WRITE.format(later, among_them.sql, locking)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*values, *among_them.params, change.attempts, arrived])
        return [pk for (pk,) in cursor.fetchall()]


def seconds_until_due() -> float | None:
    """Until the next attempt of any delivery; negative when one is due; None when nothing is open."""
    coming = Delivery.objects.filter(next_attempt_at__isnull=False, workspace__deleted_at=None)
    moment = coming.order_by("next_attempt_at").values_list("next_attempt_at", flat=True).first()
    return (moment - now()).total_seconds() if moment else None
