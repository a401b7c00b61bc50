"""What is sent to pay, and which error code each wrong field has."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ajansops.api.serializers import Body
from ajansops.kit.errors import DomainError, Kind
from billing.prices import CURRENCIES, INTERVALS, MONTHLY, ONCE

REFERRER = r"\A[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\Z"
ABSENT = frozenset({"required", "null"})


class InvalidPlan(DomainError):
    """Choose a plan: starter, growth, agency, done or setup_pack."""

    code = "invalid_plan"
    kind = Kind.MALFORMED


class InvalidCurrency(DomainError):
    """Choose a currency: huf, gbp or eur."""

    code = "invalid_currency"
    kind = Kind.MALFORMED


class InvalidInterval(DomainError):
    """Choose an interval: month or year."""

    code = "invalid_interval"
    kind = Kind.MALFORMED


class InvalidEmail(DomainError):
    """Enter a valid e-mail address."""

    code = "invalid_email"
    kind = Kind.MALFORMED


class InvalidReferrer(DomainError):
    """A referral code has up to 64 letters, digits and hyphens."""

    code = "invalid_referrer"
    kind = Kind.MALFORMED


# In the order in which they are told: one at a time.
WRONG: Mapping[str, type[DomainError]] = {
    "plan": InvalidPlan,
    "currency": InvalidCurrency,
    "interval": InvalidInterval,
    "email": InvalidEmail,
    "referrer": InvalidReferrer,
}


class CheckoutBody(Body):
    """The documented body. What is missing is told before what is wrong."""

    plan = serializers.ChoiceField([*MONTHLY, *ONCE])
    currency = serializers.ChoiceField(CURRENCIES)
    interval = serializers.ChoiceField(INTERVALS, required=False)
    email = serializers.EmailField(max_length=254)
    referrer = serializers.RegexField(REFERRER, max_length=64, required=False, allow_null=True, allow_blank=True)

    def to_internal_value(self, data: Any) -> Any:
        """Raises the first wrong field's own error."""
        once = isinstance(data, dict) and data.get("plan") in tuple(ONCE)
        if once:
            data = {name: value for name, value in data.items() if name != "interval"}
        try:
            fields = super().to_internal_value(data)
        except ValidationError as error:
            raise _first_wrong(error) from error
        if not once and "interval" not in fields:
            raise ValidationError({"interval": [gettext("This field is required.")]})
        return fields


class PortalBody(Body):
    """The documented body."""

    customerId = serializers.CharField(max_length=255)  # noqa: N815


class PortalSerializer(serializers.Serializer[Any]):
    """Where to send the browser."""

    url = serializers.URLField()


class CheckoutSerializer(PortalSerializer):
    """And what the payment is called."""

    id = serializers.CharField()


def _first_wrong(error: ValidationError) -> Exception:
    """Itself, when something is missing or unknown."""
    detail: Any = error.detail
    if not detail.keys() <= WRONG.keys() or any(text.code in ABSENT for texts in detail.values() for text in texts):
        return error
    name = next(name for name in WRONG if name in detail)
    return WRONG[name](errors={name: [str(text) for text in detail[name]]})
