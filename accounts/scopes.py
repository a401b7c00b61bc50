"""What a key may be given: never more than who gives it has."""

import re
from collections.abc import Collection, Iterable

from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.errors import AccessDenied, Invalid
from ajansops.kit.permissions import STUDIO_SCOPES, Permission, scope_allows

SCOPE = re.compile(r"\*|(?!\*:\*)(?:\*|[a-z][a-z0-9-]{0,39}):(?:\*|read|write|delete|publish)")
DEFAULT = ("*:read", "*:write")
MAX_SCOPES = 100


def normal_scopes(scopes: Collection[str]) -> list[str]:
    """Studio names as the scopes they mean, sorted, each once. Raises `Invalid` naming what is no scope.

    A scope of a resource that is not there opens nothing; references name some.
    """
    meant = sorted({STUDIO_SCOPES.get(scope, scope) for scope in scopes})
    wrong = [scope for scope in meant if not SCOPE.fullmatch(scope)]
    if wrong:
        message = gettext("'%(scope)s' is not a scope such as posts:read, posts:*, *:read or *.")
        raise Invalid(errors={"scopes": [message % {"scope": scope[:60]} for scope in wrong]})
    if not meant or len(meant) > MAX_SCOPES:
        raise Invalid(errors={"scopes": [gettext("From 1 to %(most)d scopes.") % {"most": MAX_SCOPES}]})
    return meant


def require_within(actor: Actor, scopes: Iterable[str]) -> None:
    """Raise `AccessDenied` for a scope beyond the actor's own, be it the credential's or the role's."""
    for scope in scopes:
        if actor.scopes is not None and not scope_allows(actor.scopes, scope):
            raise _beyond(scope)
        if any(right.codename not in actor.codenames for right in _rights(scope)):
            raise _beyond(scope)


def default_scopes(actor: Actor) -> list[str]:
    """Reading and writing everything, cut to what the actor has."""
    given: set[str] = set()
    for scope in DEFAULT:
        try:
            require_within(actor, [scope])
            given.add(scope)
        except AccessDenied:
            given |= {r.scope for r in _rights(scope) if r.codename in actor.codenames and actor.in_scope(r)}
    return sorted(given)


def studio_names(scopes: Collection[str]) -> list[str]:
    """The studio's names of what these scopes allow, in its order."""
    granted = frozenset(scopes)
    return [name for name, scope in STUDIO_SCOPES.items() if scope_allows(granted, scope)]


def _rights(scope: str) -> list[Permission]:
    granted = frozenset({scope})
    return [right for right in Permission if scope_allows(granted, right.scope)]


def _beyond(scope: str) -> AccessDenied:
    return AccessDenied(gettext("You cannot give what you do not have: %(scope)s") % {"scope": scope})
