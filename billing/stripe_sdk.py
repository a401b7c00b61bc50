"""Stripe through its own SDK. Importing it is slow: only `payments.gateway` does, when first needed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import stripe
import structlog

from ajansops.kit.errors import UpstreamError, UpstreamTimeout
from billing.payments import Change, Checkout, PriceNotSynced, Session, StripeRefused
from billing.prices import Price
from billing.stripe_objects import (
    AMOUNT,
    JSON,
    MARK,
    PRODUCT,
    Account,
    price_of_invoice,
    read_invoice,
    read_subscription,
)

log = structlog.get_logger(__name__)

TIMEOUT = 10.0  # seconds of one attempt
RETRIES = 1
CREDIT = "ajansops_credit"  # in the metadata of what we credit: for what
AT_ONCE = 100  # rows in an answer: Stripe gives no more

_INTERVALS: dict[tuple[str, str], str] = {}  # of prices, by account: some thirty

stripe.enable_telemetry = False


class Stripe:
    """One account. Cheap to make."""

    def __init__(self, key: str, base: str = "") -> None:
        client = stripe.StripeClient(
            key,
            base_addresses={"api": base.rstrip("/")} if base else {},
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
        )
        self._api = client.v1
        self._account = f"{base} {key}"

    def price_id(self, price: Price) -> str:
        """The amount is compared: what is charged is what is declared here, not what somebody set over there."""
        with _failures():
            found = self._api.prices.list({"lookup_keys": [price.lookup_key], "active": True, "limit": 1}).data
            if not found or not _same(found[0], price):
                raise PriceNotSynced
            return found[0].id

    def create_customer(self, workspace_id: int, email: str, key: str) -> str:
        """Its id is ours to keep; the workspace's is kept over there, for whoever looks at the dashboard."""
        with _failures():
            made = self._api.customers.create(
                {"email": email, "metadata": {"workspace_id": str(workspace_id)}}, {"idempotency_key": key}
            )
            return made.id

    def checkout(self, order: Checkout) -> Session:
        """The metadata is on the subscription too: its events come without the session. Of what is paid once it says
        what was ordered: the session's own event does not.
        """
        recurring = order.price.interval is not None
        metadata = {"workspace_id": str(order.workspace_id), "referrer_code": order.referrer}
        if not recurring:
            metadata |= {MARK: order.price.lookup_key, AMOUNT: str(order.price.amount)}
        params: dict[str, Any] = {
            "mode": "subscription" if recurring else "payment",
            "line_items": [{"price": order.price_id, "quantity": 1}],
            "customer": order.customer,
            "client_reference_id": str(order.workspace_id),
            "metadata": {name: value for name, value in metadata.items() if value},
            "success_url": order.success_url,
            "cancel_url": order.cancel_url,
        }
        of_it = "subscription_data" if recurring else "payment_intent_data"
        params[of_it] = {"metadata": params["metadata"]}
        with _failures():
            made = self._create_session(params, order.key)
            return self._only_one(made, params, order.key) if recurring else made

    def _create_session(self, params: dict[str, Any], key: str) -> Session:
        made = self._api.checkout.sessions.create(params, {"idempotency_key": key})  # type: ignore[arg-type]
        if not made.url:
            raise UpstreamError
        return Session(made.id, made.url)

    def _only_one(self, made: Session, params: dict[str, Any], key: str) -> Session:
        """Others are closed after it is made, so that of two at once none stays unseen. Stripe repeats its answer to a
        known key, also of a page that was closed meanwhile: then a new one is made.
        """
        wanted: Any = {"customer": params["customer"], "status": "open", "limit": AT_ONCE}
        listed = [row.id for row in self._api.checkout.sessions.list(wanted).data if row.mode == "subscription"]
        others = [pk for pk in listed if pk != made.id]
        for pk in others:
            self._expire(pk)
        if others and made.id not in listed:
            return self._create_session(params, f"{key}-{others[0]}")
        return made

    def _expire(self, pk: str) -> None:
        """Raises when it was paid this moment: another one shall not be."""
        try:
            self._api.checkout.sessions.expire(pk)
        except stripe.InvalidRequestError:
            if self._api.checkout.sessions.retrieve(pk).status == "complete":
                raise

    def email_of(self, customer: str) -> str:
        """What they may have changed in the portal."""
        with _failures():
            return str(self._api.customers.retrieve(customer).to_dict().get("email") or "")

    def portal(self, customer: str, return_url: str) -> str:
        """Lives for minutes."""
        with _failures():
            made = self._api.billing_portal.sessions.create({"customer": customer, "return_url": return_url})
            return made.url

    def account(self, customer: str) -> Account:
        """In two calls, and one for each price that is new here. Of invoices the newest hundred: older ones change no
        more.
        """
        with _failures():
            wanted: Any = {"customer": customer, "limit": AT_ONCE}
            listed = [row.to_dict() for row in self._api.subscriptions.list(wanted | {"status": "all"}).data]
            subscriptions = tuple(filter(None, map(read_subscription, listed)))
            intervals = {one.price_id: one.interval for one in subscriptions}
            invoices = [row.to_dict() for row in self._api.invoices.list(wanted).data]
            for price in {price_of_invoice(row) for row in invoices} - intervals.keys() - {""}:
                intervals[price] = self._interval(price)
            return Account(subscriptions, tuple(filter(None, (read_invoice(row, intervals) for row in invoices))))

    def _interval(self, price: str) -> str:
        """Of one that the customer has left. It never changes, so it is asked for once; empty: it is paid once."""
        known = self._account, price
        if known not in _INTERVALS:
            try:
                recurring = self._api.prices.retrieve(price).recurring
            except stripe.InvalidRequestError:  # it is not there any more
                return ""
            _INTERVALS[known] = recurring.interval if recurring else ""
        return _INTERVALS[known]

    def stop_charging(self, subscription_id: str, key: str, *, at_once: bool) -> None:
        """One that ends at once is also charged no more for what is open: Stripe then stops its tries."""
        with _failures():
            if at_once:
                self._api.subscriptions.cancel(subscription_id, {}, {"idempotency_key": key})
            else:
                self._api.subscriptions.update(
                    subscription_id, {"cancel_at_period_end": True}, {"idempotency_key": key}
                )

    def release(self, schedule: str, key: str) -> None:
        """The subscription stays, without it."""
        with _failures():
            self._api.subscription_schedules.release(schedule, {}, {"idempotency_key": key})

    def session(self, session_id: str) -> JSON:
        """A checkout as it is now."""
        with _failures():
            return self._api.checkout.sessions.retrieve(session_id).to_dict()

    def events(self, since: datetime, types: Sequence[str]) -> Iterator[JSON]:
        """Oldest last, as Stripe lists them. It keeps them for thirty days."""
        with _failures():
            wanted: Any = {"created": {"gte": int(since.timestamp())}, "types": list(types), "limit": AT_ONCE}
            for row in self._api.events.list(wanted).auto_paging_iter():
                yield row.to_dict(for_json=True)

    def credit(self, customer: str, amount: int, currency: str, name: str) -> None:
        """Stripe forgets keys of idempotency after a day, so what is there is looked through first."""
        with _failures():
            there = self._api.customers.balance_transactions.list(customer, {"limit": AT_ONCE})
            if any(_metadata(row).get(CREDIT) == name for row in there.auto_paging_iter()):
                return
            self._api.customers.balance_transactions.create(
                customer,
                {"amount": -amount, "currency": currency, "description": "Referral", "metadata": {CREDIT: name}},
                {"idempotency_key": name},
            )

    def sync(self, names: dict[str, str], prices: Sequence[Price]) -> list[Change]:
        """No keys of idempotency: an amount that is changed and changed back is a new price each time."""
        with _failures():
            changes = [change for product, name in names.items() for change in self._sync_product(product, name)]
            for product in names:
                changes += self._sync_prices(product, [price for price in prices if price.product == product])
            return changes

    def _sync_product(self, product: str, name: str) -> list[Change]:
        try:
            known = self._api.products.retrieve(PRODUCT + product)
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            self._api.products.create({"id": PRODUCT + product, "name": name})
            return [Change("product", product, "created")]
        if known.active and known.name == name:
            return []
        self._api.products.update(known.id, {"name": name, "active": True})
        return [Change("product", product, "updated")]

    def _sync_prices(self, product: str, prices: Sequence[Price]) -> list[Change]:
        """New ones first, so that at no moment a lookup key leads nowhere."""
        listed = self._api.prices.list({"product": PRODUCT + product, "active": True, "limit": 100})
        known = list(listed.auto_paging_iter())
        by_key = {row.lookup_key: row for row in known if row.lookup_key}
        wrong = [price for price in prices if not _same(by_key.get(price.lookup_key), price)]
        for price in wrong:
            self._create_price(price)
        right = {price.lookup_key for price in prices} - {price.lookup_key for price in wrong}
        old = [row for row in known if _mark(row) and row.lookup_key not in right]
        for row in old:
            self._api.prices.update(row.id, {"active": False})
        made = [Change("price", p.lookup_key, "replaced" if p.lookup_key in by_key else "created") for p in wrong]
        return made + [Change("price", _mark(row), "archived") for row in old]

    def _create_price(self, price: Price) -> None:
        params: dict[str, Any] = {
            "product": PRODUCT + price.product,
            "currency": price.currency,
            "unit_amount": price.amount,
            "lookup_key": price.lookup_key,
            "transfer_lookup_key": True,
            "metadata": {MARK: price.lookup_key},
        }
        if price.interval:
            params["recurring"] = {"interval": price.interval}
        self._api.prices.create(params)  # type: ignore[arg-type]


