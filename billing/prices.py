"""What things cost, declared once: change the amounts to your own and run `sync_stripe`.

Amounts are what Stripe's API takes: hundredths, of the forint too, which it charges in whole ones only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Interval = Literal["month", "year"]

SETUP_PACK = "setup_pack"
CURRENCIES = ("huf", "gbp", "eur")
INTERVALS: tuple[Interval, ...] = ("month", "year")
MONTHS_OF_A_YEAR = 10  # that are paid when a year is

MONTHLY = {
    "starter": {"huf": 9_900_00, "gbp": 22_00, "eur": 25_00},
    "growth": {"huf": 29_900_00, "gbp": 65_00, "eur": 75_00},
    "agency": {"huf": 79_900_00, "gbp": 175_00, "eur": 199_00},
    "done": {"huf": 199_900_00, "gbp": 435_00, "eur": 499_00},
}
ONCE = {SETUP_PACK: {"huf": 99_900_00, "gbp": 219_00, "eur": 249_00}}
# What who brings another gets off their next invoices: a month of the smallest plan.
REFERRAL_CREDIT = MONTHLY["starter"]
NAMES = {"starter": "Starter", "growth": "Growth", "agency": "Agency", "done": "Done for you", SETUP_PACK: "Setup pack"}


@dataclass(frozen=True, slots=True)
class Price:
    """Without an interval it is paid once."""

    product: str
    currency: str
    amount: int
    interval: Interval | None

    @property
    def lookup_key(self) -> str:
        """Its name at Stripe, such as `growth_huf_year`."""
        return "_".join(filter(None, (self.product, self.currency, self.interval)))


def _declared() -> Iterator[Price]:
    for plan, amounts in MONTHLY.items():
        for currency, amount in amounts.items():
            yield Price(plan, currency, amount, "month")
            yield Price(plan, currency, amount * MONTHS_OF_A_YEAR, "year")
    for product, amounts in ONCE.items():
        for currency, amount in amounts.items():
            yield Price(product, currency, amount, None)


PRICES = {(price.product, price.currency, price.interval): price for price in _declared()}


def price_of(product: str, currency: str, interval: Interval | None) -> Price:
    """The declared one; what is paid once has no interval, whatever is asked."""
    return PRICES[product, currency, None if product in ONCE else interval]
