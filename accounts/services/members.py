"""Who is in a workspace, as what. A workspace always keeps an owner."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext

from accounts.actors import operator
from accounts.models import ApiKey, Invitation, Membership, User, Workspace
from accounts.roles import Role, at_most
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, admit
from ajansops.kit.errors import AccessDenied, Conflict, NotFound
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.permissions import Permission, scope_allows


class LastOwner(Conflict):
    """A workspace needs an owner: make somebody else one first."""

    code = "last_owner"


@transaction.atomic
def add_member(workspace: Workspace, user: User, role: Role, *, actor: Actor | None = None) -> Membership:
    """As an operator or an invitation does. Idempotent; the last role wins. Raises `LastOwner`."""
    actor = actor or operator(workspace.pk)
    known = Membership.objects.filter(workspace=workspace, user=user).first()
    if known:
        return _move(actor, _locked(known), role)
    admit(actor, Feature.MEMBERS)
    return add_founder(workspace, user, role, actor=actor)


def add_founder(workspace: Workspace, user: User, role: Role, *, actor: Actor) -> Membership:
    """In the transaction that makes the workspace: no plan is too small for those who found it."""
    membership = Membership.objects.create(workspace=workspace, user=user, role=role)
    publish(actor, "member.created", membership, created(membership))
    return membership


@transaction.atomic
def change_role(actor: Actor, membership: Membership, *, role: str | None = None) -> Membership:
    """Nobody gives, or takes away, a role above their own; None changes nothing. Raises `LastOwner`."""
    actor.require(Permission.CHANGE_MEMBER, on=membership)
    row = _locked(membership)
    require_still(actor)
    role = role or row.role
    require_rank(actor, row.role)
    require_rank(actor, role)
    if role == Role.OWNER:
        _require_unbounded(actor)
    return _move(actor, row, Role(role))


@transaction.atomic
def remove_member(actor: Actor, membership: Membership) -> None:
    """With their keys and open invitations here. Raises `LastOwner`."""
    actor.require(Permission.DELETE_MEMBER, on=membership)
    row = _locked(membership)
    require_still(actor)
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


def _require_unbounded(actor: Actor) -> None:
    """An owner may do everything, so a key that may not must not make one: its scopes would bound nothing."""
    if actor.scopes is not None and not scope_allows(actor.scopes, "*"):
        raise AccessDenied(gettext("You cannot give what you do not have: %(scope)s") % {"scope": "*"})


def require_still(actor: Actor) -> None:
    """Raise `AccessDenied` for somebody who was removed or demoted since the request came in.

    Call it with the workspace locked: what they had under way must not outlive them. Operators are no members.
    """
    if actor.user_id is None or User.objects.filter(pk=actor.user_id, is_superuser=True, is_active=True).exists():
        return
    mine = Membership.objects.in_force().filter(workspace=actor.workspace_id, user=actor.user_id).first()
    if mine is None or not at_most(actor.role, mine.role):
        raise AccessDenied(gettext("Your role in this workspace does not allow this."))


def _locked(membership: Membership) -> Membership:
    """The workspace too: of two parallel requests the second one counts the owners that the first one left."""
    Workspace.objects.lock(membership.workspace_id)
    row: Membership | None = Membership.objects.select_for_update().filter(pk=membership.pk).first()
    if row is None:
        raise NotFound
    return row


def _keep_an_owner(row: Membership) -> None:
    others = Membership.objects.filter(workspace_id=row.workspace_id).owners().exclude(pk=row.pk)
    if not others.exists():
        raise LastOwner


def _move(actor: Actor, row: Membership, role: Role) -> Membership:
    if row.role == role:
        return row
    if row.role == Role.OWNER:
        _keep_an_owner(row)
    before = snapshot(row)
    row.role = role
    row.save(update_fields=["role", "updated_at"])
    if not at_most(Role.ADMIN, role):
        _revoke_invitations(actor, row)
    publish(actor, "member.updated", row, changed(row, before))
    return row


def _remove(actor: Actor, row: Membership) -> None:
    if row.role == Role.OWNER:
        _keep_an_owner(row)
    withdraw(actor, row)


def withdraw(actor: Actor, row: Membership) -> None:
    """Take somebody out, in the caller's transaction, without asking whether an owner is left."""
    _revoke_invitations(actor, row)
    _revoke(actor, "api_key.revoked", ApiKey.objects.filter(revoked_at=None), creator=row.user_id, of=row)
    User.objects.filter(pk=row.user_id, current_workspace=row.workspace_id).update(current_workspace=None)
    Membership.objects.filter(pk=row.pk).delete()
    publish(actor, "member.deleted", row, deleted(row))


def _revoke_invitations(actor: Actor, row: Membership) -> None:
    """Else somebody who may invite no longer could come back through a second address."""
    _revoke(actor, "invitation.revoked", Invitation.objects.unanswered(), inviter=row.user_id, of=row)


def _revoke(actor: Actor, told: str, rows: QuerySet[Any], *, of: Membership, **whose: int) -> None:
    for row in rows.filter(workspace_id=of.workspace_id, **whose):
        before = snapshot(row)
        row.revoked_at = now()
        row.save(update_fields=["revoked_at", "updated_at"])
        publish(actor, told, row, changed(row, before))
