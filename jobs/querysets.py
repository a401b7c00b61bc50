"""Reads of jobs, and the claim conditions in one place."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Self

from django.db.models import Q
from django.db.models.functions import Now

from ajansops.kit.tenancy import WorkspaceQuerySet

PREPARING = timedelta(minutes=10)
SUSPECT = 3  # losses


class JobQuerySet(WorkspaceQuerySet):
    """Jobs."""

    def unfinished(self) -> Self:
        """Queued, processing or paused."""
        return self.filter(status__in=["queued", "processing", "paused"])

    def abandoned(self, moment: datetime) -> Self:
        """Whose start was interrupted: the process that was adding their items is gone."""
        return self.filter(status="queued", ready=False, created_at__lt=moment - PREPARING)

    def unsettled(self) -> Self:
        """Over, though their units are still reserved; with something in flight that is as it should be."""
        ended = self.exclude(reservation="").filter(status__in=["completed", "failed", "cancelled"])
        return ended.exclude(items__state="running")

    def active(self) -> Self:
        """Whose items may be worked on; none of a workspace that was deleted."""
        return self.filter(status__in=["queued", "processing"], ready=True, workspace__deleted_at=None)

    def active_of(self, workspace_id: int, kinds: Collection[str], moment: datetime) -> Self:
        """A workspace's of these kinds that are queued or processing; who waits for a window is neither."""
        awake = Q(resumes_at=None) | Q(resumes_at__lte=moment)
        return self.filter(awake, workspace_id=workspace_id, kind__in=kinds, status__in=["queued", "processing"])


class JobItemQuerySet(WorkspaceQuerySet):
    """Items."""

    def due(self, moment: datetime) -> Self:
        """Pending, and not waiting for another try."""
        return self.filter(state="pending", not_before__lte=moment).order_by("not_before", "id")

    def suspect(self) -> Self:
        """Lost so often that they may be what kills the workers."""
        return self.filter(losses__gte=SUSPECT)

    def unsuspected(self) -> Self:
        """All others."""
        return self.filter(losses__lt=SUSPECT)

    def expired(self) -> Self:
        """Leased to a worker that did not renew, by the database's clock: the workers' own may differ."""
        return self.filter(state="running", lease_until__lt=Now())
