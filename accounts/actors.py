"""Actors that no credential stands for."""

from dataclasses import replace

from accounts.roles import Role, codenames
from ajansops.kit.actor import NO_WORKSPACE, Actor, Via
from ajansops.kit.plans import recent_tier

# What a person may do without having chosen a workspace.
OUTSIDE = frozenset({"accounts.add_workspace", "accounts.view_workspace"})


def operator(workspace_id: int, *, via: Via = Via.COMMAND, user_id: int | None = None, request_id: str = "") -> Actor:
    """Whoever runs the installation, at a terminal or as superuser in the admin: an owner everywhere."""
    return Actor(
        workspace_id,
        codenames(Role.OWNER),
        user_id=user_id,
        request_id=request_id,
        role=Role.OWNER,
        via=via,
    )


def owner_of_new(workspace_id: int, founder: Actor) -> Actor:
    """Who founds a workspace, in it."""
    return replace(founder, workspace_id=workspace_id, codenames=codenames(Role.OWNER), scopes=None, role=Role.OWNER)


def system(workspace_id: int = NO_WORKSPACE) -> Actor:
    """The installation itself: in no workspace, or doing what the workspace had asked for."""
    return Actor(workspace_id, frozenset())


def member(workspace_id: int, role: Role, user_id: int, *, via: Via = Via.SESSION, request_id: str = "") -> Actor:
    """A person in a workspace."""
    return Actor(
        workspace_id,
        codenames(role),
        user_id=user_id,
        request_id=request_id,
        role=role,
        via=via,
        tier=recent_tier(workspace_id),
    )


def person(user_id: int, *, via: Via = Via.SESSION, request_id: str = "") -> Actor:
    """A person who has chosen no workspace."""
    return Actor(NO_WORKSPACE, OUTSIDE, user_id=user_id, request_id=request_id, via=via)
