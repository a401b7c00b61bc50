"""Reads of jobs, and the claim conditions in one place."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db.models import Exists, OuterRef, Q

from ajansops.kit.tenancy import WorkspaceQuerySet


class JobQuerySet(WorkspaceQuerySet):
    """Jobs."""

    def unfinished(self) -> Self:
        """Queued, processing or paused."""
        return self.filter(status__in=["queued", "processing", "paused"])

    def claimable(self, moment: datetime) -> Self:
        """With a due item; the one served longest ago first, so a large job never starves a small one."""
        due = Q(items__state="pending", items__not_before__lte=moment)
        runnable = self.filter(status__in=["queued", "processing"], runnable_at__lte=moment)
        return runnable.filter(Exists(self.filter(due, pk=OuterRef("pk")))).order_by("claimed_at", "created_at")


class JobItemQuerySet(WorkspaceQuerySet):
    """Items."""

    def due(self, moment: datetime) -> Self:
        """Pending, and not waiting for another try."""
        return self.filter(state="pending", not_before__lte=moment).order_by("not_before", "id")

    def expired(self, moment: datetime) -> Self:
        """Leased to a worker that did not renew."""
        return self.filter(state="running", lease_until__lt=moment)
