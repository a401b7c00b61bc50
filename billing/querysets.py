"""Reads of subscriptions and of Stripe's events, and the conditions of their claims in one place."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import Q

from ajansops.kit.tenancy import WorkspaceQuerySet
from billing.statuses import FINAL, Status


class SubscriptionQuerySet(WorkspaceQuerySet):
    """Subscriptions."""

    def free_at(self, moment: datetime) -> Self:
        """About which nobody is asking Stripe."""
        return self.filter(Q(lease=None) | Q(lease_until__lte=moment))

    def busy_at(self, moment: datetime) -> Self:
        """About which somebody is."""
        return self.filter(lease__isnull=False, lease_until__gt=moment)

    def due(self, moment: datetime) -> Self:
        """About which Stripe is to be asked now, the longest waiting first."""
        return self.free_at(moment).filter(due_at__lte=moment).exclude(customer="").order_by("due_at", "id")

    def paying(self) -> Self:
        """That have a customer at Stripe and are not over."""
        return self.exclude(customer="").exclude(status__in=FINAL)

    def subscribed(self) -> Self:
        """That have a subscription at Stripe which is charged, or will be: not one whose first payment never came."""
        return self.paying().exclude(stripe_id="").exclude(status=Status.INCOMPLETE)


class StripeEventQuerySet(models.QuerySet):
    """Stripe's events."""

    def due(self, moment: datetime) -> Self:
        """To be handled now, oldest first."""
        return self.filter(state="pending", not_before__lte=moment).order_by("not_before", "id")


class NoticeQuerySet(WorkspaceQuerySet):
    """Mails about payments."""

    def due(self, moment: datetime) -> Self:
        """To be sent now, the longest waiting first."""
        return self.filter(next_at__lte=moment).order_by("next_at", "id")


class BoostQuerySet(WorkspaceQuerySet):
    """Boosts."""

    def in_force(self, moment: datetime) -> Self:
        """That add to a limit now."""
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=moment), starts_at__lte=moment)


class ReservationQuerySet(WorkspaceQuerySet):
    """Reservations."""

    def overdue(self, moment: datetime) -> Self:
        """Whose work should have ended by now."""
        return self.filter(expires_at__lte=moment).order_by("id")
