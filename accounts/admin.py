"""Workspaces, people, invitations, keys and the log in the admin. Whatever changes something is a call of a service."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import TabularInline
from unfold.decorators import action, display

from accounts.admin_forms import ApiKeyForm, InvitationForm, ServiceForm
from accounts.models import Activity, ApiKey, Invitation, Membership, User, Workspace
from accounts.roles import Role
from accounts.services import api_keys, invitations, members, workspaces
from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin, pretty
from ajansops.kit.actor import Actor
from ajansops.kit.plans import plans, tier_of

admin.site.unregister(Group)  # roles are per workspace; Django's groups would be a second, silent answer

ROLE_COLOURS = {"OWNER": "success", "ADMIN": "info", "EDITOR": "warning", "VIEWER": "default"}


class MadeByService(ReadOnlyAdmin):
    """Rows that are added by a form around a service, and then only read."""

    add_form: type[ServiceForm]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows who fills it in."""
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        kwargs |= {"form": self.add_form, "fields": self.add_form._meta.fields}
        form = super().get_form(request, obj, change, **kwargs)
        form.actor_in = staticmethod(lambda workspace_id: self.actor(request, workspace_id))
        return form

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Those of the form while adding."""
        return super().get_fields(request, obj) if obj else list(self.add_form._meta.fields or ())

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None while adding."""
        return super().get_readonly_fields(request, obj) if obj else []

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By role in at least one workspace."""
        return self._may(request, "add", None)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The service has saved it, with its line in the log."""


class MembershipInline(TabularInline):
    """Who is in it."""

    model = Membership
    fields = ("user", "role", "created_at")
    readonly_fields = fields
    extra = 0
    can_delete = False
    tab = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees the workspace sees its members."""
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Members are invited."""
        return False


@admin.register(Workspace)
class WorkspaceAdmin(ReadOnlyAdmin):
    list_display = ("name", "slug", "tier", "created_at", "deleted_at")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "tier", "settings", "created_at", "updated_at", "deleted_at")
    json_fields = ("settings",)
    inlines = (MembershipInline,)
    actions = ("delete_workspaces", "restore")

    @display(description="Tier", label=True)
    def tier(self, workspace: Workspace) -> str:
        """Of its plan. A list has loaded them all at once."""
        return getattr(workspace, "tier_shown", "") or tier_of(workspace.pk)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the tiers of its page."""
        page = super().get_changelist_instance(request)
        tiers = plans().tiers([row.pk for row in page.result_list])
        for row in page.result_list:
            row.tier_shown = tiers[row.pk]
        return page

    @action(description="Delete, with 30 days of grace")
    def delete_workspaces(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        """Closed at once for everybody in it."""
        self.for_each(request, rows, workspaces.delete_workspace, "Workspaces deleted")

    @action(description="Restore")
    def restore(self, request: HttpRequest, rows: QuerySet[Workspace]) -> None:
        """Only superusers see deleted ones."""
        self.for_each(request, rows, workspaces.restore_workspace, "Workspaces restored")


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    ordering = ("email",)
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    search_fields = ("email", "name")
    list_filter = ("is_active", "is_staff")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The queryset decides whom."""
        return self._may(request, "view", None) and (
            obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()
        )


def _role_action(role: Role) -> Any:
    @action(description=f"Make {role.label.lower()}")
    def change(self: Any, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        """Nobody above their own role."""

        def call(actor: Actor, row: Membership) -> None:
            members.change_role(actor, row, role=role)

        self.for_each(request, rows, call, "Roles changed")

    change.__name__ = f"make_{role.lower()}"
    return change


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "role_shown", "workspace", "created_at")
    list_filter = ("role", BY_WORKSPACE)
    list_select_related = ("user", "workspace")
    search_fields = ("user__email", "user__name")
    fields = ("user", "workspace", "role", "created_at", "updated_at")
    actions = (*(_role_action(role) for role in Role), "remove")

    @display(description="Role", ordering="role", label=ROLE_COLOURS)
    def role_shown(self, membership: Membership) -> str:
        """As a coloured label."""
        return membership.role

    @action(description="Remove from the workspace")
    def remove(self, request: HttpRequest, rows: QuerySet[Membership]) -> None:
        """With their keys there."""
        self.for_each(request, rows, members.remove_member, "Members removed")


