"""Crawls as the app surface words them."""

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.views import SurfaceView
from ajansops.kit.clock import iso
from ajansops.kit.permissions import Permission
from jobs.api.answers import StartedSerializer
from sites import services
from sites.api.answers import SeoStatusSerializer
from sites.api.serializers import SeoScrapeBody
from sites.selectors import AuditStatus, audit_status, get_site


class AppSeoScrapeView(SurfaceView):
    """Start one, or ask how the last one went."""

    rights = {"get": Permission.VIEW_REPORT, "post": Permission.ADD_REPORT}
    body = SeoScrapeBody
    queries = {"get": {"siteId": {"type": "string"}}}
    answers = {"get": {200: SeoStatusSerializer}, "post": {202: StartedSerializer}}

    def get(self, request: Request) -> Response:
        """Of `?siteId=`, or of the whole workspace."""
        pk = request.query_params.get("siteId")
        site = None if pk is None else get_site(self.actor, pk)
        return self.reply(_status(audit_status(self.actor, site)))

    def post(self, request: Request) -> Response:
        """202 with the job's id."""
        job = services.start_audit(self.actor, **self.parsed(SeoScrapeBody))
        return self.reply({"jobId": job.pk}, status=202)


def _status(status: AuditStatus) -> dict[str, Any]:
    last = status.last_run
    return {
        "running": status.running,
        "lastScrapedAt": iso(status.last_scraped_at),
        "totalReports": status.total_reports,
        "lastRun": {"action": last.action, "at": iso(last.at)} if last else None,
    }
