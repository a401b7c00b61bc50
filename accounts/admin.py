"""Workspaces, people and keys in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from accounts.models import ApiKey, Membership, User, Workspace
from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin, workspaces_allowing
from ajansops.kit.plans import plans

admin.site.unregister(Group)  # roles are per workspace; Django's groups would be a second, silent answer

ROLE_COLOURS = {"OWNER": "success", "ADMIN": "info", "EDITOR": "warning", "VIEWER": "default"}


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
    tenant_path = "pk"
    list_display = ("name", "slug", "tier", "created_at")
    search_fields = ("name", "slug")
    fields = ("name", "slug", "tier", "settings", "created_at", "updated_at", "deleted_at")
    json_fields = ("settings",)
    inlines = (MembershipInline,)

    @display(description="Tier", label=True)
    def tier(self, workspace: Workspace) -> str:
        """Of its plan."""
        return plans().tiers([workspace.pk])[workspace.pk]


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("email", "name", "is_active", "is_staff", "date_joined", "last_login")
    search_fields = ("email", "name")
    list_filter = ("is_active", "is_staff")
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "date_joined", "last_login")

    def _of_my_workspaces(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Colleagues."""
        mine = workspaces_allowing(request.user, self._codename("view"))
        return rows.filter(memberships__workspace__in=mine).distinct()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """The queryset decides whom."""
        return self._may(request, "view", None) and (
            obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()
        )


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    list_display = ("name", "shown", "workspace", "scopes_shown", "last_used_at", "expires_at", "state")
    list_filter = (BY_WORKSPACE, "test")
    list_select_related = ("workspace",)
    search_fields = ("name", "prefix")
    fields = ("name", "workspace", "creator", "prefix", "scopes", "test", "expires_at", "revoked_at", "last_used_at")
    json_fields = ("scopes",)

    @display(description="Key")
    def shown(self, key: ApiKey) -> str:
        """What may be shown."""
        return f"{key.prefix}…"

    @display(description="Scopes")
    def scopes_shown(self, key: ApiKey) -> str:
        """In a row."""
        return ", ".join(key.scopes)

    @display(description="State", label={"alive": "success", "revoked": "danger"})
    def state(self, key: ApiKey) -> str:
        """Revoked or not; the expiry has its own column."""
        return "revoked" if key.revoked_at else "alive"
