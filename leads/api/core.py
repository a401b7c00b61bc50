"""Leads on the core surface."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.response import Response

from ajansops.api.views import ReadViewSet
from ajansops.kit.errors import Invalid
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from leads.api.scrape import ScrapeView
from leads.api.serializers import LeadSerializer
from leads.models import Lead, LeadStatus


class LeadViewSet(ReadViewSet):
    """Newest first; `?status=` and `?search=` narrow."""

    model = Lead
    output = LeadSerializer
    noun = "Lead"
    rights = {"list": Permission.VIEW_LEAD, "retrieve": Permission.VIEW_LEAD}

    def rows(self) -> QuerySet[Any]:
        """Filtered by what the query names; an unknown status is an error."""
        rows = Lead.objects.visible_to(self.actor).order_by("-id")
        status, text = (self.request.query_params.get(name, "").strip() for name in ("status", "search"))
        if status and status not in LeadStatus.values:
            message = gettext("Use one of: %(known)s.") % {"known": ", ".join(LeadStatus.values)}
            raise Invalid(errors={"status": [message]})
        rows = rows.filter(status=status) if status else rows
        return rows.search(text) if text else rows


class CoreScrapeView(ScrapeView):
    """The started job is shown as core shows jobs."""

    def started(self, job: Job) -> Response:
        """202 with the job."""
        data = JobSerializer(job).data
        return self.reply(data, message=gettext("Lead scrape started."), status=202)