def _same(row: Any, price: Price) -> bool:
    if row is None:
        return False
    recurring = row.recurring
    every = (recurring.interval, recurring.interval_count) if recurring else None
    wanted = (price.interval, 1) if price.interval else None
    return (row.unit_amount, row.currency, every) == (price.amount, price.currency, wanted)


def _mark(row: Any) -> str:
    return str(_metadata(row).get(MARK, ""))


def _metadata(row: Any) -> dict[str, Any]:
    return row.metadata.to_dict() if row.metadata else {}


@contextmanager
def _failures() -> Iterator[None]:
    """Stripe's errors in ours. What it said goes to the log and not to the caller."""
    try:
        yield
    except stripe.StripeError as error:
        log.warning("stripe_failed", kind=type(error).__name__, status=error.http_status, code=error.code)
        raise _worse(error) from error
    except (AttributeError, KeyError, TypeError) as error:  # JSON, but not what was asked for
        log.warning("stripe_failed", kind=type(error).__name__)
        raise UpstreamError from error


def _worse(error: stripe.StripeError) -> UpstreamError | UpstreamTimeout:
    if isinstance(error, stripe.InvalidRequestError):
        return StripeRefused()
    return UpstreamTimeout() if _timed_out(error) else UpstreamError()


def _timed_out(error: BaseException) -> bool:
    """The SDK keeps why only as the cause, of a library that is not ours to import."""
    kinds = type(error.__cause__).__mro__ if error.__cause__ else ()
    return any(kind.__name__ == "Timeout" for kind in kinds) or "Read timed out" in str(error)
