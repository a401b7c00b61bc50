"""Writes of billing. Nothing here is locked while Stripe is asked."""

import hashlib
import json
from dataclasses import dataclass
from time import time
from typing import Any

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.errors import AccessDenied, Conflict, Invalid
from ajansops.kit.events import changed, publish, snapshot
from ajansops.kit.permissions import Permission
from ajansops.kit.tenancy import lock_workspace
from billing.models import Status, Subscription
from billing.payments import Checkout, Gateway, Session, gateway
from billing.plans import PLANS
from billing.prices import Interval, price_of
from billing.referrals import refuse_own
from billing.selectors import customer_of, upgrade_url

RETURNED = "?session_id={CHECKOUT_SESSION_ID}"  # Stripe fills it in
WINDOW = 60  # seconds in which the same order is the same page. Stripe repeats its failures, too, for as long.


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to pay for. `interval` does not count for what is paid once."""

    plan: str
    currency: str
    interval: Interval | None
    email: str
    referrer: str = ""


def set_plan(workspace_id: int, plan: str) -> None:
    """Put a workspace on a plan without payment. Raises `Invalid` for an unknown plan.

    What it pays for at Stripe goes on, and takes its place when Stripe next tells something of it.
    """
    if plan not in PLANS:
        message = gettext("Unknown plan. Use one of: %(plans)s.") % {"plans": ", ".join(PLANS)}
        raise Invalid(errors={"plan": [message]})
    given = {"plan": plan, "status": Status.ACTIVE, "stripe_id": "", "past_due_since": None}
    Subscription.objects.update_or_create(workspace_id=workspace_id, defaults=given)


@transaction.atomic
def give_plan(actor: Actor, subscription: Subscription, plan: str) -> None:
    """As `set_plan`, by an operator, with a line in the log."""
    row = _locked(actor)
    before = snapshot(row)
    set_plan(subscription.workspace_id, plan)
    row.refresh_from_db()
    publish(actor, "subscription.updated", row, changed(row, before))


class AlreadySubscribed(Conflict):
    """Your workspace already has a subscription. Change it on the customer's page."""

    code = "already_subscribed"


def start_checkout(actor: Actor, order: Order) -> Session:
    """A payment page. The plan does not change by this: only what Stripe tells later changes it.

    Raises `AlreadySubscribed`: a second subscription would be paid beside the first.
    """
    stripe = _stripe_for(actor)
    refuse_own(actor.workspace_id, order.referrer)
    price = price_of(order.plan, order.currency, order.interval)
    if price.interval and Subscription.objects.filter(workspace_id=actor.workspace_id).subscribed().exists():
        raise AlreadySubscribed
    price_id = stripe.price_id(price)
    customer = customer_of(actor.workspace_id) or _new_customer(actor, order.email, stripe)
    parts = ("checkout", customer, price_id, order.email, order.referrer)
    page = Checkout(
        price_id=price_id,
        price=price,
        customer=customer,
        workspace_id=actor.workspace_id,
        referrer=order.referrer,
        success_url=settings.ENV.public_url.rstrip("/") + reverse("billing_return") + RETURNED,
        cancel_url=upgrade_url(actor.workspace_id),
        key=_key(actor, *parts),
    )
    session = stripe.checkout(page)
    _tell(actor, "subscription.checkout_started")
    return session


def open_portal(actor: Actor, customer: str) -> str:
    """The address of the page where the workspace changes its card. Another's customer is refused, known or not."""
    stripe = _stripe_for(actor)
    if not customer or customer != customer_of(actor.workspace_id):
        raise AccessDenied(gettext("This is not the customer of your workspace."))
    url = stripe.portal(customer, upgrade_url(actor.workspace_id))
    _tell(actor, "subscription.portal_opened")
    return url


def _stripe_for(actor: Actor) -> Gateway:
    """For those who may. A test key is refused: there is no pretending to pay, and made-up pages would be lies."""
    actor.require(Permission.CHANGE_SUBSCRIPTION)
    if actor.test_mode:
        raise AccessDenied(gettext("A test key does not reach Stripe. Use a live key, or sign in."))
    return gateway()


def _new_customer(actor: Actor, email: str, stripe: Gateway) -> str:
    """Kept before anything is sold to it. Of two at once the first that is kept stays; the other is never used."""
    made = stripe.create_customer(actor.workspace_id, email, _key(actor, "customer", email))
    with transaction.atomic():
        row = _locked(actor)
        if not row.customer:
            before = snapshot(row)
            row.customer = made
            row.save(update_fields=["customer", "updated_at"])
            publish(actor, "subscription.updated", row, changed(row, before))
        return row.customer


@transaction.atomic
def _tell(actor: Actor, event: str) -> None:
    publish(actor, event, _locked(actor))


def _locked(actor: Actor) -> Subscription:
    lock_workspace(actor.workspace_id)
    return Subscription.objects.get_or_create(workspace_id=actor.workspace_id)[0]


def _key(actor: Actor, *parts: Any) -> str:
    """For Stripe: of this installation, this workspace, these parameters and this minute."""
    told = [settings.ENV.public_url, actor.workspace_id, *parts, int(time()) // WINDOW]
    return f"ajansops-{hashlib.sha256(json.dumps(told).encode()).hexdigest()}"
