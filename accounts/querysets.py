"""Reads of accounts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Self

from django.db.models import Q

from accounts.roles import Role
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.tenancy import WorkspaceQuerySet

USED_EVERY = timedelta(minutes=1)
GRACE = timedelta(days=30)  # of a deleted workspace


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

    def lock(self, workspace_id: int) -> None:
        """Until the transaction ends, and before any row of it: a service that locks rows first could wait for another
        one that waits for it, as every line of the log takes this lock too.
        """
        self.select_for_update(no_key=True).filter(pk=workspace_id).values_list("pk", flat=True).first()

    def past_grace(self) -> Self:
        """Deleted so long ago that they go for good."""
        return self.filter(deleted_at__lt=now() - GRACE)


class MembershipQuerySet(WorkspaceQuerySet):
    """Who is in."""

    def in_force(self) -> Self:
        """Of people who may sign in, in workspaces that are not deleted."""
        return self.filter(user__is_active=True, workspace__deleted_at=None)

    def owners(self) -> Self:
        """Who can act as one."""
        return self.filter(role=Role.OWNER, user__is_active=True)


class InvitationQuerySet(WorkspaceQuerySet):
    """Invitations."""

    def unanswered(self) -> Self:
        """Neither accepted nor revoked; perhaps too old."""
        return self.filter(accepted_at=None, revoked_at=None, workspace__deleted_at=None)

    def open(self) -> Self:
        """That can be accepted."""
        return self.unanswered().filter(expires_at__gt=now())

    def unsent(self) -> Self:
        """Whose mail did not go out."""
        return self.open().filter(sent_at=None)


class ActivityQuerySet(WorkspaceQuerySet):
    """The log."""

    def update(self, **kwargs: Any) -> int:
        """Never."""
        raise TypeError("The activity log is append-only.")

    def delete(self) -> tuple[int, dict[str, int]]:
        """Never. A workspace that goes for good takes its log along, through the foreign key."""
        raise TypeError("The activity log is append-only.")


class ApiKeyQuerySet(WorkspaceQuerySet):
    """Keys."""

    def listed(self) -> Self:
        """Those that are, or were until they expired; neither revoked nor replaced."""
        in_grace = Q(grace_ends_at=None) | Q(grace_ends_at__gt=now())
        return self.filter(in_grace, revoked_at=None, workspace__deleted_at=None)

    def alive(self) -> Self:
        """That open something."""
        return self.listed().filter(Q(expires_at=None) | Q(expires_at__gt=now()))

    def mark_used(self, key_id: int) -> None:
        """At most one write a minute and key, decided by the row itself."""
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now() - USED_EVERY)
        self.filter(stale, pk=key_id).update(last_used_at=now())
