"""Sites and their SEO reports on the core surface."""

from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.filters import Exact, OneOf, RowOf, Search
from ajansops.api.lists import Include
from ajansops.api.views import CrudViewSet, ListMixin, ReadViewSet, ResourceViewSet, SurfaceView, crud
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobSerializer
from sites import services
from sites.api.serializers import (
    IssueSerializer,
    LighthouseBody,
    PageSpeedBody,
    ReportBody,
    ReportDetailSerializer,
    ReportSerializer,
    SeoScrapeBody,
    SiteBody,
    SiteSerializer,
    SubmittedSerializer,
)
from sites.models import Issue, Report, Severity, Site
from sites.selectors import get_site

LIGHTHOUSE = frozenset({"lighthouseVersion", "lighthouseResult"})  # as its own file and as PageSpeed Insights has it

REPORTS = PolymorphicProxySerializer(
    "SubmittedReport", [ReportBody, LighthouseBody, PageSpeedBody], resource_type_field_name=None
)  # for the schema

SITE = Include(lambda: SiteSerializer, Permission.VIEW_SITE)


class SiteViewSet(CrudViewSet):
    """Sites; on the app surface too."""

    model = Site
    output = SiteSerializer
    filters = {"search": Search(("name", "domain"))}
    input = SiteBody
    create_row = services.create_site
    change_row = services.update_site
    remove_row = services.delete_site
    noun = "Site"
    rights = crud(Permission.VIEW_SITE, Permission.ADD_SITE, Permission.CHANGE_SITE, Permission.DELETE_SITE)


class ReportViewSet(ReadViewSet):
    """Newest first; `?site_id=` and `?url=` narrow."""

    model = Report
    output = ReportSerializer
    detail_output = ReportDetailSerializer
    filters = {"site_id": RowOf("site", get_site), "url": Exact("url")}
    includes = {"site": SITE}
    noun = "Report"
    rights = {"list": Permission.VIEW_REPORT, "retrieve": Permission.VIEW_REPORT}

    def rows(self) -> QuerySet[Any]:
        """With the number of issues, counted in the same query."""
        rows: QuerySet[Any] = Report.objects.visible_to(self.actor)
        return rows.annotate(issues_count=Count("issues")).order_by("-id")


class IssueViewSet(ListMixin, ResourceViewSet):
    """The issues of the latest report of each URL or site; `?site_id=`, `?severity=` and `?type=` narrow."""

    model = Issue
    output = IssueSerializer
    filters = {
        "site_id": RowOf("report__site", get_site),
        "severity": OneOf("severity", Severity.values),
        "type": Exact("code"),
    }
    rights = {"list": Permission.VIEW_REPORT}

    def rows(self) -> QuerySet[Any]:
        """Newest report first, and in it as found: the order stays while pages are turned."""
        if self.kwargs["workspace_id"] != str(self.actor.workspace_id):
            raise NotFound
        newest = Report.objects.visible_to(self.actor).newest()
        rows: QuerySet[Any] = Issue.objects.visible_to(self.actor).filter(report__in=newest)
        return rows.select_related("report").order_by("-report_id", "id")


class SubmitReportView(SurfaceView):
    """Reports that somebody else measured."""

    rights = {"post": Permission.ADD_REPORT}
    body = {"application/json": REPORTS}
    answers = {"post": {201: SubmittedSerializer}}

    def post(self, request: Request) -> Response:
        """The documented body, or a Lighthouse result, which says its version."""
        if isinstance(request.data, dict) and not LIGHTHOUSE.isdisjoint(request.data):
            report = services.submit_lighthouse(self.actor, request.data)
        else:
            report = services.submit_report(self.actor, **self.parsed(ReportBody))
        shown = SubmittedSerializer(report).data
        return self.reply(shown, message=gettext("Report created successfully."), status=201)


class CoreSeoScrapeView(SurfaceView):
    """Crawls."""

    rights = {"post": Permission.ADD_REPORT}
    body = SeoScrapeBody
    answers = {"post": {202: JobSerializer}}

    def post(self, request: Request) -> Response:
        """202 with the job."""
        job = services.start_audit(self.actor, **self.parsed(SeoScrapeBody))
        return self.reply(JobSerializer(job).data, message=gettext("Crawl started."), status=202)
