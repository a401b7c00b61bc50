"""Leads and mail templates in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin_forms import ServiceForm
from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin, TenantAdmin
from ajansops.kit.actor import Actor
from leads.models import EmailTemplate, Lead, LeadIdentity
from leads.services.leads import LEADS

STATUS_COLOURS = {"new": "info", "qualified": "warning", "contacted": "warning", "won": "success", "lost": "danger"}


class LinesField(forms.CharField):
    """A list of texts, one a line."""

    widget = UnfoldAdminTextareaWidget

    def prepare_value(self, value: Any) -> Any:
        """For the form."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """For the service."""
        return str(value or "").splitlines()


class LeadForm(ServiceForm):
    """What people decide about a lead."""

    tags = LinesField(required=False, help_text="One a line.")

    class Meta:
        model = Lead
        fields = ("workspace", "status", "owner", "tags")

    def make(self, actor: Actor, fields: dict[str, Any]) -> Lead:
        """By the service that the API calls too."""
        lead: Lead = LEADS.update(actor, self.instance, **fields)
        return lead


@admin.register(Lead)
class LeadAdmin(ReadOnlyAdmin):
    form = LeadForm
    list_display = (
        "company",
        "status_shown",
        "score",
        "emails_shown",
        "phones_shown",
        "source",
        "workspace",
        "created_at",
    )
    list_filter = ("status", "source", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("company", "website")
    fields = (
        "company",
        "contact",
        "status",
        "score",
        "emails",
        "phones",
        "website",
        "address",
        "socials",
        "source",
        "site",
        "workspace",
        "owner",
        "tags",
        "created_at",
        "updated_at",
    )
    json_fields = ("emails", "phones", "address", "socials")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """All that the form does not have."""
        return [name for name in self.get_fields(request, obj) if name not in LeadForm.Meta.fields]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form knows who fills it in."""
        kwargs["fields"] = LeadForm.Meta.fields
        form = super().get_form(request, obj, change, **kwargs)
        form.actor_in = staticmethod(lambda workspace_id: self.actor(request, workspace_id))
        return form

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """By role in the row's workspace."""
        return self._may(request, "change", obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The service has saved it, with its line in the log."""

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_shown(self, lead: Lead) -> str:
        """As a coloured label."""
        return lead.status

    @display(description="E-mails")
    def emails_shown(self, lead: Lead) -> str:
        """In a row."""
        return ", ".join(lead.emails)

    @display(description="Phones")
    def phones_shown(self, lead: Lead) -> str:
        """In a row."""
        return ", ".join(lead.phones)


@admin.register(LeadIdentity)
class LeadIdentityAdmin(ReadOnlyAdmin):
    list_display = ("lead", "kind", "value")
    list_filter = ("kind", BY_WORKSPACE)
    list_select_related = ("lead",)
    search_fields = ("value",)
    fields = ("workspace", "lead", "kind", "value")


@admin.register(EmailTemplate)
class EmailTemplateAdmin(TenantAdmin):
    list_display = ("name", "subject", "workspace", "updated_at")
    list_filter = (BY_WORKSPACE,)
    list_select_related = ("workspace",)
    search_fields = ("name", "subject")
    fields = ("workspace", "name", "subject", "html")
