"""Reads of outgoing webhooks, and the conditions of a claim in one place."""

from __future__ import annotations

from datetime import datetime
from typing import Self
from uuid import UUID

from django.apps import apps
from django.db.models import Exists, OuterRef, Q

from ajansops.kit.tenancy import WorkspaceQuerySet


class EndpointQuerySet(WorkspaceQuerySet):
    """Endpoints."""

    def unnoticed(self) -> Self:
        """Disabled by us, which nobody has been told yet."""
        return self.filter(noticed_at=None, workspace__deleted_at=None).exclude(disabled_reason="")


class OutboxQuerySet(WorkspaceQuerySet):
    """Outboxes."""

    def claimable(self, moment: datetime) -> Self:
        """With something due, and no worker; the one served longest ago first."""
        due = apps.get_model("webhooks.Delivery").objects.due(moment).filter(workspace=OuterRef("pk"))
        free = Q(lease=None) | Q(lease_until__lt=moment)
        return self.filter(free, Exists(due), workspace__deleted_at=None).order_by("served_at")

    def held(self, lease: UUID) -> Self:
        """By this worker. Also for longer than the lease, as long as nobody else took it."""
        return self.filter(lease=lease)


class DeliveryQuerySet(WorkspaceQuerySet):
    """Deliveries."""

    def due(self, moment: datetime) -> Self:
        """To be sent now."""
        return self.filter(next_attempt_at__lte=moment)
