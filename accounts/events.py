"""What the outside is told about a workspace and its people."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar, Self

from ajansops.kit.permissions import Permission
from ajansops.kit.plans import tier_of
from ajansops.kit.public_events import JSON, PublicEvent, shown


@dataclass(frozen=True, slots=True)
class WorkspaceEvent(PublicEvent):
    """Something happened to the workspace."""

    serializer: ClassVar[str] = "accounts.api.serializers.WorkspaceSerializer"
    path: ClassVar[str] = "workspaces"
    right: ClassVar[Permission] = Permission.VIEW_WORKSPACE
    example: ClassVar[JSON] = {
        "id": 69,
        "name": "Acme",
        "slug": "acme",
        "tier": "pro",
        "settings": {"timezone": "Europe/Istanbul", "locale": "tr_TR"},
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class WorkspaceUpdated(WorkspaceEvent):
    """The workspace was changed; `data` is as it is now."""

    type: ClassVar[str] = "workspace.updated"


@dataclass(frozen=True, slots=True)
class MemberEvent(PublicEvent):
    """Something happened to a member."""

    serializer: ClassVar[str] = "accounts.api.serializers.MemberSerializer"
    path: ClassVar[str] = "members"
    right: ClassVar[Permission] = Permission.VIEW_MEMBER
    example: ClassVar[JSON] = {
        "id": 11,
        "user_id": 5,
        "email": "bob@example.org",
        "name": "Bob",
        "role": "EDITOR",
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class MemberCreated(MemberEvent):
    """Somebody is a member now."""

    type: ClassVar[str] = "member.created"


@dataclass(frozen=True, slots=True)
class MemberUpdated(MemberEvent):
    """A member has another role."""

    type: ClassVar[str] = "member.updated"


@dataclass(frozen=True, slots=True)
class MemberDeleted(MemberEvent):
    """Somebody is no longer a member; `data` is as it was."""

    type: ClassVar[str] = "member.deleted"


@dataclass(frozen=True, slots=True)
class InvitationEvent(PublicEvent):
    """Something happened to an invitation."""

    serializer: ClassVar[str] = "accounts.api.serializers.InvitationSerializer"
    path: ClassVar[str] = "invitations"
    right: ClassVar[Permission] = Permission.VIEW_INVITATION
    example: ClassVar[JSON] = {
        "id": 9,
        "email": "carol@example.org",
        "name": "Carol",
        "role": "VIEWER",
        "status": "pending",
        "inviter_id": 5,
        "sent_at": None,
        "expires_at": "2026-01-22T10:30:00Z",
        "accepted_at": None,
        "created_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class InvitationCreated(InvitationEvent):
    """Somebody was invited."""

    type: ClassVar[str] = "invitation.created"


@dataclass(frozen=True, slots=True)
class InvitationResent(InvitationEvent):
    """An invitation was sent again."""

    type: ClassVar[str] = "invitation.resent"


@dataclass(frozen=True, slots=True)
class InvitationAccepted(InvitationEvent):
    """Whoever was invited has come."""

    type: ClassVar[str] = "invitation.accepted"


@dataclass(frozen=True, slots=True)
class InvitationRevoked(InvitationEvent):
    """An invitation was taken back."""

    type: ClassVar[str] = "invitation.revoked"


@dataclass(frozen=True, slots=True)
class ApiKeyEvent(PublicEvent):
    """Something happened to an API key. The key itself is never told."""

    serializer: ClassVar[str] = "accounts.api.serializers.ApiKeySerializer"
    path: ClassVar[str] = "api-keys"
    right: ClassVar[Permission] = Permission.VIEW_API_KEY

    @classmethod
    def of(cls, subject: Any) -> Self:
        """The tier in force is the workspace's at most."""
        view = SimpleNamespace(workspace_tier=tier_of(subject.workspace_id))
        return cls(shown(cls.serializer, subject, view=view))

    example: ClassVar[JSON] = {
        "id": 6,
        "name": "Shop",
        "prefix": "sk_live_a1b2c3d4",
        "scopes": ["products:*"],
        "rate_limit_tier": "pro",
        "test": False,
        "last_used_at": None,
        "expires_at": None,
        "grace_period_ends_at": None,
        "created_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class ApiKeyCreated(ApiKeyEvent):
    """There is a new API key."""

    type: ClassVar[str] = "api_key.created"


@dataclass(frozen=True, slots=True)
class ApiKeyUpdated(ApiKeyEvent):
    """An API key was changed."""

    type: ClassVar[str] = "api_key.updated"


@dataclass(frozen=True, slots=True)
class ApiKeyRotated(ApiKeyEvent):
    """An API key was replaced by a new one; `data` is the old one with the end of its grace."""

    type: ClassVar[str] = "api_key.rotated"


@dataclass(frozen=True, slots=True)
class ApiKeyRevoked(ApiKeyEvent):
    """An API key no longer opens anything."""

    type: ClassVar[str] = "api_key.revoked"


EVENTS = (
    WorkspaceUpdated,
    MemberCreated,
    MemberUpdated,
    MemberDeleted,
    InvitationCreated,
    InvitationResent,
    InvitationAccepted,
    InvitationRevoked,
    ApiKeyCreated,
    ApiKeyUpdated,
    ApiKeyRotated,
    ApiKeyRevoked,
)
