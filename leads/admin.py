"""Leads in the admin."""

from django.contrib import admin
from unfold.decorators import display

from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin
from leads.models import Lead, LeadIdentity

STATUS_COLOURS = {"new": "info", "qualified": "warning", "contacted": "warning", "won": "success", "lost": "danger"}


@admin.register(Lead)
class LeadAdmin(ReadOnlyAdmin):
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
    json_fields = ("emails", "phones", "address", "socials", "tags")

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
