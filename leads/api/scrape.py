"""Starting a scrape and asking how it stands: the same on every surface but for the answer to the start."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.views import SurfaceView
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from leads.api.answers import ScrapeStatusSerializer
from leads.api.serializers import LeadScrapeBody, status_body
from leads.selectors import scrape_status
from leads.services.scrape import start_scrape
from sites.selectors import get_site


class ScrapeView(SurfaceView):
    """POST starts, GET tells. 409 while the site's last scrape is running."""

    rights = {"get": Permission.VIEW_LEAD, "post": Permission.ADD_LEAD}
    site_parameter = "site_id"
    body = LeadScrapeBody
    queries: ClassVar[Any] = {"get": {"site_id": {"type": "string"}}}
    answers: ClassVar[Any] = {"get": {200: ScrapeStatusSerializer}, "post": {202: JobSerializer}}

    def get(self, request: Request) -> Response:
        """Of the site in the query, or of the whole workspace."""
        assert self.surface is not None
        pk = request.query_params.get(self.site_parameter)
        site = get_site(self.actor, pk) if pk is not None else None
        return self.reply(self.surface.encode(status_body(scrape_status(self.actor, site))))

    def post(self, request: Request) -> Response:
        """202 with the job."""
        return self.started(start_scrape(self.actor, **self.parsed(LeadScrapeBody)))

    def started(self, job: Job) -> Response:
        """How the surface shows it."""
        raise NotImplementedError
