"""Forgetting a person: what is about them goes, what must stay is made anonymous, and the report says both."""

from dataclasses import dataclass, field

from django.db import transaction

from accounts.actors import operator, system
from accounts.models import Membership, User, Workspace
from accounts.roles import RANK, Role
from accounts.services.members import change_role
from accounts.services.workspaces import delete_workspace
from ajansops.kit.events import publish
from ajansops.kit.personal import registry


@dataclass(frozen=True, slots=True)
class Erasure:
    """`rows` counts by model; `passed` says who owns a workspace now, `closed` which ones have nobody left."""

    user_id: int
    rows: dict[str, int] = field(default_factory=dict)
    passed: dict[str, str] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)


@transaction.atomic
def erase_user(user: User) -> Erasure:
    """Never refused: a workspace whose only owner goes passes to its highest member, one without members is deleted."""
    report = Erasure(user.pk)
    publish(system(), "user.erased", user)  # the platform's log before the workspaces', as everywhere
    for workspace_id in user.memberships.order_by("workspace_id").values_list("workspace_id", flat=True):
        Workspace.objects.lock(workspace_id)
    owned = user.memberships.filter(role=Role.OWNER, workspace__deleted_at=None).select_related("workspace")
    for membership in owned.order_by("workspace_id"):
        _hand_over(membership, report)
    for entry in reversed([*registry().values()]):
        report.rows[entry.model] = entry.erase(user.pk)
    return report


def _hand_over(membership: Membership, report: Erasure) -> None:
    workspace: Workspace = membership.workspace
    others = [m for m in workspace.memberships.in_force().select_related("user") if m.pk != membership.pk]
    if any(other.role == Role.OWNER for other in others):
        return
    actor = operator(workspace.pk)
    if others:
        heir = min(others, key=lambda m: (-RANK[Role(m.role)], m.pk))
        change_role(actor, heir, role=Role.OWNER)
        report.passed[workspace.slug] = heir.user.email
    else:
        delete_workspace(actor, workspace)
        report.closed.append(workspace.slug)
