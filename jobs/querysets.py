"""Reads of jobs, and the claim conditions in one place."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Self

from ajansops.kit.tenancy import WorkspaceQuerySet

PREPARING = timedelta(minutes=10)


class JobQuerySet(WorkspaceQuerySet):
    """Jobs."""

    def unfinished(self) -> Self:
        """Queued, processing or paused."""
        return self.filter(status__in=["queued", "processing", "paused"])

    def abandoned(self, moment: datetime) -> Self:
        """Whose start was interrupted: the process that was adding their items is gone."""
        return self.filter(status="queued", ready=False, created_at__lt=moment - PREPARING)

    def active(self) -> Self:
        """Whose items may be worked on."""
        return self.filter(status__in=["queued", "processing"], ready=True)


class JobItemQuerySet(WorkspaceQuerySet):
    """Items."""

    def due(self, moment: datetime) -> Self:
        """Pending, and not waiting for another try."""
        return self.filter(state="pending", not_before__lte=moment).order_by("not_before", "id")

    def expired(self, moment: datetime) -> Self:
        """Leased to a worker that did not renew."""
        return self.filter(state="running", lease_until__lt=moment)
