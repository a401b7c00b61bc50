"""Stripe's events: kept once as they come, then handled by a loop in the workers (`billing.worker`).

The row is the job: it is pending until its effect is committed, in the same transaction. No job of the engine, because
those belong to a workspace, which sees them and is told of their end; whose an event is shows only when it is handled,
and often it is nobody's. All that is due of one customer is handled together, by who holds the customer's lease.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from accounts.actors import system
from accounts.models import Workspace
from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError, Kind, UpstreamError, UpstreamTimeout
from ajansops.kit.events import State, changed, publish, snapshot
from ajansops.kit.tasks import announce
from ajansops.kit.tenancy import lock_workspace
from billing.models import EventState, StripeEvent, Subscription
from billing.payments import StripeNotConfigured, StripeRefused, gateway
from billing.reactions import REACTIONS, Told
from billing.rereading import FIRST_PAUSE, LONGEST_PAUSE, WAKE, stop_if_closed
from billing.signatures import verify
from billing.stripe_objects import JSON, Billed, Subscribed, read_invoice, read_subscription, reference
from billing.sync import Busy, Lease, keep, keep_snapshots, leased

log = structlog.get_logger(__name__)

HANDLED = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.subscription.trial_will_end",
    "invoice.finalized",
    "invoice.paid",
    "invoice.payment_succeeded",
    "invoice.payment_failed",
    "invoice.payment_action_required",
    "invoice.upcoming",
    "invoice.updated",
    "invoice.voided",
    "invoice.marked_uncollectible",
)
READERS: Mapping[str, Callable[[JSON], Subscribed | Billed | None]] = {
    "subscription": read_subscription,
    "invoice": read_invoice,
}
GIVE_UP = timedelta(days=3)
MAX_NAME = 255


class InvalidEvent(DomainError):
    """This is not an event of Stripe's."""

    code = "invalid_json"
    kind = Kind.MALFORMED


def receive(body: bytes, signature: str) -> None:
    """Keep it. One that is here already is left as it is. Raises `InvalidSignature` before anything is read of it."""
    secrets = settings.ENV.stripe_webhook_secret
    if not secrets:
        raise StripeNotConfigured
    verify(body, signature, secrets, now())
    try:
        text = body.decode()
        event = _row(orjson.loads(text), text)
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError) as error:
        raise InvalidEvent from error
    store([event])


def store(events: Collection[StripeEvent]) -> int:
    """How many were new."""
    with transaction.atomic():
        ids = [event.event_id for event in events]
        known = StripeEvent.objects.filter(event_id__in=ids).count()
        StripeEvent.objects.bulk_create(events, ignore_conflicts=True)
        if len(ids) > known:
            announce(WAKE)
        return len(ids) - known


def row_of(event: JSON) -> StripeEvent:
    """Of one that was listed rather than received."""
    return _row(event, orjson.dumps(event).decode())


def replay(event_ids: Collection[str]) -> int:
    """Handle them once more, for operators. How many there are."""
    fresh = {"state": EventState.PENDING, "not_before": now(), "attempts": 0, "reason": "", "received_at": now()}
    with transaction.atomic():
        announce(WAKE)
        return StripeEvent.objects.filter(event_id__in=event_ids).update(**fresh)


