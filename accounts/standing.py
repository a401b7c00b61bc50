"""What actors may do by now: for answers that last longer than the first look at their rights."""

from collections.abc import Collection
from dataclasses import replace

from accounts.models import ApiKey, Membership
from accounts.roles import Role, codenames
from ajansops.kit.actor import Actor
from ajansops.kit.permissions import Permission

NOTHING: frozenset[str] = frozenset()


def still_allowed(actors: Collection[Actor], permission: Permission) -> set[Actor]:
    """Those whose key is alive, or who are still members, with scope and role for it. Two queries for all of them.

    That somebody has signed out is not noticed.
    """
    keys = ApiKey.objects.alive().filter(pk__in={actor.key_id for actor in actors} - {None})
    scopes = dict(keys.values_list("pk", "scopes"))
    members = Membership.objects.in_force().filter(user_id__in={actor.user_id for actor in actors} - {None})
    roles = {(one.workspace_id, one.user_id): Role(one.role) for one in members}

    def by_now(actor: Actor) -> Actor:
        by_operator = actor.key_id is not None and actor.user_id is None
        role = Role.OWNER if by_operator else roles.get((actor.workspace_id, actor.user_id))
        return replace(
            actor,
            codenames=codenames(role) if role else NOTHING,
            scopes=frozenset(scopes.get(actor.key_id, ())) if actor.key_id is not None else None,
        )

    now = {actor: by_now(actor) for actor in actors}
    return {actor for actor, it in now.items() if it.in_scope(permission) and permission.codename in it.codenames}
