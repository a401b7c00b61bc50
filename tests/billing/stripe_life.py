"""What happens at Stripe: customers pay, do not pay, change and leave. Each thing changes the server's rows, which are
the truth, and makes the events that Stripe would send, each with its object as it was then.
"""

import copy
import hashlib
import hmac
import json
from calendar import monthrange
from datetime import UTC, datetime

from ajansops.kit.clock import now
from tests.billing.stripe_server import Form, StripeServer

SECRET = "whsec_test"
DAY = 86_400


def signed(body: bytes, *, secret: str = SECRET, moment: float | None = None) -> str:
    """The header of Stripe's signature."""
    stamp = int(now().timestamp() if moment is None else moment)
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={stamp},v1={digest},v0=other"


def later(stamp: int, months: int) -> int:
    """So many months, as Stripe counts them."""
    start = datetime.fromtimestamp(stamp, UTC)
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    day = min(start.day, monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


class Life:
    """Of customers at one server. `at` is its clock, in seconds."""

    def __init__(self, stripe: StripeServer, at: int | None = None):
        self.stripe = stripe
        self.at = int(now().timestamp()) if at is None else at

    def tell(self, type: str, data: Form, **extra) -> Form:
        """An event, listed and returned."""
        pk = self.stripe.new_id("evt")
        event = {
            "id": pk,
            "object": "event",
            "type": type,
            "created": self.at,
            "livemode": False,
            "api_version": "2026-10-28.endive",
            "data": {"object": copy.deepcopy(data)},
            **extra,
        }
        self.stripe.events[pk] = event
        return event

    def pay(self, session: Form, *, trial_days: int = 0) -> list[Form]:
        """Somebody fills in the payment page."""
        session |= {"status": "complete", "payment_status": "paid", "object": "checkout.session"}
        price = self.stripe.prices[session["line_items"]["0"]["price"]]
        told = []
        if session["mode"] == "subscription":
            metadata = session["subscription_data"]["metadata"]
            row, told = self.subscribe(session["customer"], price, metadata=metadata, trial_days=trial_days)
            session |= {"subscription": row["id"], "payment_status": "no_payment_required" if trial_days else "paid"}
        session |= {"amount_total": price["unit_amount"], "currency": price["currency"]}
        return [*told, self.tell("checkout.session.completed", session)]

    def subscribe(self, customer: str, price: Form, *, metadata=None, trial_days: int = 0) -> tuple[Form, list[Form]]:
        trial_end = self.at + trial_days * DAY if trial_days else None
        row = {
            "id": self.stripe.new_id("sub"),
            "object": "subscription",
            "customer": customer,
            "status": "incomplete",
            "metadata": dict(metadata or {}),
            "start_date": self.at,
            "created": self.at,
            "billing_cycle_anchor": trial_end or self.at,
            "trial_end": trial_end,
            "cancel_at_period_end": False,
            "cancel_at": None,
            "canceled_at": None,
            "ended_at": None,
            "items": {"object": "list", "data": [{"id": "si_1", "object": "subscription_item"}]},
        }
        self.stripe.subscriptions[row["id"]] = row
        self._put(row, price, self.at, trial_end or self._following(price, self.at))
        told = [self.tell("customer.subscription.created", row)]
        row["status"] = "trialing" if trial_days else "active"
        told += self._bill(row, "subscription_create", paid=True)
        return row, [*told, self.tell("customer.subscription.updated", row)]

    def renew(self, row: Form, *, paid: bool = True) -> list[Form]:
        """A period ends, the next begins with an invoice. Who has given notice is let go."""
        item = row["items"]["data"][0]
        if row["cancel_at_period_end"]:
            return self.end(row)
        start = item["current_period_end"]
        self._put(row, item["price"], start, self._following(item["price"], start))
        told = self._bill(row, "subscription_cycle", paid=paid)
        row["status"] = "active" if paid else "past_due"
        return [*told, self.tell("customer.subscription.updated", row)]

    def recover(self, row: Form) -> list[Form]:
        """What was open is paid."""
        told = []
        for invoice in self._open(row):
            told += self._paid(invoice)
        row["status"] = "active"
        return [*told, self.tell("customer.subscription.updated", row)]

    def give_up(self, row: Form) -> list[Form]:
        """Stripe has tried often enough."""
        told = []
        for invoice in self._open(row):
            invoice |= {"attempt_count": 4, "next_payment_attempt": None}
            told.append(self.tell("invoice.payment_failed", invoice))
        row["status"] = "unpaid"
        return [*told, self.tell("customer.subscription.updated", row)]

    def change(self, row: Form, price: Form) -> list[Form]:
        """Another plan, from now on."""
        item = row["items"]["data"][0]
        self._put(row, price, item["current_period_start"], item["current_period_end"])
        return [self.tell("customer.subscription.updated", row)]

    def give_notice(self, row: Form) -> list[Form]:
        row |= {"cancel_at_period_end": True, "canceled_at": self.at}
        return [self.tell("customer.subscription.updated", row)]

    def end(self, row: Form) -> list[Form]:
        row |= {"status": "canceled", "ended_at": self.at, "canceled_at": row["canceled_at"] or self.at}
        return [self.tell("customer.subscription.deleted", row)]

    def _bill(self, row: Form, reason: str, *, paid: bool) -> list[Form]:
        item = row["items"]["data"][0]
        price, free = item["price"], row["status"] == "trialing"
        pk = self.stripe.new_id("in")
        invoice = {
            "id": pk,
            "object": "invoice",
            "customer": row["customer"],
            "customer_email": self.stripe.customers[row["customer"]].get("email"),
            "number": pk.upper(),
            "status": "open",
            "billing_reason": reason,
            "currency": price["currency"],
            "amount_due": 0 if free else price["unit_amount"],
            "amount_paid": 0,
            "attempt_count": 0,
            "next_payment_attempt": None,
            "created": self.at,
            "status_transitions": {"finalized_at": self.at, "paid_at": None},
            "hosted_invoice_url": f"https://invoice.stripe.com/i/{pk}",
            "parent": {"subscription_details": {"subscription": row["id"], "metadata": row["metadata"]}},
            "lines": {
                "object": "list",
                "data": [
                    {
                        "period": {"start": item["current_period_start"], "end": item["current_period_end"]},
                        "pricing": {"price_details": {"price": price["id"], "product": price["product"]}},
                    }
                ],
            },
        }
        self.stripe.invoices[pk] = invoice
        told = [self.tell("invoice.finalized", invoice)]
        if paid:
            return told + self._paid(invoice)
        invoice |= {"attempt_count": 1, "next_payment_attempt": self.at + 3 * DAY}
        return [*told, self.tell("invoice.payment_failed", invoice)]

    def _paid(self, invoice: Form) -> list[Form]:
        invoice |= {"status": "paid", "amount_paid": invoice["amount_due"], "next_payment_attempt": None}
        invoice["attempt_count"] += 1
        invoice["status_transitions"] = invoice["status_transitions"] | {"paid_at": self.at}
        return [self.tell("invoice.paid", invoice), self.tell("invoice.payment_succeeded", invoice)]

    def _open(self, row: Form) -> list[Form]:
        own = [one for one in self.stripe.invoices.values() if one["status"] == "open"]
        return [one for one in own if one["parent"]["subscription_details"]["subscription"] == row["id"]]

    def _put(self, row: Form, price: Form, start: int, end: int) -> None:
        item = row["items"]["data"][0]
        item |= {"price": copy.deepcopy(price), "current_period_start": start, "current_period_end": end}

    def _following(self, price: Form, start: int) -> int:
        return later(start, 12 if price["recurring"]["interval"] == "year" else 1)


def body_of(event: Form) -> bytes:
    """As Stripe writes it."""
    return json.dumps(event, indent=2).encode()
