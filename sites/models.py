"""A client's site, and what was measured on it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.entitlements import Feature
from ajansops.kit.tenancy import Tenancy, WorkspaceOwned, WorkspaceQuerySet
from sites import domains
from sites.audits.models import Audit, Chat, ChatStatus, Insight, InsightSeverity, InsightStatus
from sites.options import CrawlOptions, check_crawl, check_pixel, default_crawl, default_pixel
from sites.querysets import CrawledPageQuerySet, ReportQuerySet

__all__ = [
    "Audit",
    "Chat",
    "ChatStatus",
    "CrawledPage",
    "Insight",
    "InsightSeverity",
    "InsightStatus",
    "Issue",
    "Report",
    "Severity",
    "Site",
    "Source",
]

SCORES = ("performance", "accessibility", "best_practices", "seo")
MAX_URL = 2000
SEO = "seo"  # the kind of a crawl's job


class Site(WorkspaceOwned):
    """A client's website."""

    gauge: ClassVar[Feature | None] = Feature.SITES

    name = models.CharField(max_length=255)
    domain = models.CharField(max_length=domains.MAX_CHARS, help_text="As `normal_domain` writes it; may carry a port.")
    tech_stack = models.CharField(max_length=255, blank=True)
    apify_keywords = models.JSONField(default=list, blank=True, help_text="Searches whose rank is tracked.")
    lead_search_terms = models.JSONField(default=list, blank=True)
    pixel = models.JSONField(default=default_pixel, validators=[check_pixel])
    crawl = models.JSONField(default=default_crawl, validators=[check_crawl])

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = [
            models.UniqueConstraint(fields=["workspace", "domain"], name="site_domain_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="site_of_workspace"),
            models.CheckConstraint(condition=~Q(domain=""), name="site_has_domain"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def start_url(self) -> str:
        """Where a crawl begins."""
        return domains.start_url(self.domain)

    @property
    def subject(self) -> str:
        """What jobs and reports about the whole site are filed under."""
        return f"site:{self.pk}"

    @property
    def crawl_options(self) -> CrawlOptions:
        """The stored settings over the defaults."""
        return CrawlOptions.of(self.crawl)


class Source(models.TextChoices):
    """Who measured."""

    CRAWL = "crawl"
    API = "api"
    LIGHTHOUSE = "lighthouse"


class Severity(models.TextChoices):
    """From worst to least."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Report(WorkspaceOwned):
    """One measurement of a site or of one page. Reports with the same `subject` are each other's past and future."""

    site = models.ForeignKey(Site, null=True, blank=True, on_delete=models.CASCADE, related_name="reports")
    url = models.CharField(max_length=MAX_URL)
    subject = models.CharField(max_length=MAX_URL, editable=False, help_text="site:12 of a crawl, else the URL.")
    job_id = models.CharField(max_length=80, null=True, blank=True, unique=True, help_text="One report a crawl.")
    source = models.CharField(max_length=10, choices=Source)
    performance = models.PositiveSmallIntegerField(null=True, blank=True)
    accessibility = models.PositiveSmallIntegerField(null=True, blank=True)
    best_practices = models.PositiveSmallIntegerField(null=True, blank=True)
    seo = models.PositiveSmallIntegerField(null=True, blank=True)
    explanation = models.JSONField(default=dict, help_text="By score: the points that each issue code cost.")
    pages = models.PositiveIntegerField(default=0, help_text="How many were looked at.")

    objects = ReportQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            SameWorkspace("site", name="report_site_same_workspace"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="report_source_known"),
            *(
                models.CheckConstraint(
                    condition=Q(**{name: None}) | Q(**{f"{name}__lte": 100}), name=f"report_{name}_fits"
                )
                for name in SCORES
            ),
        ]
        indexes = [models.Index(fields=["workspace", "subject", "-id"], name="report_latest_of_subject")]

    def __str__(self) -> str:
        return self.url

    @property
    def scores(self) -> dict[str, int | None]:
        """0-100 by name; None for what was not measured."""
        return {name: getattr(self, name) for name in SCORES}


class Issue(models.Model):
    """Something that a report found wrong. `url`, `code` and `element` together say that two issues are the same."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "report__workspace"

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="issues")
    url = models.CharField(max_length=MAX_URL)
    code = models.CharField(max_length=128)
    severity = models.CharField(max_length=7, choices=Severity)
    element = models.CharField(max_length=500, blank=True, help_text="Where on the page, like img.hero-image.")
    details = models.JSONField(default=dict, help_text="The evidence.")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [models.CheckConstraint(condition=Q(severity__in=Severity.values), name="issue_severity_known")]

    def __str__(self) -> str:
        return f"{self.code} {self.url}"


class CrawledPage(models.Model):
    """What one crawl saw at one URL: its facts, or why there are none."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "job__workspace"

    job = models.ForeignKey("jobs.Job", on_delete=models.CASCADE, related_name="+")
    url = models.CharField(max_length=MAX_URL)
    depth = models.PositiveSmallIntegerField()
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status; none when nothing answered.")
    facts = models.JSONField(null=True, help_text="PageFacts; none for a redirect or a failure.")
    error = models.CharField(max_length=64, blank=True, help_text="The code of a fetch that failed.")
    redirect_to = models.CharField(max_length=MAX_URL, blank=True)
    in_sitemap = models.BooleanField(default=False)
    dropped = models.PositiveIntegerField(default=0, help_text="Links left alone for want of budget.")
    text_hash = models.CharField(max_length=64, blank=True, help_text="Of the visible text; many alike are a trap.")

    objects = CrawledPageQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [models.UniqueConstraint(fields=["job", "url"], name="page_once_a_crawl")]
        indexes = [models.Index(fields=["job", "text_hash"], condition=~Q(text_hash=""), name="page_by_text")]

    def __str__(self) -> str:
        return self.url
