"""What is sent to pay, and which error code each wrong field has."""

import json
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from ajansops.api.serializers import Body, Moment, Row
from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError, Kind
from ajansops.kit.plans import TIERS
from billing.features import FEATURE_CHOICES, METER_CHOICES
from billing.models import Subscription, UsageNotice
from billing.prices import CURRENCIES, INTERVALS, MONTHLY, ONCE

REFERRER = r"\A[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*\Z"
MOST_UNITS = 10**9  # of one call
MOST_METADATA = 4096  # characters
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


class SubscriptionSerializer(Row):
    """What the workspace is on. `plan` is the one in force: free when nothing is paid for any more."""

    plan = serializers.SerializerMethodField()
    status = serializers.SerializerMethodField()
    current_period_start = Moment(source="period_start", allow_null=True)
    current_period_end = Moment(source="period_end", allow_null=True)
    grace_until = Moment(allow_null=True)

    class Meta:
        model = Subscription
        fields = (
            "plan",
            "status",
            "customer",
            "interval",
            "currency",
            "current_period_start",
            "current_period_end",
            "cancel_at_period_end",
            "canceled_at",
            "ended_at",
            "trial_end",
            "grace_until",
            "updated_at",
        )

    def get_plan(self, row: Subscription) -> str:
        """As it is sold."""
        return row.plan_at(now()).code

    def get_status(self, row: Subscription) -> str:
        """In capitals, as documented."""
        return row.status.upper()


class CheckQuery(serializers.Serializer[Any]):
    """What `check` is asked."""

    feature = serializers.ChoiceField(FEATURE_CHOICES)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS, default=1)


class CheckSerializer(serializers.Serializer[Any]):
    """The numbers are missing for what a plan has or has not; the rest is there when it is not allowed."""

    allowed = serializers.BooleanField()
    feature = serializers.ChoiceField(FEATURE_CHOICES)
    current_usage = serializers.IntegerField(required=False)
    limit = serializers.IntegerField(required=False, allow_null=True)
    available = serializers.IntegerField(required=False, allow_null=True)
    reason = serializers.ChoiceField(["LIMIT_EXCEEDED", "NOT_IN_PLAN"], required=False)
    message = serializers.CharField(required=False)
    upgrade_url = serializers.URLField(required=False)


class UsageBody(Body):
    """Units of a meter; gauges count what is there."""

    feature = serializers.ChoiceField(METER_CHOICES)
    quantity = serializers.IntegerField(min_value=1, max_value=MOST_UNITS, default=1)
    metadata = serializers.DictField(default=dict)

    def validate_metadata(self, value: dict[str, Any]) -> dict[str, Any]:
        """A note, not a store."""
        if len(json.dumps(value)) > MOST_METADATA:
            raise ValidationError(gettext("Is too long."))
        return value


class RecordedSerializer(serializers.Serializer[Any]):
    """What was recorded, and how the meter stands."""

    recorded = serializers.BooleanField()
    feature = serializers.ChoiceField(METER_CHOICES)
    current_usage = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)


class EntitlementSerializer(serializers.Serializer[Any]):
    """Without a limit `limit` and `available` are null. `reset_at` is there for meters, `unit` for storage."""

    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True)
    available = serializers.IntegerField(allow_null=True)
    percentage = serializers.FloatField()
    reset_at = Moment(required=False)
    unit = serializers.CharField(required=False)


class SummarySerializer(serializers.Serializer[Any]):
    """Every gauge, every meter, and storage."""

    workspace_id = serializers.IntegerField()
    tier = serializers.ChoiceField(list(TIERS))
    entitlements = serializers.DictField(child=EntitlementSerializer())


class UsageNoticeSerializer(Row):
    """So much of a limit was used when it was noticed."""

    reset_at = Moment(source="period.end")

    class Meta:
        model = UsageNotice
        fields = ("feature", "percent", "used", "limit", "reset_at")