def handle_next() -> bool:
    """What is due of one customer. False: nothing is that nobody else is handling."""
    moment = now()
    busy = Subscription.objects.busy_at(moment).values("customer")
    event = StripeEvent.objects.due(moment).exclude(customer__in=busy).first()
    if event is None:
        return False
    try:
        _handle_due(event)
    except Busy:
        log.info("stripe_customer_busy", stripe_event=event.event_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # it is the first that is due: it must not be so for ever
        log.exception("stripe_event_failed", stripe_event=event.event_id)
        _postpone([event], type(error).__name__)
    return True


def _handle_due(event: StripeEvent) -> None:
    """With all that is due of its customer."""
    if reason := _nobodys(event):
        _pending([event]).update(state=EventState.IGNORED, reason=reason, handled_at=now())
        log.info("stripe_event_ignored", stripe_event=event.event_id, type=event.type, reason=reason)
        return
    with leased(event.customer) as lease:
        _handle(lease, list(StripeEvent.objects.due(now()).filter(customer=event.customer, type__in=HANDLED)))


def _handle(lease: Lease, events: list[StripeEvent]) -> None:
    """Ask once for all of them. They stay pending, with a pause, when that fails."""

    def then(row: Subscription, before: State) -> None:
        _react(events, row, before)
        stop_if_closed(row)

    asked_at = now()
    try:
        keep(lease, gateway().account(lease.customer), asked_at, then)
    except (StripeNotConfigured, StripeRefused) as error:  # asking again would not help
        log.warning("stripe_events_as_told", customer=lease.customer, reason=error.code)
        keep_snapshots(lease, _snapshots(events), then)
    except (UpstreamError, UpstreamTimeout) as error:
        keep_snapshots(lease, _snapshots(events))
        _postpone(events, error.code)
    except (Busy, OperationalError, InterfaceError):
        raise
    except Exception as error:  # ours; the event is kept, and an operator sees it
        log.exception("stripe_event_failed", customer=lease.customer)
        _postpone(events, type(error).__name__)


def _react(events: Collection[StripeEvent], row: Subscription, before: State) -> None:
    """Each in its own savepoint: one that cannot be done keeps no other from being done."""
    for event in events:
        told = Told(event.event_id, event.type, event.data, event.created_at, row, before)
        try:
            with transaction.atomic():
                for react in REACTIONS.get(event.type, ()):
                    react(told)
        except (OperationalError, InterfaceError):
            raise
        except Exception as error:
            log.exception("stripe_event_failed", stripe_event=event.event_id)
            _postpone([event], type(error).__name__)
        else:
            done = {"state": EventState.DONE, "reason": "", "handled_at": now(), "workspace_id": row.workspace_id}
            _pending([event]).update(**done, attempts=F("attempts") + 1)


def _postpone(events: Collection[StripeEvent], reason: str) -> None:
    """With growing pauses; after three days it is failed, until an operator replays it."""
    for event in events:
        pause = min(FIRST_PAUSE * 2 ** min(event.attempts, 20), LONGEST_PAUSE)
        over = now() > event.received_at + GIVE_UP
        state = {"state": EventState.FAILED, "handled_at": now()} if over else {"not_before": now() + pause}
        _pending([event]).update(**state, reason=reason, attempts=F("attempts") + 1)


def _nobodys(event: StripeEvent) -> str:
    """Why it is not for us; empty: it is."""
    if event.type not in HANDLED:
        return "type"
    key = settings.ENV.stripe_secret_key
    if key and event.livemode != ("_live_" in key):
        return "livemode"
    if event.told.get("account"):
        return "account"
    if not event.customer:
        return "no customer"
    if not Subscription.objects.filter(customer=event.customer).exists() and not _adopt(event):
        return "unknown customer"
    named = _named_workspace(event.data)
    owner = Subscription.objects.filter(customer=event.customer).values_list("workspace_id", flat=True).get()
    return "other workspace" if named and named != str(owner) else ""


def _adopt(event: StripeEvent) -> bool:
    """A customer that was made at Stripe, for the workspace that the metadata names, if nobody pays for it yet."""
    named = _named_workspace(event.data)
    if not (named.isascii() and named.isdigit() and len(named) < 19):  # more is no id
        return False
    workspace = Workspace.objects.filter(pk=int(named), deleted_at=None).first()
    if workspace is None:
        return False
    with transaction.atomic():
        lock_workspace(workspace.pk)
        row = Subscription.objects.get_or_create(workspace=workspace)[0]
        if row.customer:
            return False
        before = snapshot(row)
        row.customer = event.customer
        row.save(update_fields=["customer", "updated_at"])
        publish(system(workspace.pk), "subscription.updated", row, changed(row, before))
    return True


def _named_workspace(data: JSON) -> str:
    """In the metadata, which only we and the account's people can write; `client_reference_id` anybody can."""
    details = (data.get("parent") or {}).get("subscription_details") or data.get("subscription_details") or {}
    metadata: Mapping[str, Any] = {**(details.get("metadata") or {}), **(data.get("metadata") or {})}
    return str(metadata.get("workspace_id") or "")


def _snapshots(events: Collection[StripeEvent]) -> list[tuple[datetime, Subscribed | Billed]]:
    found: list[tuple[datetime, Subscribed | Billed]] = []
    for event in events:
        try:
            what = READERS[event.data["object"]](event.data)
        except (LookupError, TypeError, AttributeError, ValueError):
            continue  # it has no state to tell, or not as we know it
        if what is not None:
            found.append((event.created_at, what))
    return found


def _pending(events: Collection[StripeEvent]) -> Any:
    return StripeEvent.objects.filter(pk__in=[event.pk for event in events], state=EventState.PENDING)


def _row(event: JSON, text: str) -> StripeEvent:
    """Raises `LookupError`, `TypeError` and others for what is no event."""
    data = event["data"]["object"]
    names = str(event["id"]), str(event["type"]), reference(data.get("customer"))
    if any(len(name) > MAX_NAME or "\0" in name for name in names) or not names[0]:
        raise ValueError("This is no name.")
    return StripeEvent(
        event_id=names[0],
        type=names[1],
        customer=names[2],
        livemode=event.get("livemode") is True,
        body=text,
        created_at=datetime.fromtimestamp(event["created"], UTC),
    )
