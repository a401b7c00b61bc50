"""Writes what is to be told, in the transaction of what happened: a listener of `kit.events`."""

from datetime import datetime
from typing import Any

import orjson
from django.conf import settings

from ajansops.kit import events
from ajansops.kit.clock import iso, now
from ajansops.kit.net import parse_url
from ajansops.kit.public_events import JSON, PublicEvent, public_events
from ajansops.kit.tasks import announce
from jobs.events import ENDED
from jobs.models import Job
from webhooks.models import Delivery, Endpoint, Event, Outbox, event_id, first_secret

WAKE = "webhooks.wake"
MAX_BODY = 256 * 2**10


def record(event: events.Event) -> None:
    """An event with a delivery to each receiver that wants it. It is kept also for endpoints that are switched off
    now, and when a test key did it, of which they are told nothing: they may ask for a replay.
    """
    told = public_events().get(event.type)
    if told is None or not event.actor.workspace_id:
        return
    endpoints = _endpoints(event)
    active = [row for row in endpoints if row.is_active and not event.actor.test_mode]
    receivers = [*_job_url(event), *({"endpoint": row, "lane": lane_of(row)} for row in active)]
    if endpoints or receivers:
        _write(event, told, receivers)


def _endpoints(event: events.Event) -> list[Endpoint]:
    rows = Endpoint.objects.filter(workspace=event.actor.workspace_id).only("workspace", "events", "is_active")
    return [row for row in rows if row.wants(event.type)]


def _job_url(event: events.Event) -> list[dict[str, Any]]:
    job = event.subject
    if event.type in ENDED and isinstance(job, Job) and job.webhook_url:
        return [{"url": job.webhook_url, "lane": parse_url(job.webhook_url).origin}]
    return []


def lane_of(endpoint: Endpoint) -> str:
    """Each endpoint has its own, also where two have one address."""
    return f"endpoint:{endpoint.pk}"


def _write(event: events.Event, told: type[PublicEvent], receivers: list[dict[str, Any]]) -> None:
    workspace_id, moment, public_id = event.actor.workspace_id, now(), event_id()
    row = Event.objects.create(
        workspace_id=workspace_id,
        public_id=public_id,
        type=event.type,
        body=frozen(told, event, public_id, moment),
        request_id=event.actor.request_id or getattr(event.subject, "request_id", ""),
        created_at=moment,
    )
    if not receivers:
        return
    ensure_outbox(workspace_id)
    Delivery.objects.bulk_create(
        Delivery(workspace_id=workspace_id, event=row, next_attempt_at=moment, **receiver) for receiver in receivers
    )
    announce(WAKE)


def ensure_outbox(workspace_id: int) -> None:
    """Before a delivery is made: workers look for outboxes."""
    Outbox.objects.bulk_create([Outbox(workspace_id=workspace_id, secret=first_secret())], ignore_conflicts=True)


def frozen(told: type[PublicEvent], event: events.Event, public_id: str, moment: datetime) -> bytes:
    """The bytes of every attempt. What would be too much for a receiver is a link to it instead."""
    workspace_id, subject = event.actor.workspace_id, event.subject
    body = payload(told.type, public_id, moment, told.of(subject).data, workspace_id)
    if len(body) <= MAX_BODY:
        return body
    address = f"{settings.ENV.public_url.rstrip('/')}/api/v1/{told.path}/{subject.pk}"
    return payload(told.type, public_id, moment, {"id": subject.pk, "url": address}, workspace_id)


def payload(type: str, public_id: str, moment: datetime, data: JSON, workspace_id: int) -> bytes:
    """What is sent, as documented."""
    told = {"id": public_id, "type": type, "created_at": iso(moment), "data": data, "workspace_id": workspace_id}
    return orjson.dumps(told, default=str)
