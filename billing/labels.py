"""Money and plans for people, in the language of the page or the mail."""

from decimal import Decimal

from django.utils.formats import number_format
from django.utils.translation import gettext

from ajansops.kit.entitlements import Feature
from billing.features import NAMES as FEATURES
from billing.prices import NAMES

WHOLE = frozenset({"huf"})  # currencies of which nobody pays hundredths


def money(amount: int, currency: str) -> str:
    """Hundredths as `29,900 HUF` or `25.00 EUR`, with the language's separators."""
    decimals = 0 if currency in WHOLE else 2
    return f"{number_format(Decimal(amount) / 100, decimals, force_grouping=True)} {currency.upper()}"


def plan_name(plan: str) -> str:
    """As it is sold."""
    return NAMES.get(plan, plan.title())


def feature_name(feature: str) -> str:
    """What a plan limits, for people."""
    return gettext(FEATURES[Feature(feature)])
