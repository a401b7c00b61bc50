"""Writes what is to be told, in the transaction of what happened: an outlet of `kit.events`."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

import orjson
from django.conf import settings
from django.db import connection
from django.db.models import Model

from ajansops.kit.actor import Actor
from ajansops.kit.clock import iso, now
from ajansops.kit.net import parse_url
from ajansops.kit.public_events import JSON, PublicEvent, public_events
from ajansops.kit.tasks import announce
from jobs.events import ENDED
from jobs.models import Job
from webhooks.models import Delivery, Endpoint, Event, Outbox, event_id, first_secret

WAKE = "webhooks.wake"
MAX_BODY = 256 * 2**10
WRITE_AT_ONCE = 500  # events

# Not every teller holds the workspace's lock. Whoever switches an endpoint off, or deletes it, waits for what is being
# told it, and closes that too; who counts its deliveries does not. A delivery's foreign key takes this lock anyway.
ENDPOINTS = "SELECT id, events, is_active FROM webhooks_endpoint WHERE workspace_id = %s ORDER BY id"
SHARED = " FOR KEY SHARE"

Receivers = list[dict[str, Any]]  # the fields of a delivery to each


def record(actor: Actor, type: str, subjects: Iterable[Model]) -> None:
    """An event of each subject, with a delivery to each receiver that wants it. It is kept also for endpoints that are
    switched off now, and when a test key did it, of which they are told nothing: they may ask for a replay.

    Where nobody wants it this is one query, and the subjects are not read.
    """
    told = public_events().get(type)
    if told is None or not actor.workspace_id:
        return
    endpoints = [row for row in _endpoints(actor.workspace_id) if row.wants(type)]
    active = [row for row in endpoints if row.is_active and not actor.test_mode]
    receivers = [{"endpoint": row, "lane": lane_of(row)} for row in active]
    if endpoints or type in ENDED:
        for part in _parts(subjects):
            wanted = [(subject, _job_url(type, subject) + receivers) for subject in part]
            _write(actor, told, [one for one in wanted if endpoints or one[1]])


def _endpoints(workspace_id: int) -> Iterable[Endpoint]:
    lock = SHARED if connection.features.has_select_for_update else ""
    return Endpoint.objects.raw(ENDPOINTS + lock, [workspace_id])


def _job_url(type: str, subject: Model) -> Receivers:
    if type in ENDED and isinstance(subject, Job) and subject.webhook_url:
        return [{"url": subject.webhook_url, "lane": parse_url(subject.webhook_url).origin}]
    return []


def _parts(subjects: Iterable[Model]) -> Iterator[list[Model]]:
    rest = iter(subjects)
    while part := list(islice(rest, WRITE_AT_ONCE)):
        yield part


def lane_of(endpoint: Endpoint) -> str:
    """Each endpoint has its own, also where two have one address."""
    return f"endpoint:{endpoint.pk}"


def _write(actor: Actor, told: type[PublicEvent], wanted: Sequence[tuple[Model, Receivers]]) -> None:
    moment = now()
    events = Event.objects.bulk_create(_event(actor, told, subject, moment) for subject, _ in wanted)
    deliveries = [
        Delivery(workspace_id=actor.workspace_id, event=event, next_attempt_at=moment, **receiver)
        for event, (_, receivers) in zip(events, wanted, strict=True)
        for receiver in receivers
    ]
    if deliveries:
        ensure_outbox(actor.workspace_id)
        Delivery.objects.bulk_create(deliveries)
        announce(WAKE)


def _event(actor: Actor, told: type[PublicEvent], subject: Model, moment: datetime) -> Event:
    public_id = event_id()
    return Event(
        workspace_id=actor.workspace_id,
        public_id=public_id,
        type=told.type,
        body=frozen(told, subject, public_id, moment, actor.workspace_id),
        request_id=actor.request_id or getattr(subject, "request_id", ""),
        created_at=moment,
    )


def ensure_outbox(workspace_id: int) -> None:
    """Before a delivery is made: workers look for outboxes."""
    Outbox.objects.bulk_create([Outbox(workspace_id=workspace_id, secret=first_secret())], ignore_conflicts=True)


def frozen(told: type[PublicEvent], subject: Model, public_id: str, moment: datetime, workspace_id: int) -> bytes:
    """The bytes of every attempt. What would be too much for a receiver is a link to it instead."""
    body = payload(told.type, public_id, moment, told.of(subject).data, workspace_id)
    if len(body) <= MAX_BODY:
        return body
    address = f"{settings.ENV.public_url.rstrip('/')}/api/v1/{told.path}/{subject.pk}"
    return payload(told.type, public_id, moment, {"id": subject.pk, "url": address}, workspace_id)


def payload(type: str, public_id: str, moment: datetime, data: JSON, workspace_id: int) -> bytes:
    """What is sent, as documented."""
    told = {"id": public_id, "type": type, "created_at": iso(moment), "data": data, "workspace_id": workspace_id}
    return orjson.dumps(told, default=str)
