"""Who a credential belongs to. `accounts` answers; the API and MCP ask."""

from typing import Protocol

from ajansops.kit.actor import Actor
from ajansops.kit.errors import DomainError, Kind


class Unauthorized(DomainError):
    """Invalid or missing API key."""

    code = "unauthorized"
    kind = Kind.UNAUTHENTICATED


class WorkspaceRequired(DomainError):
    """Say which workspace with the X-Workspace-ID header."""

    code = "workspace_required"
    kind = Kind.MALFORMED


class Identity(Protocol):
    """`workspace` is the X-Workspace-ID header as sent, or None."""

    def actor_for_key(self, raw: str, *, workspace: str | None, request_id: str) -> Actor:
        """Raises `Unauthorized` for a key that is not alive, `NotFound` for another workspace than its own."""
        ...

    def actor_for_token(self, token: str, *, workspace: str | None, request_id: str) -> Actor:
        """As `actor_for_key`, for a bearer that a key was exchanged for."""
        ...

    def actor_for_user(self, user_id: int, *, workspace: str | None, request_id: str, required: bool = True) -> Actor:
        """Raises `NotFound` for a workspace that the user is no member of.

        Where there is nothing to choose by: `WorkspaceRequired`, or unless `required` an actor in no workspace.
        """
        ...


class _Slot:
    identity: Identity


def provide(identity: Identity) -> None:
    """Called from `AppConfig.ready` of the app that owns credentials."""
    _Slot.identity = identity


def identity() -> Identity:
    """The one that was provided."""
    return _Slot.identity
