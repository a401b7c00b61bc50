"""The door to Stripe. Behind it is `billing.stripe_sdk`, imported when first needed: it costs 0.3 s and 27 MiB."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from ajansops.kit.errors import DomainError, Kind, UpstreamError
from billing.prices import Price
from billing.stripe_objects import JSON, Account


class StripeNotConfigured(DomainError):
    """Payments are not set up here: STRIPE_SECRET_KEY is not set."""

    code = "stripe_not_configured"
    kind = Kind.NOT_CONFIGURED


class PriceNotSynced(StripeNotConfigured):
    """Stripe does not have this price as it is declared here. An operator has to run sync_stripe."""


class StripeRefused(UpstreamError):
    """An outside service did not answer as it should."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """What one payment page is for. `key` makes it once: the same key gives the same page."""

    price_id: str
    price: Price
    customer: str
    workspace_id: int
    referrer: str
    success_url: str
    cancel_url: str
    key: str


@dataclass(frozen=True, slots=True)
class Session:
    """A page at Stripe."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class Change:
    """What `sync_stripe` did to one product or price."""

    what: str  # product or price
    name: str
    did: str  # created, updated, replaced, archived


class Gateway(Protocol):
    """Raises `UpstreamError` and `UpstreamTimeout`; `StripeRefused` where asking again would not help."""

    def price_id(self, price: Price) -> str:
        """Raises `PriceNotSynced` unless Stripe has it with this amount."""
        ...

    def create_customer(self, workspace_id: int, email: str, key: str) -> str:
        """Its id; the same key makes one."""
        ...

    def checkout(self, order: Checkout) -> Session:
        """A payment page. The customer's other open ones for a subscription are closed: both could be paid."""
        ...

    def email_of(self, customer: str) -> str:
        """Where its mail goes now; empty when it has no address or is deleted."""
        ...

    def portal(self, customer: str, return_url: str) -> str:
        """The address of the customer's own page."""
        ...

    def account(self, customer: str) -> Account:
        """All that Stripe knows of a customer at this moment."""
        ...

    def stop_charging(self, subscription_id: str, key: str, *, at_once: bool) -> None:
        """End it now, or with the period that is paid for. Of a key that was used, nothing is done again."""
        ...

    def release(self, schedule: str, key: str) -> None:
        """Change the subscription no more by this schedule: it goes on as it is now."""
        ...

    def session(self, session_id: str) -> JSON:
        """A checkout as it is now."""
        ...

    def events(self, since: datetime, types: Sequence[str]) -> Iterator[JSON]:
        """What has happened since, newest first."""
        ...

    def credit(self, customer: str, amount: int, currency: str, name: str) -> None:
        """Take so much off the customer's next invoices, once for each `name`, however long ago the first time was."""
        ...

    def sync(self, names: dict[str, str], prices: Sequence[Price]) -> list[Change]:
        """Make products and prices as declared. Says what had to be done."""
        ...


def gateway() -> Gateway:
    """As the environment says. Raises `StripeNotConfigured`."""
    env = settings.ENV
    if not env.stripe_secret_key:
        raise StripeNotConfigured
    made: Gateway = import_string("billing.stripe_sdk.Stripe")(env.stripe_secret_key, env.stripe_api_base)
    return made
