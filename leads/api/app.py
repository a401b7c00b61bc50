"""Leads on the app surface."""

from rest_framework.response import Response

from jobs.models import Job
from leads.api.scrape import ScrapeView


class AppScrapeView(ScrapeView):
    """The started job is its id."""

    site_parameter = "siteId"

    def started(self, job: Job) -> Response:
        """202 with the id."""
        return self.reply({"jobId": job.pk}, status=202)
