"""What else is done about an event of Stripe's, once the subscription is as Stripe has it.

Each runs in the transaction that marks the event done, behind the workspace's lock, once for every event; but an event
may be a duplicate of another in content, or be replayed by an operator, so what must be once has a unique row.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from accounts.actors import system
from ajansops.kit.events import State, created, publish
from billing.models import NoticeKind, Purchase, Subscription
from billing.notices import notify
from billing.prices import ONCE, PRICES
from billing.referrals import attribute
from billing.stripe_objects import AMOUNT, JSON, MARK

log = structlog.get_logger(__name__)

OFFER_AFTER = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Told:
    """An event. `data` is its object, as it was then; `before` the subscription as it was before it was read anew."""

    event_id: str
    type: str
    data: JSON
    created_at: datetime
    subscription: Subscription
    before: State

    @property
    def workspace_id(self) -> int:
        """Whose it is."""
        return self.subscription.workspace_id


def fulfil(subscription: Subscription, session: JSON) -> bool:
    """Write down what was paid once. The same for the event and for the return page, whichever comes first.

    False: it is not paid, or it is no order of ours, such as a page that somebody made at Stripe for this customer.
    """
    if session.get("mode") != "payment" or session.get("payment_status") != "paid":
        return False
    product = _ordered(session)
    if product is None:
        log.warning("stripe_payment_not_ordered", session=session["id"], workspace=subscription.workspace_id)
        return False
    told = {"product": product, "currency": session["currency"], "amount": session["amount_total"]}
    row, new = Purchase.objects.get_or_create(
        session_id=session["id"], defaults={"workspace_id": subscription.workspace_id, **told}
    )
    if new:
        publish(system(row.workspace_id), "purchase.created", row, created(row))
    return True


def _ordered(session: JSON) -> str | None:
    """The product, if what was paid is what we asked for: only we write the metadata, when the page is made."""
    metadata = session.get("metadata") or {}
    product, _, currency = str(metadata.get(MARK) or "").rpartition("_")
    paid = session.get("currency"), str(session.get("amount_total"))
    return product if product in ONCE and paid == (currency, metadata.get(AMOUNT)) else None


def _fulfil(told: Told) -> None:
    fulfil(told.subscription, told.data)


def _attribute(told: Told) -> None:
    """Who brought them, as the checkout's link said."""
    code = str((told.data.get("metadata") or {}).get("referrer_code") or "")
    created = told.data.get("created")
    began = datetime.fromtimestamp(created, UTC) if created else told.created_at
    if code:
        attribute(told.workspace_id, code, began=began)


def _tell_failed(told: Told) -> None:
    """Each try of Stripe's that fails is an event, and a mail."""
    facts = {
        "amount": told.data.get("amount_remaining") or told.data.get("amount_due") or 0,
        "currency": told.data.get("currency") or told.subscription.currency,
        "pay_url": told.data.get("hosted_invoice_url") or "",
    }
    notify(NoticeKind.PAYMENT_FAILED, told.workspace_id, told.event_id, facts=facts)


def _tell_ended(told: Told) -> None:
    notify(NoticeKind.WIN_BACK, told.workspace_id, str(told.data["id"]))


def _offer_year(told: Told) -> None:
    """To who has paid by the month for a while, once a year: the event comes before each month's invoice."""
    paid = told.subscription
    old_enough = paid.started_at is not None and paid.started_at < told.created_at - OFFER_AFTER
    if paid.interval == "month" and old_enough and (paid.plan, paid.currency, "year") in PRICES:
        facts = {"plan": paid.plan, "currency": paid.currency}
        notify(NoticeKind.ANNUAL_OFFER, told.workspace_id, f"{paid.stripe_id}:{told.created_at.year}", facts=facts)


Reaction = Callable[[Told], None]
REACTIONS: Mapping[str, tuple[Reaction, ...]] = {
    "checkout.session.completed": (_fulfil, _attribute),
    "checkout.session.async_payment_succeeded": (_fulfil,),
    "customer.subscription.deleted": (_tell_ended,),
    "invoice.payment_failed": (_tell_failed,),
    "invoice.upcoming": (_offer_year,),
}
