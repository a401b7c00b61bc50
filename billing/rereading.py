"""Customers about whom Stripe is asked without any event: all at night, and at once those of a closed workspace.

The row is the job: `Subscription.due_at` says when, and the loop of the workers (`billing.worker`) takes what is due.

Who closes a workspace is charged no more. What is paid for runs to the end of its period, so that a workspace which is
restored has it still; a change of it that was scheduled is dropped. What is late or was never paid ends at once, and
Stripe's tries to collect with it. What cannot be done now, or is refused, is tried again until it is done.

Restoring begins no charging again: who pays decides that, in the portal until the period ends, with a new checkout
after it.
"""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.db.models import F

from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError
from ajansops.kit.events import Event, State
from ajansops.kit.tasks import announce
from billing.models import Subscription
from billing.payments import Gateway, StripeRefused, gateway
from billing.querysets import SubscriptionQuerySet
from billing.statuses import FINAL, SERVED
from billing.stripe_objects import Subscribed
from billing.sync import Busy, Lease, LeaseLost, keep, leased, renew

log = structlog.get_logger(__name__)

WAKE = "billing.wake"
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)


def read_soon(rows: SubscriptionQuerySet) -> int:
    """Ask Stripe about these customers as soon as a worker has a place. In a transaction. How many there are."""
    announce(WAKE)
    return rows.exclude(customer="").update(due_at=now(), failures=0)


def on_event(event: Event) -> None:
    """In the transaction that closes a workspace, so that its subscription is never forgotten."""
    if event.type == "workspace.deleted":
        read_soon(Subscription.objects.filter(workspace_id=event.subject.pk))


def stop_if_closed(row: Subscription) -> None:
    """Such as one that was paid on a page which was still open when the workspace was closed. In a transaction.

    Also where the row says that it ends: the customer may have another one beside it.
    """
    if row.status not in FINAL and row.workspace.deleted_at:
        read_soon(Subscription.objects.filter(pk=row.pk))


def on_delete(instance: Subscription, **_signal: Any) -> None:
    """With its workspace, for good. Who is still due then may be charged on, and nobody here would know of it."""
    if instance.customer and instance.due_at:
        log.error("stripe_customer_left_unread", customer=instance.customer, workspace_id=instance.workspace_id)


def read_next() -> bool:
    """One customer who is due. False: none is that nobody else is asking about."""
    row = Subscription.objects.due(now()).first()
    if row is None:
        return False
    try:
        with leased(row.customer) as lease:
            _read(Subscription.objects.select_related("workspace").get(pk=row.pk), lease)
    except LeaseLost:
        log.warning("stripe_lease_lost", customer=row.customer)
        _postpone(row)
    except Busy:
        log.info("stripe_customer_busy", customer=row.customer)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # it is the first that is due: it must not be so for ever
        log.warning("stripe_customer_not_read", customer=row.customer, exc_info=not isinstance(error, DomainError))
        _postpone(row)
    return True


def _read(row: Subscription, lease: Lease) -> None:
    """Whoever makes it due meanwhile makes it due once more."""

    def done(kept: Subscription, _before: State) -> None:
        Subscription.objects.filter(pk=kept.pk, due_at=row.due_at).update(due_at=None, failures=0)

    stripe, asked_at = gateway(), now()
    account = stripe.account(row.customer)
    if row.workspace.deleted_at and (charged := [one for one in account.subscriptions if _is_charged(one)]):
        _stop_all(stripe, charged, f"{settings.ENV.public_url} closed {row.due_at}", lease)
        renew(lease)
        asked_at = now()
        account = stripe.account(row.customer)
    keep(lease, account, asked_at, done)


def _is_charged(one: Subscribed) -> bool:
    """Or will be, or collected from."""
    return one.status not in FINAL and not (one.status in SERVED and one.cancel_at_period_end)


def _stop_all(stripe: Gateway, charged: Iterable[Subscribed], key: str, lease: Lease) -> None:
    """One that Stripe refuses to end keeps no other from being ended. Raises `StripeRefused` after them."""
    refused: StripeRefused | None = None
    for one in charged:
        renew(lease)
        try:
            _stop(stripe, one, f"{key} {one.stripe_id}")
        except StripeRefused as error:
            log.warning("stripe_subscription_not_ended", subscription=one.stripe_id)
            refused = error
    if refused:
        raise refused


def _stop(stripe: Gateway, one: Subscribed, key: str) -> None:
    """The key is new in each of our tries, as Stripe repeats a failure, and the same after a crash in the middle."""
    served = one.status in SERVED
    if served and one.schedule:  # Stripe refuses to end one later that a schedule changes
        stripe.release(one.schedule, f"{key} released")
    stripe.stop_charging(one.stripe_id, key, at_once=not served)


def _postpone(row: Subscription) -> None:
    """With growing pauses, until it is done."""
    pause = min(FIRST_PAUSE * 2 ** min(row.failures, 10), LONGEST_PAUSE)
    mine = Subscription.objects.filter(pk=row.pk, due_at=row.due_at)
    mine.update(due_at=now() + pause, failures=F("failures") + 1)
