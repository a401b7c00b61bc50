"""What the outside is told about a subscription."""

from dataclasses import dataclass
from typing import ClassVar

from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import JSON, PublicEvent


@dataclass(frozen=True, slots=True)
class SubscriptionEvent(PublicEvent):
    """Something happened to the subscription."""

    serializer: ClassVar[str] = "billing.api.serializers.SubscriptionSerializer"
    path: ClassVar[str] = "subscription"
    right: ClassVar[Permission] = Permission.VIEW_SUBSCRIPTION
    example: ClassVar[JSON] = {
        "plan": "growth",
        "status": "ACTIVE",
        "customer": "cus_Na6dX7aXxi11N4",
        "interval": "month",
        "currency": "eur",
        "current_period_start": "2026-01-15T10:30:00Z",
        "current_period_end": "2026-02-15T10:30:00Z",
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "trial_end": None,
        "grace_until": None,
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class SubscriptionUpdated(SubscriptionEvent):
    """The workspace is on another plan, its payment is late or made, its period is another, or somebody else pays."""

    type: ClassVar[str] = "subscription.updated"


@dataclass(frozen=True, slots=True)
class UsageThreshold(PublicEvent):
    """So many percent of a limit are used: told at 80 and at 100, once a period."""

    type: ClassVar[str] = "usage.threshold"
    serializer: ClassVar[str] = "billing.api.serializers.UsageNoticeSerializer"
    path: ClassVar[str] = "entitlements/summary"
    right: ClassVar[Permission] = Permission.VIEW_USAGE
    example: ClassVar[JSON] = {
        "feature": "posts",
        "percent": 80,
        "used": 80,
        "limit": 100,
        "reset_at": "2026-02-01T00:00:00Z",
    }


EVENTS = (SubscriptionUpdated, UsageThreshold)
