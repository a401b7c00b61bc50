"""Sites, reports and issues in the admin."""

from collections import defaultdict
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from accounts.tenant_admin import BY_WORKSPACE, ReadOnlyAdmin
from sites import services
from sites.audits.admin import AuditAdmin, ChatAdmin, InsightAdmin
from sites.models import Audit, Chat, CrawledPage, Insight, Issue, Report, Severity, Site

admin.site.register(Audit, AuditAdmin)
admin.site.register(Insight, InsightAdmin)
admin.site.register(Chat, ChatAdmin)

COLOURS = {"error": "#dc2626", "warning": "#d97706", "notice": "#2563eb"}
SHOWN = 5  # places of one kind of issue
GOOD, FAIR = 90, 50  # as Lighthouse colours its scores


def score_colour(value: int | None) -> str:
    """Green, amber or red."""
    if value is None:
        return "#9ca3af"
    return "#16a34a" if value >= GOOD else "#d97706" if value >= FAIR else "#dc2626"


@admin.register(Site)
class SiteAdmin(ReadOnlyAdmin):
    list_display = ("name", "domain", "workspace", "tech_stack", "updated_at")
    list_filter = (BY_WORKSPACE,)
    list_select_related = ("workspace",)
    search_fields = ("name", "domain")
    fields = ("name", "domain", "workspace", "tech_stack", "lead_search_terms", "apify_keywords", "crawl", "pixel")
    json_fields = ("lead_search_terms", "apify_keywords", "crawl", "pixel")
    actions = ("audit",)

    @action(description="Crawl and report now")
    def audit(self, request: HttpRequest, sites: QuerySet[Site]) -> None:
        """One job a site."""
        self.for_each(request, sites, services.start_audit, "Audits started")


@admin.register(Report)
class ReportAdmin(ReadOnlyAdmin):
    list_display = (
        "url",
        "source",
        "score_seo",
        "score_performance",
        "score_accessibility",
        "score_best",
        "pages",
        "created_at",
    )
    list_filter = ("source", BY_WORKSPACE)
    search_fields = ("url", "job_id")
    date_hierarchy = "created_at"
    fields = ("url", "site", "workspace", "source", "job_id", "pages", "created_at", "result")

    @display(description="SEO", ordering="seo")
    def score_seo(self, report: Report) -> int | None:
        """0-100."""
        return report.seo

    @display(description="Performance", ordering="performance")
    def score_performance(self, report: Report) -> int | None:
        """0-100."""
        return report.performance

    @display(description="Accessibility", ordering="accessibility")
    def score_accessibility(self, report: Report) -> int | None:
        """0-100."""
        return report.accessibility

    @display(description="Best practices", ordering="best_practices")
    def score_best(self, report: Report) -> int | None:
        """0-100."""
        return report.best_practices

    @display(description="Result")
    def result(self, report: Report) -> SafeString:
        """Scores with what they cost, and the issues, worst first."""
        scores = [
            {
                "name": name.replace("_", " ").capitalize() if name != "seo" else "SEO",
                "value": value,
                "colour": score_colour(value),
                "costs": report.explanation.get(name, [])[:SHOWN],
            }
            for name, value in report.scores.items()
        ]
        return render_to_string("sites/report.html", {"scores": scores, "groups": issue_groups(report)})


def issue_groups(report: Report) -> list[dict[str, Any]]:
    """By severity and code, with the first places of each."""
    by_code: dict[tuple[str, str], list[Issue]] = defaultdict(list)
    for issue in report.issues.all():
        by_code[issue.severity, issue.code].append(issue)
    order = {severity: place for place, severity in enumerate(Severity.values)}
    return [
        {
            "severity": severity,
            "code": code,
            "colour": COLOURS[severity],
            "count": len(issues),
            "first": issues[:SHOWN],
            "more": max(0, len(issues) - SHOWN),
        }
        for (severity, code), issues in sorted(by_code.items(), key=lambda pair: (order[pair[0][0]], -len(pair[1])))
    ]


@admin.register(Issue)
class IssueAdmin(ReadOnlyAdmin):
    list_display = ("code", "severity_shown", "url", "element", "report")
    list_filter = ("severity", "code")
    list_select_related = ("report",)
    search_fields = ("url", "code")
    fields = ("report", "code", "severity", "url", "element", "details")
    json_fields = ("details",)

    @display(
        description="Severity", ordering="severity", label={"error": "danger", "warning": "warning", "notice": "info"}
    )
    def severity_shown(self, issue: Issue) -> str:
        """As a coloured label."""
        return issue.severity


@admin.register(CrawledPage)
class CrawledPageAdmin(ReadOnlyAdmin):
    list_display = ("url", "status", "error", "depth", "job")
    list_filter = ("status",)
    search_fields = ("url", "job__id")
    fields = ("job", "url", "status", "error", "depth", "in_sitemap", "facts")
    json_fields = ("facts",)
