"""Who is acting, where, and with which rights: the first argument of every service."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.utils.translation import gettext

from ajansops.kit.errors import AccessDenied, NotFound
from ajansops.kit.permissions import Permission, scope_allows
from ajansops.kit.plans import FREE_TIER


class Owned(Protocol):
    """A row of one workspace."""

    @property
    def workspace_id(self) -> int:
        """Whose it is."""
        ...


class Via(StrEnum):
    """By which door somebody acts."""

    ADMIN = "admin"
    API_KEY = "api_key"
    COMMAND = "command"
    PAGE = "page"
    PUBLIC = "public"  # nobody in particular
    SESSION = "session"
    SYSTEM = "system"
    TOKEN = "token"  # noqa: S105  # a studio JWT


NO_WORKSPACE = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """A user, a key acting within its creator's role, or the system itself.

    `codenames` are the Django permissions of the role in this workspace; `scopes` is None for people, who have none.
    """

    workspace_id: int  # NO_WORKSPACE: a person who has chosen none, on the few routes that need none
    codenames: frozenset[str]
    scopes: frozenset[str] | None = None
    user_id: int | None = None  # for a key: its creator, None when an operator made it by command
    key_id: int | None = None
    test_mode: bool = False  # a test key: nothing it does leaves the house
    request_id: str = ""
    role: str = ""
    via: Via = Via.SYSTEM
    key_family: str = ""  # what a key has in common with those it was rotated into
    tier: str = FREE_TIER  # how many requests: the lower of the key's and its workspace's, a few seconds old

    @property
    def credential(self) -> str:
        """Whose calls these are, over rotations of a key, over its tokens and over sessions."""
        return f"key:{self.key_family}" if self.key_id else f"user:{self.user_id}"

    def in_scope(self, permission: Permission) -> bool:
        """Whether the credential reaches that far, whatever the role."""
        return self.scopes is None or scope_allows(self.scopes, permission.scope)

    def require(self, permission: Permission, *, on: Owned | None = None) -> None:
        """Raise `AccessDenied` unless allowed; `NotFound` when `on` lies in another workspace: it does not exist."""
        if on is not None and on.workspace_id != self.workspace_id:
            raise NotFound
        if not self.in_scope(permission):
            message = gettext("Insufficient permissions. Required scope: %(scope)s")
            raise AccessDenied(message % {"scope": permission.scope}, required_scope=permission.scope)
        if permission.codename not in self.codenames:
            raise AccessDenied(gettext("Your role in this workspace does not allow this."))
