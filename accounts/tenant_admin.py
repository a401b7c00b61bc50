"""The base of every admin page: staff see and touch the rows of their workspaces, by the same role table as the API."""

import json
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from accounts.models import Membership
from accounts.roles import Role, codenames, roles_allowing
from ajansops.kit.actor import Actor
from ajansops.kit.errors import DomainError
from ajansops.kit.identity import identity

PLAIN_LOOKUPS = frozenset(
    {"exact", "in", "isnull", "gt", "gte", "lt", "lte", "year", "month", "day", "id__exact", "id__in", "isempty"}
)
BY_WORKSPACE = ("workspace", RelatedOnlyFieldListFilter)


def pretty(value: Any) -> str:
    """JSON for people: their letters as they are."""
    if not value:
        return "–"
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return ", ".join(value)
    text = json.dumps(value, ensure_ascii=False, indent=2)
    return format_html('<pre style="white-space:pre-wrap">{}</pre>', text)


def workspaces_allowing(user: Any, codename: str) -> list[int]:
    """Where this user has the permission."""
    memberships = Membership.objects.filter(user=user, role__in=roles_allowing(codename), workspace__deleted_at=None)
    return list(memberships.values_list("workspace_id", flat=True))


class TenantAdmin(ModelAdmin):
    """`tenant_path` leads from the row to its workspace."""

    tenant_path = "workspace"
    extra_lookups: ClassVar[tuple[str, ...]] = ()  # that links between pages use
    list_filter_submit = False
    list_fullwidth = True
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter of the page asks for: any other look-up could read hidden columns letter by letter."""
        filters = [entry if isinstance(entry, str) else entry[0] for entry in self.list_filter]
        names = [*filters, *self.extra_lookups, *([self.date_hierarchy] if self.date_hierarchy else [])]
        plain = {f"{name}__{kind}" for name in names for kind in PLAIN_LOOKUPS}
        return lookup in plain.union(names)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A row stays in the workspace it was made in. Disabled rather than read-only: uniqueness is still checked."""
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and "workspace" in form.base_fields:
            form.base_fields["workspace"].disabled = True
        return form

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Superusers see all."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows if request.user.is_superuser else self._of_my_workspaces(rows, request)

    def _of_my_workspaces(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        path = getattr(rows.model, "tenant_path", self.tenant_path)
        return rows.filter(**{f"{path}__in": workspaces_allowing(request.user, self._codename("view"))})

    def _codename(self, action: str) -> str:
        return f"{self.opts.app_label}.{action}_{self.opts.model_name}"

    def _may(self, request: HttpRequest, action: str, row: Model | None) -> bool:
        return request.user.is_authenticated and request.user.has_perm(self._codename(action), row)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By role in the row's workspace."""
        return self._may(request, "view", obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By role in at least one workspace; the form offers only those."""
        return self._may(request, "add", None)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By role in the row's workspace."""
        return self._may(request, "change", obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """By role in the row's workspace."""
        return self._may(request, "delete", obj)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Choices of one's own workspaces only."""
        if not request.user.is_superuser and "queryset" not in kwargs:
            kwargs["queryset"] = self._choices(db_field.related_model, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def _choices(self, model: type[Any], request: HttpRequest) -> QuerySet[Any]:
        codename = f"{self.opts.app_label}.change_{self.opts.model_name}"
        mine = workspaces_allowing(request.user, codename)
        rows: QuerySet[Any] = model._base_manager.all()  # the way to any model's rows
        if model is Membership._meta.get_field("workspace").related_model:
            return rows.filter(pk__in=mine)
        if model is Membership._meta.get_field("user").related_model:
            return rows.filter(memberships__workspace__in=mine).distinct()
        path = getattr(model, "tenant_path", "workspace")
        return rows.filter(**{f"{path}__in": mine})

    def actor(self, request: HttpRequest, workspace_id: int) -> Actor:
        """Who acts when an action calls a service. Superusers act as owners, everybody else in their role."""
        request_id = getattr(request, "request_id", "")
        if request.user.is_superuser:
            return Actor(workspace_id, codenames(Role.OWNER), user_id=request.user.pk, request_id=request_id)
        assert request.user.pk is not None
        return identity().actor_for_user(request.user.pk, workspace=str(workspace_id), request_id=request_id)

    def for_each(self, request: HttpRequest, rows: Iterable[Any], call: Callable[[Actor, Any], Any], said: str) -> None:
        """Call a service for each chosen row; one that is refused does not stop the others."""
        done = 0
        for row in rows:
            try:
                call(self.actor(request, row.workspace_id), row)
            except DomainError as error:
                self.message_user(request, f"{row}: {error.message}", messages.ERROR)
            else:
                done += 1
        if done:
            self.message_user(request, f"{said}: {done}", messages.SUCCESS)


class ReadOnlyAdmin(TenantAdmin):
    """Rows that only services write. Names in `json_fields` are shown by `pretty`."""

    json_fields: ClassVar[tuple[str, ...]] = ()

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """JSON fields under the name of their display."""
        return [self._shown(name) for name in self.fields]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        """All of them."""
        return self.get_fields(request, obj)

    def _shown(self, name: str) -> Any:
        if name not in self.json_fields:
            return name

        def show(row: Model) -> str:
            return pretty(getattr(row, name))

        show.short_description = name.replace("_", " ").capitalize()  # type: ignore[attr-defined]
        return show

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False
