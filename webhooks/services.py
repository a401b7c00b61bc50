"""Endpoints, and what people do about deliveries."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.clock import iso, now
from ajansops.kit.errors import AccessDenied, DomainError, Invalid, Kind, NotFound
from ajansops.kit.events import State, publish
from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import public_events
from ajansops.kit.tasks import announce
from ajansops.kit.tenancy import lock_workspace
from ajansops.kit.writer import Writer
from webhooks.checks import check_secret, means
from webhooks.health import close_deliveries
from webhooks.models import Delivery, DeliveryStatus, Endpoint, Event, Outbox, new_secret, sealed
from webhooks.outbox import WAKE, ensure_outbox, lane_of
from webhooks.schedule import MAX_ATTEMPTS

MAX_REPLAY = 10_000  # deliveries at once
INSERT_AT_ONCE = 1000
FRESH = {
    "disabled_reason": "",
    "consecutive_failures": 0,
    "failing_since": None,
    "gone_at": None,
    "noticed_at": None,
    "given_up_at": None,
}


class CannotRetry(DomainError):
    """Delivery already succeeded or max retries reached."""

    code = "cannot_retry"
    kind = Kind.MALFORMED


class EndpointWriter(Writer):
    """What was open for an endpoint that is switched off is not sent when it is switched on again. A `url` from outside
    has its name looked up by `kit.net.check_target` before, while nothing is locked.
    """

    def cleaned(self, actor: Actor, row: Any, fields: dict[str, Any]) -> dict[str, Any]:
        """Switched on or moved, it starts without a past. What is told, and where, takes the right to read it all."""
        if {"events", "url"} & fields.keys():
            _require_readable(actor, fields.get("events", row.events))
        active = fields.get("is_active", row.is_active)
        fresh = active and not (row.is_active and fields.get("url", row.url) == row.url)
        return fields | FRESH if fresh else fields

    def after_save(self, row: Any, before: State) -> None:
        """Nothing more is sent to one that was switched off."""
        if not row.is_active:
            close_deliveries(row)


ENDPOINTS = EndpointWriter(
    Endpoint, "webhook", Permission.ADD_WEBHOOK, Permission.CHANGE_WEBHOOK, Permission.DELETE_WEBHOOK
)


def create_endpoint(actor: Actor, *, secret: str = "", **fields: Any) -> tuple[Endpoint, str]:
    """With its secret, which nobody is shown again. Raises `Invalid` for a secret of a wrong form."""
    if secret:
        _check_secret(secret)
    secret = secret or new_secret()
    return ENDPOINTS.create(actor, secret=sealed(secret), creator_id=actor.user_id, **fields), secret


@transaction.atomic
def rotate_secret(actor: Actor, endpoint: Endpoint) -> str:
    """A new one; for a day what is sent is signed with both. Of three the oldest is no longer used."""
    actor.require(Permission.CHANGE_WEBHOOK, on=endpoint)
    return _rotated(actor, ENDPOINTS.locked(actor, endpoint))


@transaction.atomic
def rotate_job_secret(actor: Actor) -> str:
    """Of what is sent to the `webhook_url` of the workspace's jobs."""
    actor.require(Permission.CHANGE_WEBHOOK)
    lock_workspace(actor.workspace_id)
    ensure_outbox(actor.workspace_id)
    return _rotated(actor, Outbox.objects.select_for_update().get(pk=actor.workspace_id))


def _rotated(actor: Actor, row: Endpoint | Outbox) -> str:
    secret = new_secret()
    row.renew_secret(secret)
    row.save(update_fields=["secret", "old_secret", "old_until"])
    publish(actor, "webhook.secret_rotated", row, {"old_until": (None, iso(row.old_until))})
    return secret


def _require_readable(actor: Actor, patterns: Any) -> None:
    """Raises `AccessDenied` naming the scope. What is no pattern is told by the model's `clean`."""
    for event in public_events().values() if isinstance(patterns, list) else ():
        if any(isinstance(pattern, str) and means(pattern, event.type) for pattern in patterns):
            actor.require(event.right)


def _check_secret(secret: str) -> None:
    try:
        check_secret(secret)
    except ValidationError as error:
        raise Invalid(errors={"secret": error.messages}) from error


@transaction.atomic
def retry(actor: Actor, delivery: Delivery) -> Delivery:
    """At once, instead of when its time comes. Raises `CannotRetry` for what has arrived, or was tried ten times."""
    row = _locked(actor, delivery)
    if row.status == DeliveryStatus.SUCCESS or row.attempts >= MAX_ATTEMPTS:
        raise CannotRetry
    _require_active(row)
    row.status, row.next_attempt_at = DeliveryStatus.PENDING, now()
    row.save(update_fields=["status", "next_attempt_at"])
    publish(actor, "webhook_delivery.retried", row)
    announce(WAKE)
    return row


