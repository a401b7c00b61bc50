"""Leads on the core surface."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.response import Response

from ajansops.api.filters import OneOf, RowOf
from ajansops.api.lists import Include
from ajansops.api.views import ReadViewSet
from ajansops.kit.actor import Actor
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from leads.api.scrape import ScrapeView
from leads.api.serializers import LeadSerializer
from leads.models import Lead, Source
from sites.api.serializers import SiteSerializer
from sites.selectors import get_site


def search(rows: Any, text: str, actor: Actor) -> Any:
    """In what a company is found by."""
    return rows.search(text.strip()) if text.strip() else rows


class LeadViewSet(ReadViewSet):
    """Newest first; `?status=` and `?search=` narrow."""

    model = Lead
    output = LeadSerializer
    filters = {
        "search": search,
        "site_id": RowOf("site", get_site),
        "source": OneOf("source", Source.values),
    }
    includes = {"site": Include(lambda: SiteSerializer, Permission.VIEW_SITE)}
    noun = "Lead"
    rights = {"list": Permission.VIEW_LEAD, "retrieve": Permission.VIEW_LEAD}

    def rows(self) -> QuerySet[Any]:
        """Newest first."""
        return Lead.objects.visible_to(self.actor).order_by("-id")


class CoreScrapeView(ScrapeView):
    """The started job is shown as core shows jobs."""

    def started(self, job: Job) -> Response:
        """202 with the job."""
        data = JobSerializer(job).data
        return self.reply(data, message=gettext("Lead scrape started."), status=202)
