"""How sites and reports look on the wire, and what may be sent."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from ajansops.api.fields import Number, WorkspaceRelatedField
from ajansops.api.serializers import Body, Moment, Row
from sites.models import MAX_URL, SCORES, Issue, Report, Severity, Site
from sites.options import BOUNDS, default_crawl, default_pixel
from sites.selectors import Comparison, compare

COMPARED = 1000  # issues shown of each list of a comparison; the counts beside them are whole


def _whole(name: str) -> serializers.IntegerField:
    low, high = BOUNDS[name]
    return serializers.IntegerField(min_value=low, max_value=high, default=default_crawl()[name])


def _fraction(name: str, **options: Any) -> Number:
    low, high = BOUNDS[name]
    return Number(min_value=low, max_value=high, **options)


def _score() -> serializers.IntegerField:
    return serializers.IntegerField(min_value=0, max_value=100, allow_null=True, default=None)


class CrawlBody(Body):
    """`CrawlOptions`. A PATCH leaves alone what it does not name."""

    max_pages = _whole("max_pages")
    max_depth = _whole("max_depth")
    concurrency = _whole("concurrency")
    delay_seconds = _fraction("delay_seconds", allow_null=True, default=None)


class PixelBody(Body):
    """`PixelOptions`."""

    enabled = serializers.BooleanField(default=default_pixel()["enabled"])
    sample_rate = _fraction("sample_rate", default=default_pixel()["sample_rate"])


def _words() -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=255), max_length=100, default=list)


class SiteBody(Body):
    """A site as clients write it."""

    name = serializers.CharField(max_length=255)
    domain = serializers.CharField(max_length=MAX_URL, help_text="A host, perhaps with a port; or any URL on it.")
    tech_stack = serializers.CharField(max_length=255, allow_blank=True, default="")
    apify_keywords = _words()
    lead_search_terms = _words()
    pixel = PixelBody(default=default_pixel)
    crawl = CrawlBody(default=default_crawl)


class CrawlShape(serializers.Serializer[Any]):
    """Crawl settings, every one filled in."""

    max_pages, max_depth, concurrency = (serializers.IntegerField() for _ in range(3))
    delay_seconds = serializers.FloatField(allow_null=True)


class PixelShape(serializers.Serializer[Any]):
    """Pixel settings."""

    enabled = serializers.BooleanField()
    sample_rate = serializers.FloatField()


class SiteSerializer(Row):
    """A site with every setting filled in."""

    crawl = serializers.SerializerMethodField()

    class Meta:
        model = Site
        needs = {"crawl": ("crawl",)}
        shapes = {"crawl": CrawlShape, "pixel": PixelShape}
        fields = (
            "id",
            "name",
            "domain",
            "tech_stack",
            "apify_keywords",
            "lead_search_terms",
            "pixel",
            "crawl",
            "created_at",
            "updated_at",
        )

    def get_crawl(self, site: Site) -> dict[str, Any]:
        """Defaults included."""
        return asdict(site.crawl_options)


class ScoresBody(Body):
    """What was not measured is left out or null."""

    performance = _score()
    accessibility = _score()
    best_practices = _score()
    seo = _score()


class IssueBody(Body):
    """One thing that is wrong."""

    type = serializers.CharField(max_length=128)
    severity = serializers.ChoiceField(Severity.choices)
    element = serializers.CharField(max_length=500, allow_blank=True, default="")
    details = serializers.DictField(default=dict)


class ReportBody(Body):
    """The documented body."""

    url = serializers.CharField(max_length=MAX_URL)
    scores = ScoresBody()
    issues = serializers.ListField(child=IssueBody(), max_length=5000, default=list)


class LighthouseBody(serializers.Serializer[Any]):
    """A Lighthouse result as its own file has it; `sites.seo.lighthouse` reads it, and PageSpeed's around it."""

    lighthouseVersion = serializers.CharField()  # noqa: N815
    requestedUrl = serializers.CharField(required=False)  # noqa: N815
    finalUrl = serializers.CharField(required=False)  # noqa: N815
    finalDisplayedUrl = serializers.CharField(required=False)  # noqa: N815
    categories = serializers.DictField()
    audits = serializers.DictField()


class PageSpeedBody(serializers.Serializer[Any]):
    """A Lighthouse result as PageSpeed Insights sends it."""

    lighthouseResult = LighthouseBody()  # noqa: N815


class SeoScrapeBody(Body):
    """Which site to crawl."""

    site_id = WorkspaceRelatedField(Site, source="site")


class IssueSerializer(serializers.Serializer[Issue]):
    """As documented; where on the page it is stands in its details."""

    id = serializers.IntegerField()
    url = serializers.CharField()
    issue_type = serializers.CharField(source="code")
    severity = serializers.ChoiceField(Severity.choices)
    details = serializers.SerializerMethodField()
    created_at = Moment(source="report.created_at")

    class Meta:
        needs = {"details": ("details", "element"), "created_at": ("report__created_at",)}

    def get_details(self, issue: Issue) -> dict[str, Any]:
        """The evidence and the element."""
        details: dict[str, Any] = issue.details
        return ({"element": issue.element} if issue.element else {}) | details


class ReportSerializer(Row):
    """A report in a list. Its rows carry `issues_count`."""

    scores = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    issues_count = serializers.IntegerField()

    class Meta:
        model = Report
        needs = {"scores": SCORES, "issues_count": ()}
        fields = ("id", "url", "site_id", "job_id", "source", "pages", "scores", "issues_count", "created_at")


class ReportDetailSerializer(ReportSerializer):
    """A report with what explains it and what has changed since the one before."""

    comparison = serializers.SerializerMethodField()
    comparison_counts = serializers.SerializerMethodField()

    class Meta:
        model = Report
        fields = (*ReportSerializer.Meta.fields, "explanation", "comparison", "comparison_counts")

    def to_representation(self, instance: Report) -> dict[str, Any]:
        """Compared once for both fields."""
        self._compared: Comparison = compare(instance)
        return super().to_representation(instance)

    def get_comparison(self, report: Report) -> dict[str, Any]:
        """The first `COMPARED` issues of each list."""
        return {
            name: [IssueSerializer(issue).data for issue in issues[:COMPARED]]
            for name, issues in self._compared.lists().items()
        }

    def get_comparison_counts(self, report: Report) -> dict[str, int]:
        """Of all."""
        return {name: len(issues) for name, issues in self._compared.lists().items()}


class SubmittedSerializer(serializers.Serializer[Report]):
    """The answer to a submission."""

    id = serializers.IntegerField()
    url = serializers.CharField()
    scores = serializers.DictField()
    issues = IssueSerializer(many=True, source="issues.all")
