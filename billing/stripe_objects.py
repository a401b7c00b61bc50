"""What Stripe says of subscriptions, invoices and checkouts, read from its JSON. Pure.

Our own reads come in the SDK's version of the API, events in the version of the account: what has moved between
versions is looked for at both places.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from billing.plans import PLANS

JSON = Mapping[str, Any]
MARK = "ajansops_price"  # in the metadata of our prices: the lookup key, which a replaced one no longer has
AMOUNT = "ajansops_amount"  # in the metadata of a checkout that is paid once, beside the mark: what was asked for
PRODUCT = "ajansops_"
RANK = {"active": 3, "trialing": 3, "past_due": 2, "unpaid": 1, "paused": 1, "incomplete": 1}


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A subscription to one of our plans."""

    stripe_id: str
    customer: str
    status: str
    plan: str
    price_id: str
    amount: int | None
    currency: str
    interval: str
    started_at: datetime | None
    anchor: datetime | None
    period_start: datetime | None
    period_end: datetime | None
    trial_end: datetime | None
    cancel_at_period_end: bool
    canceled_at: datetime | None
    ended_at: datetime | None
    schedule: str  # the id of what changes it later, such as to another plan; empty: nothing does


@dataclass(frozen=True, slots=True)
class Billed:
    """An invoice that was sent."""

    stripe_id: str
    customer: str
    subscription_id: str
    number: str
    status: str
    reason: str
    plan: str
    interval: str
    currency: str
    amount_due: int
    amount_paid: int
    attempts: int
    period_start: datetime | None
    period_end: datetime | None
    issued_at: datetime
    paid_at: datetime | None
    next_attempt_at: datetime | None
    url: str


@dataclass(frozen=True, slots=True)
class Account:
    """All that Stripe knows of a customer."""

    subscriptions: tuple[Subscribed, ...]
    invoices: tuple[Billed, ...]


def read_subscription(row: JSON) -> Subscribed | None:
    """None for one that is not to a plan of ours. Raises `LookupError` for what is no subscription."""
    items = [item for item in row["items"]["data"] if _plan_of(item.get("price") or {})]
    if not items:
        return None
    item = items[0]
    price = item["price"]
    return Subscribed(
        stripe_id=row["id"],
        customer=reference(row["customer"]),
        status=row["status"],
        plan=_plan_of(price),
        price_id=price["id"],
        amount=price.get("unit_amount"),
        currency=price.get("currency") or "",
        interval=(price.get("recurring") or {}).get("interval") or "",
        started_at=_moment(row.get("start_date") or row.get("created")),
        anchor=_moment(row.get("billing_cycle_anchor")),
        period_start=_moment(item.get("current_period_start") or row.get("current_period_start")),
        period_end=_moment(item.get("current_period_end") or row.get("current_period_end")),
        trial_end=_moment(row.get("trial_end")),
        cancel_at_period_end=bool(row.get("cancel_at_period_end") or row.get("cancel_at")),
        canceled_at=_moment(row.get("canceled_at")),
        ended_at=_moment(row.get("ended_at")),
        schedule=reference(row.get("schedule")),
    )


def read_invoice(row: JSON, intervals: Mapping[str, str] | None = None) -> Billed | None:
    """None for a draft, and for what is only a preview. Raises `LookupError` for what is no invoice.

    `intervals` are those of known prices by id, as a line of today's versions names its price and tells no more of it.
    """
    if not row.get("id") or row["status"] in {None, "draft"}:
        return None
    times, line = row.get("status_transitions") or {}, _line(row)
    period = line.get("period") or {}
    price = line.get("price") or {}
    interval = (price.get("recurring") or {}).get("interval") or (intervals or {}).get(price_of_invoice(row)) or ""
    return Billed(
        stripe_id=row["id"],
        customer=reference(row["customer"]),
        subscription_id=subscription_of(row),
        number=row.get("number") or "",
        status=row["status"],
        reason=row.get("billing_reason") or "",
        plan=_plan_of(price) or _plan_of((line.get("pricing") or {}).get("price_details") or {}),
        interval=interval,
        currency=row["currency"],
        amount_due=row.get("amount_due") or 0,
        amount_paid=row.get("amount_paid") or 0,
        attempts=row.get("attempt_count") or 0,
        period_start=_moment(period.get("start") or row.get("period_start")),
        period_end=_moment(period.get("end") or row.get("period_end")),
        issued_at=datetime.fromtimestamp(times.get("finalized_at") or row["created"], UTC),
        paid_at=_moment(times.get("paid_at")),
        next_attempt_at=_moment(row.get("next_payment_attempt")),
        url=row.get("hosted_invoice_url") or "",
    )


def price_of_invoice(row: JSON) -> str:
    """The id of the price that is paid for now; empty: of none, such as an amount that somebody typed."""
    line = _line(row)
    details = (line.get("pricing") or {}).get("price_details") or {}
    return reference(line.get("price") or details.get("price"))


def best(subscriptions: Iterable[Subscribed]) -> Subscribed | None:
    """The one that counts, where a customer has several: what is served before what is not, the most, the newest."""

    def weight(one: Subscribed) -> tuple[int, int, str, str]:
        started = one.started_at.isoformat() if one.started_at else ""
        return RANK.get(one.status, 0), list(PLANS).index(one.plan) if one.status in RANK else 0, started, one.stripe_id

    return max(subscriptions, key=weight, default=None)


def reference(value: Any) -> str:
    """An id, also of what is there in full."""
    return str(value["id"] if isinstance(value, Mapping) else value or "")


def subscription_of(invoice: JSON) -> str:
    """The id of an invoice's subscription; empty: of none."""
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    return reference(details.get("subscription") or invoice.get("subscription"))


def _plan_of(price: JSON) -> str:
    """A price is known by its mark or its lookup key, and else by its product; empty: it is not of a plan."""
    key = (price.get("metadata") or {}).get(MARK) or price.get("lookup_key") or ""
    product = reference(price.get("product")).removeprefix(PRODUCT)
    return next((plan for plan in (key.partition("_")[0], product) if plan in PLANS), "")


def _line(invoice: JSON) -> JSON:
    """What is paid for now: its period ends last. The others give back what was paid for before."""
    lines: list[JSON] = (invoice.get("lines") or {}).get("data") or []
    return max(lines, key=lambda line: (line.get("period") or {}).get("end") or 0, default={})


def _moment(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
