"""The base of every admin page: staff see and touch the rows of their workspaces, by the same role table as the API."""

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from functools import cache
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import AllValuesFieldListFilter, RelatedOnlyFieldListFilter
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelChoiceField, ModelForm, ValidationError
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from accounts.actors import operator
from accounts.backends import workspace_of
from accounts.models import Membership, User, Workspace
from accounts.roles import roles_allowing
from ajansops.kit.actor import Actor, Via
from ajansops.kit.entitlements import Feature, FeatureLimitReached, admit
from ajansops.kit.errors import DomainError
from ajansops.kit.events import changed, deleted, publish, snapshot
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


@cache
def json_display(name: str) -> Callable[[Model], str]:
    """The field shown by `pretty`. One object a name: Django looks for what it was given."""

    def show(row: Model) -> str:
        return pretty(getattr(row, name))

    show.short_description = name.replace("_", " ").capitalize()  # type: ignore[attr-defined]
    return show


def workspaces_allowing(user: Any, codename: str) -> list[int]:
    """Where this user has the permission."""
    allowing = roles_allowing(codename)
    return [workspace_id for workspace_id, role in user.roles.items() if role in allowing]


def within(rows: QuerySet[Any], workspaces: Collection[int | None]) -> QuerySet[Any]:
    """Those of these workspaces: they themselves, their people, or rows of theirs."""
    if rows.model is Workspace:
        return rows.filter(pk__in=workspaces)
    if rows.model is User:
        members = Membership.objects.filter(workspace__in=workspaces)
        return rows.filter(pk__in=members.values("user"))
    path = getattr(rows.model, "tenant_path", "workspace")
    return rows.filter(**{f"{path}__in": workspaces})


class OwnValues(AllValuesFieldListFilter):
    """A filter by a column of a related row, as `("job__kind", OwnValues)`: Django would offer everybody's values."""

    def __init__(self, field: Any, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(field, request, *args, **kwargs)
        page = args[2]  # after params and model, as Django calls it
        rows = page.seen(field.model._base_manager.all(), request)
        self.lookup_choices = rows.order_by(field.name).values_list(field.name, flat=True).distinct()


def _parameter(entry: Any) -> str:
    """Of a filter: a column, one with a class of Django's or ours, or a class that has its own choices."""
    if isinstance(entry, str):
        return entry
    return str(getattr(entry, "parameter_name", None) or entry[0])


class TenantAdmin(ModelAdmin):
    """Rows of tenants.

    raw_id_fields and list_editable would be ways around this: the first shows the name of any row by its id, the second
    asks for no right on the row that is changed. A test holds that nobody takes them.
    """

    extra_lookups: ClassVar[tuple[str, ...]] = ()  # that links between pages use
    list_filter_submit = False
    list_fullwidth = True
    list_per_page = 50

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only what a filter of the page asks for: any other look-up could read hidden columns letter by letter."""
        filters = [_parameter(entry) for entry in self.list_filter]
        names = [*filters, *self.extra_lookups, *([self.date_hierarchy] if self.date_hierarchy else [])]
        plain = {f"{name}__{kind}" for name in names for kind in PLAIN_LOOKUPS}
        return lookup in plain.union(names) and "\0" not in str(value)

    def get_form(self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any) -> Any:
        """A row stays in the workspace it was made in. Disabled rather than read-only: uniqueness is still checked.

        What it can point to is of that workspace; for a new row, of those where one may add, as it has none yet. A new
        row of a gauge asks the workspace's plan.
        """
        if obj is None and (gauge := getattr(self.model, "gauge", None)):
            kwargs.setdefault("form", self._asking(request, gauge))
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and "workspace" in form.base_fields:
            form.base_fields["workspace"].disabled = True
        if (workspaces := self._workspaces_of(request, obj)) is not None:
            for field in form.base_fields.values():
                if isinstance(field, ModelChoiceField) and field.queryset is not None:
                    field.queryset = within(field.queryset, workspaces)
        return form

    def _asking(self, request: HttpRequest, gauge: Feature) -> type[ModelForm]:
        page = self

        class Asking(self.form):  # type: ignore[name-defined]
            def clean(self) -> Any:
                fields = super().clean()
                if not self.errors:
                    page.admit(request, self.cleaned_data["workspace"].pk, gauge)
                return fields

        return Asking

    def admit(self, request: HttpRequest, workspace_id: int, gauge: Feature) -> None:
        """In the page's transaction, which then makes the row. Raises ValidationError."""
        try:
            admit(self.actor(request, workspace_id), gauge)
        except FeatureLimitReached as error:
            raise ValidationError(error.message) from error

    def _workspaces_of(self, request: HttpRequest, obj: Model | None) -> Collection[int | None] | None:
        if obj is not None:
            return [workspace_of(obj)]
        return None if request.user.is_superuser else workspaces_allowing(request.user, self._codename("add"))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Superusers see all."""
        return self.seen(super().get_queryset(request), request)

    def seen(self, rows: QuerySet[Any], request: HttpRequest) -> QuerySet[Any]:
        """Of any tenant's table: the rows of the workspaces where one may view those of this page."""
        if request.user.is_superuser:
            return rows
        return within(rows, workspaces_allowing(request.user, self._codename("view")))

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
        """Choices of what one sees only; `get_form` narrows them further."""
        kwargs.setdefault("queryset", self.seen(db_field.related_model._base_manager.all(), request))
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """As for a foreign key."""
        kwargs.setdefault("queryset", self.seen(db_field.related_model._base_manager.all(), request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def actor(self, request: HttpRequest, workspace_id: int) -> Actor:
        """Who acts when an action calls a service. Superusers act as owners, everybody else in their role."""
        request_id, user_id = getattr(request, "request_id", ""), request.user.pk
        assert user_id is not None
        if request.user.is_superuser:
            return operator(workspace_id, via=Via.ADMIN, user_id=user_id, request_id=request_id)
        actor = identity().actor_for_user(user_id, workspace=str(workspace_id), request_id=request_id)
        return replace(actor, via=Via.ADMIN)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """With a line in the activity log, in the transaction that the page has opened."""
        before = snapshot(self.model._base_manager.get(pk=obj.pk)) if change else {}
        super().save_model(request, obj, form, change)
        told = f"{self._resource()}.{'updated' if change else 'created'}"
        publish(self.actor(request, obj.workspace_id), told, obj, changed(obj, before))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """With a line in the activity log."""
        publish(self.actor(request, obj.workspace_id), f"{self._resource()}.deleted", obj, deleted(obj))
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """One by one: each row has its own right and its own line. Those one may not delete stay."""
        for row in queryset:
            if self.has_delete_permission(request, row):
                self.delete_model(request, row)

    def _resource(self) -> str:
        return str(self.opts.verbose_name).replace(" ", "_")

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
        return json_display(name) if name in self.json_fields else name

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False
