"""Workspaces: founding, changing, deleting with a grace, and deleting for good."""

from collections.abc import Collection, Mapping
from typing import Any

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.utils.translation import gettext

from accounts.actors import operator, owner_of_new, system
from accounts.models import ActivityHead, Membership, User, Workspace, default_settings
from accounts.roles import Role
from accounts.services.checks import checked
from accounts.services.members import add_founder, require_still
from ajansops.kit.actor import NO_WORKSPACE, Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Conflict, NotFound
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.ids import BASE36, random_text
from ajansops.kit.permissions import Permission
from ajansops.kit.plans import FREE_TIER, plans
from ajansops.kit.slugs import slug_of

log = structlog.get_logger(__name__)

SLUG_LENGTH = 50  # of one made from a name; leaves room for what makes it unique


@transaction.atomic
def create_workspace(*, name: str, slug: str = "", plan: str = "free", owner: User | None = None) -> Workspace:
    """As an operator does. Raises `Conflict` for a slug that is taken, `Invalid` for an unknown plan."""
    workspace = _insert(name, slug)
    plans().set_plan(workspace.pk, plan)
    actor = operator(workspace.pk)
    publish(actor, "workspace.created", workspace, created(workspace))
    if owner:
        add_founder(workspace, owner, Role.OWNER, actor=actor)
    return workspace


@transaction.atomic
def found_workspace(
    actor: Actor, *, name: str, slug: str = "", tier: str = FREE_TIER, settings: Mapping[str, str] | None = None
) -> Workspace:
    """A workspace of one's own. A paid `tier` is for operators to give; everybody else starts on the free one.

    It belongs to the person, or to who made the key; a key that an operator made founds it for its workspace's owners.
    Raises `Conflict` for a slug that is taken.
    """
    actor.require(Permission.ADD_WORKSPACE)
    owners = _founders(actor)
    workspace = _insert(name, slug, settings or {})
    plans().set_plan(workspace.pk, plans().plan_of_tier(tier if _is_operator(actor) else FREE_TIER))
    inside = owner_of_new(workspace.pk, actor)
    publish(inside, "workspace.created", workspace, created(workspace))
    for owner in owners:
        add_founder(workspace, owner, Role.OWNER, actor=inside)
    return workspace


@transaction.atomic
def update_workspace(actor: Actor, workspace: Workspace, **fields: Any) -> Workspace:
    """Name, slug and settings; of the settings only what is given changes."""
    actor.require(Permission.CHANGE_WORKSPACE, on=workspace)
    row = _locked(workspace.pk)
    require_still(actor)
    before = snapshot(row)
    settings: Mapping[str, str] = fields.pop("settings", {})
    row.settings = row.settings | dict(settings)
    for field, value in fields.items():
        setattr(row, field, value)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise _slug_taken() from error
    publish(actor, "workspace.updated", row, changed(row, before))
    return row


@transaction.atomic
def delete_workspace(actor: Actor, workspace: Workspace) -> None:
    """Closed at once for everybody; gone for good after the grace, until which `restore_workspace` brings it back."""
    actor.require(Permission.DELETE_WORKSPACE, on=workspace)
    row = _locked(workspace.pk)
    _set_deleted(actor, row, "workspace.deleted", deleted_at=now())


@transaction.atomic
def restore_workspace(actor: Actor, workspace: Workspace) -> Workspace:
    """Within the grace, by an operator: nobody else can reach a deleted workspace."""
    actor.require(Permission.DELETE_WORKSPACE, on=workspace)
    row = Workspace.objects.select_for_update(no_key=True).filter(pk=workspace.pk).exclude(deleted_at=None).first()
    if row is None:
        raise NotFound
    _set_deleted(actor, row, "workspace.restored", deleted_at=None)
    return row


def purge_workspaces() -> dict[str, int]:
    """Delete for good what was deleted longer ago than the grace: one transaction each, so it can be interrupted."""
    late = list(Workspace.objects.past_grace().values_list("pk", flat=True))
    purged = 0
    for pk in late:
        try:
            purged += _purge(pk)
        except OperationalError:  # a deadlock with what still ran for it, say: the next run finds it again
            log.warning("workspace_not_purged_yet", workspace_id=pk, exc_info=True)
    return {"workspaces_purged": purged}


@transaction.atomic
def _purge(workspace_id: int) -> bool:
    """Unless it was restored meanwhile. Its log goes with it; that it was purged stands in the platform's own."""
    row = Workspace.objects.past_grace().select_for_update().filter(pk=workspace_id).first()
    if row is None:
        return False
    told = deleted(row)
    Workspace.objects.filter(pk=workspace_id).delete()
    ActivityHead.objects.filter(pk=workspace_id).delete()
    publish(system(), "workspace.purged", row, told)
    return True


def _locked(workspace_id: int) -> Workspace:
    row: Workspace | None = Workspace.objects.alive().select_for_update(no_key=True).filter(pk=workspace_id).first()
    if row is None:
        raise NotFound
    return row


def _set_deleted(actor: Actor, row: Workspace, told: str, *, deleted_at: Any) -> None:
    before = snapshot(row)
    row.deleted_at = deleted_at
    row.save(update_fields=["deleted_at", "updated_at"])
    publish(actor, told, row, changed(row, before))


def _is_operator(actor: Actor) -> bool:
    if actor.user_id is None or actor.key_id is not None:
        return False
    return User.objects.filter(pk=actor.user_id, is_superuser=True).exists()


def _founders(actor: Actor) -> Collection[User]:
    if actor.user_id is not None:
        return [User.objects.get(pk=actor.user_id)]
    owners = Membership.objects.visible_to(actor).owners().select_related("user")
    if actor.workspace_id == NO_WORKSPACE or not owners:
        raise Conflict(gettext("Nobody could own the new workspace: this key's workspace has no owner."))
    return [membership.user for membership in owners]


def _insert(name: str, slug: str, settings: Mapping[str, str] | None = None) -> Workspace:
    for wanted in [slug] if slug else _slugs(name):
        try:
            with transaction.atomic():
                row = Workspace(name=name, slug=wanted, settings=default_settings() | dict(settings or {}))
                checked(row).save(force_insert=True)
                return row
        except IntegrityError:
            continue
    raise _slug_taken()


def _slugs(name: str) -> list[str]:
    """The name's own, then two that nobody has."""
    base = slug_of(name, most=SLUG_LENGTH) or "workspace"
    return [base, *(f"{base}-{random_text(6, BASE36)}" for _ in range(2))]


def _slug_taken() -> Conflict:
    return Conflict(errors={"slug": [gettext("This slug is already taken.")]})
