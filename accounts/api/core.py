"""Workspaces, their members, invitations, keys and log on the core surface."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.answers import NewKeySerializer, NewWorkspaceSerializer
from accounts.api.serializers import (
    ActivitySerializer,
    ApiKeyBody,
    ApiKeyChangeBody,
    ApiKeySerializer,
    InvitationBody,
    InvitationSerializer,
    LeakedKeyBody,
    MemberBody,
    MemberSerializer,
    RotateBody,
    WorkspaceBody,
    WorkspaceChangeBody,
    WorkspaceSerializer,
)
from accounts.models import Activity, ApiKey, Invitation, Membership, Workspace
from accounts.roles import INVITABLE, Role
from accounts.services import api_keys, invitations, members, workspaces
from ajansops.api.filters import Exact, Number, OneOf, Search
from ajansops.api.views import (
    ChangeMixin,
    CreateMixin,
    CrudViewSet,
    DestroyMixin,
    ListMixin,
    Public,
    ReadViewSet,
    ResourceViewSet,
    RetrieveMixin,
    SignedIn,
    SurfaceView,
    crud,
)
from ajansops.kit.actor import Via
from ajansops.kit.clock import iso
from ajansops.kit.permissions import Permission
from ajansops.kit.plans import FREE_TIER, plans, tier_of


class WorkspaceViewSet(CrudViewSet):
    """A key sees its own; a person sees those they are in, and acts in the one that the path names."""

    model = Workspace
    output = WorkspaceSerializer
    filters = {"search": Search(("name", "slug"))}
    input = WorkspaceBody
    change_input = WorkspaceChangeBody
    change_row = workspaces.update_workspace
    remove_row = workspaces.delete_workspace
    noun = "Workspace"
    answers = {"create": {201: NewWorkspaceSerializer}}
    faults = {"create": (409,)}
    needs_workspace = False
    rights = crud(
        Permission.VIEW_WORKSPACE, Permission.ADD_WORKSPACE, Permission.CHANGE_WORKSPACE, Permission.DELETE_WORKSPACE
    )

    def workspace_named(self, request: Request) -> str | None:
        """The path's own."""
        named: str | None = self.kwargs.get("pk")
        return named if named is not None else super().workspace_named(request)

    def rows(self) -> QuerySet[Workspace]:
        """Oldest first, as members know them."""
        rows: QuerySet[Workspace] = Workspace.objects.visible_to(self.actor).order_by("id")
        return rows

    def prepare(self, rows: Sequence[Any]) -> None:
        """Their tiers."""
        tiers = plans().tiers([row.pk for row in rows])
        for row in rows:
            row.tier = tiers[row.pk]

    def create(self, request: Request, **_path: str) -> Response:
        """201; a tier that has to be paid for is not given but pointed to."""
        fields = self.parsed(WorkspaceBody)
        row = workspaces.found_workspace(self.actor, **fields)
        shown = self.show(row)
        wanted = fields.get("tier", FREE_TIER)
        if wanted != shown["tier"]:
            shown |= {"requested_tier": wanted, "upgrade_url": plans().upgrade_url(row.pk)}
        return self.reply(shown, message=gettext("Workspace created successfully."), status=201)


class ApiKeyViewSet(ListMixin, RetrieveMixin, ChangeMixin, DestroyMixin, ResourceViewSet):
    """Keys of the workspace. The key itself is in the answers to POST and rotate, and nowhere else."""

    model = ApiKey
    output = ApiKeySerializer
    filters = {"search": Search(("name", "prefix"))}
    input = ApiKeyBody
    change_input = ApiKeyChangeBody
    change_row = api_keys.update_api_key
    remove_row = api_keys.revoke_api_key
    noun = "API key"
    answers = {"create": {201: NewKeySerializer}, "rotate": {200: NewKeySerializer}}
    bodies = {"rotate": RotateBody}
    rights = crud(
        Permission.VIEW_API_KEY, Permission.ADD_API_KEY, Permission.CHANGE_API_KEY, Permission.DELETE_API_KEY
    ) | {"rotate": Permission.CHANGE_API_KEY}

    @cached_property
    def workspace_tier(self) -> str:
        """Asked once for all rows."""
        return tier_of(self.actor.workspace_id)

    def rows(self) -> QuerySet[ApiKey]:
        """Newest first, without those that have ended by somebody's hand."""
        rows: QuerySet[ApiKey] = ApiKey.objects.visible_to(self.actor).listed().order_by("-id")
        return rows

    def create(self, request: Request, **_path: str) -> Response:
        """201 with the key, once."""
        row, raw = api_keys.mint_api_key(self.actor, **self.parsed(ApiKeyBody))
        shown = self.show(row) | {"key": raw}
        return self.reply(shown, message=gettext("API key created successfully."), status=201)

    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, **_path: str) -> Response:
        """The new key, once, and when the old one ends."""
        old = self.row()
        row, raw = api_keys.rotate_api_key(self.actor, old, **self.parsed(RotateBody))
        old.refresh_from_db()
        shown = self.show(row) | {"key": raw, "grace_period_ends_at": iso(old.grace_ends_at)}
        return self.reply(shown, message=gettext("API key rotated successfully."))