@transaction.atomic
def redeliver(actor: Actor, delivery: Delivery) -> Delivery:
    """The same event once more, as a delivery of its own: same id, same bytes."""
    row = _locked(actor, delivery)
    _require_active(row)
    again = Delivery.objects.create(
        workspace_id=row.workspace_id,
        event=row.event,
        endpoint=row.endpoint,
        url=row.url,
        lane=row.lane,
        next_attempt_at=now(),
    )
    publish(actor, "webhook_delivery.redelivered", again, {"of": (None, row.pk)})
    announce(WAKE)
    return again


def require_live(actor: Actor) -> None:
    """Nothing that a test key does leaves the house. Raises `AccessDenied`."""
    if actor.test_mode:
        raise AccessDenied(gettext("A test key sends nothing to webhooks. Use a live key, or sign in."))


def _locked(actor: Actor, delivery: Delivery) -> Delivery:
    actor.require(Permission.CHANGE_WEBHOOK, on=delivery)
    require_live(actor)
    lock_workspace(actor.workspace_id)
    rows = Delivery.objects.visible_to(actor).select_for_update(of=("self",)).select_related("event", "endpoint")
    row: Delivery | None = rows.filter(pk=delivery.pk).first()
    if row is None:
        raise NotFound
    return row


def _require_active(row: Delivery) -> None:
    if row.endpoint is not None and not row.endpoint.is_active:
        raise CannotRetry(gettext("The endpoint is disabled. Enable it first."))


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many deliveries were made. With `next_cursor` there is more in the window, which ends at `until`."""

    deliveries: int
    until: datetime
    next_cursor: str | None


@transaction.atomic
def replay(
    actor: Actor,
    endpoint: Endpoint,
    *,
    since: datetime,
    until: datetime | None = None,
    include_delivered: bool = False,
    cursor: str = "",
) -> Replayed:
    """New deliveries of what happened in the window and is what the endpoint wants, oldest first.

    Without what has arrived, or is on its way, unless `include_delivered`. The second of `until` is in the window.
    `cursor` is the last answer's. Raises `Invalid` naming the end of a window that is none.
    """
    actor.require(Permission.CHANGE_WEBHOOK, on=endpoint)
    require_live(actor)
    lock_workspace(actor.workspace_id)  # not the endpoint's row: the saves of everybody's deliveries would wait for it
    row = Endpoint.objects.visible_to(actor).filter(pk=endpoint.pk).first()
    if row is None:
        raise NotFound
    _require_readable(actor, row.events)
    if not row.is_active:
        raise CannotRetry(gettext("The endpoint is disabled. Enable it first."))
    moment = now()
    end = _end_of_second(until) if until else moment
    if since > end:
        raise Invalid(errors={"until" if until else "since": [gettext("The window ends before it begins.")]})
    events = _wanted(row, Event.objects.visible_to(actor).filter(created_at__gte=since, created_at__lte=end))
    if cursor:
        events = events.filter(pk__gt=_last_of(actor, cursor))
    if not include_delivered:
        events = events.filter(~Exists(_arriving(row)))
    found = list(events.order_by("id").values_list("id", "public_id")[: MAX_REPLAY + 1])
    chosen = found[:MAX_REPLAY]
    ensure_outbox(row.workspace_id)
    rows = (_again(row, event_id, moment) for event_id, _ in chosen)
    Delivery.objects.bulk_create(rows, batch_size=INSERT_AT_ONCE)
    publish(actor, "webhook.replayed", row, {"deliveries": (None, len(chosen)), "since": (None, iso(since))})
    announce(WAKE)
    return Replayed(len(chosen), end, chosen[-1][1] if len(found) > MAX_REPLAY else None)


def _end_of_second(moment: datetime) -> datetime:
    """Receivers see whole seconds, and ask for what they have seen."""
    return moment if moment.microsecond else moment.replace(microsecond=999_999)


def _last_of(actor: Actor, cursor: str) -> int:
    """The event where the last answer ended. Raises `Invalid`."""
    pk: int | None = Event.objects.visible_to(actor).filter(public_id=cursor).values_list("pk", flat=True).first()
    if pk is None:
        raise Invalid(errors={"cursor": [gettext("This is not a cursor of this list in this order.")]})
    return pk


def _wanted(endpoint: Endpoint, events: QuerySet[Event]) -> QuerySet[Event]:
    patterns = Q()
    for pattern in endpoint.events:
        patterns |= Q(type__startswith=pattern[:-1]) if pattern.endswith("*") else Q(type=pattern)
    return events.filter(patterns)


def _arriving(endpoint: Endpoint) -> QuerySet[Delivery]:
    rows: QuerySet[Delivery] = Delivery.objects.filter(endpoint=endpoint, event=OuterRef("pk"))
    return rows.exclude(status=DeliveryStatus.FAILED)


def _again(endpoint: Endpoint, event_id: int, moment: datetime) -> Delivery:
    return Delivery(
        workspace_id=endpoint.workspace_id,
        event_id=event_id,
        endpoint=endpoint,
        lane=lane_of(endpoint),
        next_attempt_at=moment,
    )