@admin.register(Invitation)
class InvitationAdmin(MadeByService):
    add_form = InvitationForm
    list_display = ("email", "role", "workspace", "inviter", "sent_at", "expires_at", "state")
    list_filter = ("role", BY_WORKSPACE)
    list_select_related = ("workspace", "inviter")
    search_fields = ("email", "name")
    fields = ("email", "name", "role", "workspace", "inviter", "sent_at", "expires_at", "accepted_at", "revoked_at")
    actions = ("resend", "revoke")

    @display(description="State", label={"open": "info", "accepted": "success", "revoked": "danger"})
    def state(self, invitation: Invitation) -> str:
        """The expiry has its own column."""
        return "revoked" if invitation.revoked_at else "accepted" if invitation.accepted_at else "open"

    @action(description="Send again, with a new link")
    def resend(self, request: HttpRequest, rows: QuerySet[Invitation]) -> None:
        """The old link is void."""
        self.for_each(request, rows, invitations.resend, "Invitations sent again")

    @action(description="Revoke")
    def revoke(self, request: HttpRequest, rows: QuerySet[Invitation]) -> None:
        """At once."""
        self.for_each(request, rows, invitations.revoke_invitation, "Invitations revoked")


@admin.register(ApiKey)
class ApiKeyAdmin(MadeByService):
    add_form = ApiKeyForm
    list_display = ("name", "shown", "workspace", "scopes_shown", "last_used_at", "expires_at", "state")
    list_filter = (BY_WORKSPACE, "test")
    list_select_related = ("workspace",)
    search_fields = ("name", "prefix")
    fields = (
        "name",
        "workspace",
        "creator",
        "prefix",
        "scopes",
        "tier",
        "test",
        "expires_at",
        "grace_ends_at",
        "revoked_at",
        "last_used_at",
    )
    json_fields = ("scopes",)
    actions = ("revoke",)

    @display(description="Key")
    def shown(self, key: ApiKey) -> str:
        """What may be shown."""
        return f"{key.prefix}…"

    @display(description="Scopes")
    def scopes_shown(self, key: ApiKey) -> str:
        """In a row."""
        return ", ".join(key.scopes)

    @display(description="State", label={"alive": "success", "rotated": "warning", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        """The expiry has its own column."""
        return "revoked" if key.revoked_at else "rotated" if key.grace_ends_at else "alive"

    @action(description="Revoke")
    def revoke(self, request: HttpRequest, rows: QuerySet[ApiKey]) -> None:
        """At once."""
        self.for_each(request, rows, api_keys.revoke_api_key, "Keys revoked")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The service has saved it; the key goes to the answer."""
        obj.raw = form.raw

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The key is on the page that answers, and nowhere else: not in a redirect, a message or a cookie."""
        context = {
            **self.admin_site.each_context(request),
            "title": "API key",
            "key": obj,
            "raw": obj.raw,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/accounts/apikey/made.html", context)


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "action", "user", "role", "via", "object_shown", "workspace")
    list_filter = ("via", "action", BY_WORKSPACE)
    list_select_related = ("user", "workspace")
    search_fields = ("action", "object_id", "request_id", "user__email")
    date_hierarchy = "created_at"
    fields = (
        "created_at",
        "action",
        "user",
        "key_id",
        "role",
        "via",
        "object_shown",
        "changes_shown",
        "request_id",
        "workspace",
        "seq",
        "hash",
    )

    @display(description="What")
    def object_shown(self, line: Activity) -> str:
        """Kind and id."""
        return f"{line.object_type.rpartition('.')[2]} {line.object_id}"

    @display(description="Changes")
    def changes_shown(self, line: Activity) -> str:
        """Before and after."""
        return pretty(line.changes)