class LeakedKeyView(SurfaceView):
    """For whoever has found a key of ours, such as a secret scanner: having it is right enough to end it."""

    rights = {"post": Public}
    authentication_classes = []
    body = LeakedKeyBody
    answers = {"post": {202: None}}

    def post(self, request: Request) -> Response:
        """202 for every text, so that nothing is learnt by asking."""
        request_id = getattr(request, "request_id", "")
        api_keys.revoke_leaked(self.parsed(LeakedKeyBody)["key"], via=Via.PUBLIC, request_id=request_id)
        return self.reply(None, message=gettext("If this is a key of ours, it is revoked now."), status=202)


class MemberViewSet(ListMixin, RetrieveMixin, ChangeMixin, DestroyMixin, ResourceViewSet):
    """People in the workspace. They come in by invitation."""

    model = Membership
    output = MemberSerializer
    filters = {"role": OneOf("role", Role.values), "search": Search(("user__email", "user__name"))}
    input = MemberBody
    change_row = members.change_role
    remove_row = members.remove_member
    noun = "Member"
    rights = {
        "list": Permission.VIEW_MEMBER,
        "retrieve": Permission.VIEW_MEMBER,
        "update": Permission.CHANGE_MEMBER,
        "partial_update": Permission.CHANGE_MEMBER,
        "destroy": Permission.DELETE_MEMBER,
    }

    def rows(self) -> QuerySet[Membership]:
        """In the order in which they came."""
        rows: QuerySet[Membership] = Membership.objects.visible_to(self.actor).select_related("user").order_by("id")
        return rows


class LeaveView(SurfaceView):
    """One's own membership."""

    rights = {"delete": SignedIn}

    def delete(self, request: Request) -> Response:
        """204; the last owner stays."""
        members.leave(self.actor)
        return self.reply_deleted()


class InvitationViewSet(ListMixin, RetrieveMixin, CreateMixin, DestroyMixin, ResourceViewSet):
    """Who was invited, and who of them has come."""

    model = Invitation
    output = InvitationSerializer
    filters = {"role": OneOf("role", [role for role, _ in INVITABLE]), "search": Search(("email", "name"))}
    input = InvitationBody
    create_row = invitations.invite
    remove_row = invitations.revoke_invitation
    noun = "Invitation"
    rights = {
        "list": Permission.VIEW_INVITATION,
        "retrieve": Permission.VIEW_INVITATION,
        "create": Permission.ADD_INVITATION,
        "destroy": Permission.DELETE_INVITATION,
        "resend": Permission.ADD_INVITATION,
    }

    def rows(self) -> QuerySet[Invitation]:
        """Newest first, without the revoked ones."""
        rows: QuerySet[Invitation] = Invitation.objects.visible_to(self.actor).filter(revoked_at=None).order_by("-id")
        return rows

    @action(detail=True, methods=["post"])
    def resend(self, request: Request, **_path: str) -> Response:
        """A new link; the old one is void."""
        row = invitations.resend(self.actor, self.row())
        return self.reply(self.show(row), message=gettext("Invitation sent again."))


class ActivityViewSet(ReadViewSet):
    """Newest first; `?action=`, `?user_id=`, `?object_type=` and `?object_id=` narrow."""

    model = Activity
    output = ActivitySerializer
    filters = {
        "action": Exact("action"),
        "user_id": Number("user_id"),
        "api_key_id": Number("key_id"),
        "object_type": Exact("object_type"),
        "object_id": Exact("object_id"),
        "request_id": Exact("request_id"),
    }
    noun = "Activity"
    rights = {"list": Permission.VIEW_ACTIVITY, "retrieve": Permission.VIEW_ACTIVITY}

    def rows(self) -> QuerySet[Activity]:
        """Newest first."""
        rows: QuerySet[Activity] = Activity.objects.visible_to(self.actor).select_related("user").order_by("-id")
        return rows
