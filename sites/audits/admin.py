"""Audits, insights and chats in the admin. Registered with the rest of the app's pages."""

from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin
from sites.audits.models import Audit, Insight

SEVERITIES = {"critical": "danger", "high": "danger", "medium": "warning", "low": "info"}
PRICE = ("mode", "model", "input_tokens", "cached_tokens", "output_tokens", "cost_usd", "elapsed_ms")


class AuditAdmin(ReadOnlyAdmin):
    list_display = ("account", "account_health_score", "found", "dropped_insights", "mode", "cost_usd", "created_at")
    list_filter = (BY_WORKSPACE,)
    search_fields = ("account", "job_id")
    date_hierarchy = "created_at"
    fields = (
        "account",
        "site",
        "workspace",
        "job_id",
        "language",
        "account_health_score",
        "executive_summary",
        "dropped_insights",
        "insights_found",
        *PRICE,
        "created_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Audit]:
        """With the number of insights, counted in the same query."""
        return super().get_queryset(request).annotate(found_count=Count("insights"))

    @display(description="Insights")
    def found(self, audit: Audit) -> int:
        """How many."""
        return audit.found_count  # type: ignore[attr-defined]  # annotated

    @display(description="Insights")
    def insights_found(self, audit: Audit) -> str:
        """A line each."""
        return "\n".join(f"{insight.severity}: {insight.title}" for insight in audit.insights.all()) or "–"


class InsightAdmin(ReadOnlyAdmin):
    list_display = ("title", "severity_shown", "status", "metric", "value", "baseline", "change", "created_at")
    list_filter = ("severity", "status", BY_WORKSPACE)
    search_fields = ("title", "entity_name", "metric")
    fields = (
        "title",
        "body",
        "severity",
        "status",
        "entity_id",
        "entity_name",
        "metric",
        "value",
        "baseline",
        "change",
        "audit",
        "workspace",
    )

    @display(description="Severity", ordering="severity", label=SEVERITIES)
    def severity_shown(self, insight: Insight) -> str:
        """As a coloured label."""
        return insight.severity


class ChatAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "workspace", "user", "mode", "status", "output_tokens", "cost_usd")
    list_filter = ("status", BY_WORKSPACE)
    list_select_related = ("workspace", "user")
    fields = ("workspace", "user", "api_key", "status", *PRICE, "created_at", "ended_at")
