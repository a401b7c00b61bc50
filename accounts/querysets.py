"""Reads of accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Self

from django.db.models import Q

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.tenancy import WorkspaceQuerySet

USED_EVERY = timedelta(minutes=1)


class WorkspacesQuerySet(WorkspaceQuerySet):
    """A workspace is its own tenant."""

    def alive(self) -> Self:
        """Not deleted."""
        return self.filter(deleted_at=None)

    def visible_to(self, actor: Actor) -> Self:
        """A key sees its own; a person sees those they are a member of."""
        if actor.user_id is None or actor.key_id is not None:
            return self.alive().filter(pk=actor.workspace_id)
        return self.alive().filter(memberships__user_id=actor.user_id)


class ApiKeyQuerySet(WorkspaceQuerySet):
    """Keys."""

    def alive(self) -> Self:
        """Neither revoked nor expired, in a workspace that is not deleted."""
        unexpired = Q(expires_at=None) | Q(expires_at__gt=now())
        return self.filter(unexpired, revoked_at=None, workspace__deleted_at=None)

    def mark_used(self, key_id: int) -> None:
        """At most one write a minute and key, decided by the row itself."""
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now() - USED_EVERY)
        self.filter(stale, pk=key_id).update(last_used_at=now())
