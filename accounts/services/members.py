"""Who is in a workspace, as what. A workspace always keeps an owner."""

from django.db import transaction
from django.utils.translation import gettext

from accounts.actors import operator
from accounts.models import ApiKey, Invitation, Membership, User, Workspace
from accounts.roles import Role, at_most
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import AccessDenied, Conflict, NotFound
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.permissions import Permission


class LastOwner(Conflict):
    """A workspace needs an owner: make somebody else one first."""

    code = "last_owner"


@transaction.atomic
def add_member(workspace: Workspace, user: User, role: Role, *, actor: Actor | None = None) -> Membership:
    """As an operator or an invitation does. Idempotent; the last role wins."""
    actor = actor or operator(workspace.pk)
    known = Membership.objects.filter(workspace=workspace, user=user).first()
    if known:
        return _set_role(actor, known, role)
    membership = Membership.objects.create(workspace=workspace, user=user, role=role)
    publish(actor, "member.created", membership, created(membership))
    return membership


@transaction.atomic
def change_role(actor: Actor, membership: Membership, *, role: str) -> Membership:
    """Nobody gives, or takes away, a role above their own. Raises `LastOwner`."""
    actor.require(Permission.CHANGE_MEMBER, on=membership)
    row = _locked(membership)
    require_rank(actor, row.role)
    require_rank(actor, role)
    if row.role == Role.OWNER and role != Role.OWNER:
        _keep_an_owner(row)
    return _set_role(actor, row, Role(role))


@transaction.atomic
def remove_member(actor: Actor, membership: Membership) -> None:
    """With their keys and open invitations here. Raises `LastOwner`."""
    actor.require(Permission.DELETE_MEMBER, on=membership)
    row = _locked(membership)
    require_rank(actor, row.role)
    _remove(actor, row)


@transaction.atomic
def leave(actor: Actor) -> None:
    """A person goes by themselves, in whatever role. Raises `LastOwner`."""
    row = Membership.objects.visible_to(actor).filter(user=actor.user_id).first()
    if row is None or actor.key_id is not None:
        raise NotFound
    _remove(actor, _locked(row))


def require_rank(actor: Actor, role: str) -> None:
    """Raise `AccessDenied` for a role above the actor's own."""
    if not at_most(role, actor.role):
        raise AccessDenied(gettext("This is above your own role in this workspace."))


def _locked(membership: Membership) -> Membership:
    """The workspace too: of two parallel requests the second one counts the owners that the first one left."""
    Workspace.objects.select_for_update(no_key=True).filter(pk=membership.workspace_id).first()
    row: Membership | None = Membership.objects.select_for_update().filter(pk=membership.pk).first()
    if row is None:
        raise NotFound
    return row


def _keep_an_owner(row: Membership) -> None:
    others = Membership.objects.filter(workspace_id=row.workspace_id).owners().exclude(pk=row.pk)
    if not others.exists():
        raise LastOwner


def _set_role(actor: Actor, row: Membership, role: Role) -> Membership:
    if row.role == role:
        return row
    before = snapshot(row)
    row.role = role
    row.save(update_fields=["role", "updated_at"])
    if not at_most(Role.ADMIN, role):
        _revoke_invitations(row)
    publish(actor, "member.updated", row, changed(row, before))
    return row


def _remove(actor: Actor, row: Membership) -> None:
    if row.role == Role.OWNER:
        _keep_an_owner(row)
    withdraw(actor, row)


def withdraw(actor: Actor, row: Membership) -> None:
    """Take somebody out, in the caller's transaction, without asking whether an owner is left."""
    _revoke_invitations(row)
    mine = ApiKey.objects.filter(workspace_id=row.workspace_id, creator_id=row.user_id, revoked_at=None)
    mine.update(revoked_at=now(), updated_at=now())
    User.objects.filter(pk=row.user_id, current_workspace=row.workspace_id).update(current_workspace=None)
    publish(actor, "member.deleted", row, deleted(row))
    row.delete()


def _revoke_invitations(row: Membership) -> None:
    """Else somebody who may invite no longer could come back through a second address."""
    open_ones = Invitation.objects.unanswered().filter(workspace_id=row.workspace_id, inviter_id=row.user_id)
    open_ones.update(revoked_at=now(), updated_at=now())
