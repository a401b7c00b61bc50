"""Leads on the app surface."""

from rest_framework.response import Response

from jobs.api.answers import StartedSerializer
from jobs.models import Job
from leads.api.scrape import ScrapeView


class AppScrapeView(ScrapeView):
    """The started job is its id."""

    site_parameter = "siteId"
    queries = {"get": {"siteId": {"type": "string"}}}
    answers = ScrapeView.answers | {"post": {202: StartedSerializer}}

    def started(self, job: Job) -> Response:
        """202 with the id."""
        return self.reply({"jobId": job.pk}, status=202)
