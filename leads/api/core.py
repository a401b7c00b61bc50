"""Leads and mail templates on the core surface."""

from typing import Any

from django.utils.translation import gettext
from rest_framework.response import Response

from accounts.api.serializers import PersonSerializer
from ajansops.api.filters import Holds, Number, OneOf, RowOf, Search
from ajansops.api.lists import Include
from ajansops.api.views import CrudViewSet, crud
from ajansops.kit.actor import Actor
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobSerializer
from jobs.models import Job
from leads.api.scrape import ScrapeView
from leads.api.serializers import LeadBody, LeadSerializer, TemplateBody, TemplateSerializer
from leads.models import EmailTemplate, Lead, Source
from leads.services.leads import LEADS
from leads.services.templates import TEMPLATES
from sites.api.serializers import SiteSerializer
from sites.selectors import get_site


def search(rows: Any, text: str, actor: Actor) -> Any:
    """In what a company is found by."""
    return rows.search(text.strip()) if text.strip() else rows


class LeadViewSet(CrudViewSet):
    """Newest first; `?status=` and `?search=` narrow."""

    model, output, input, noun = Lead, LeadSerializer, LeadBody, "Lead"
    create_row, change_row, remove_row = LEADS.create, LEADS.update, LEADS.remove
    filters = {
        "search": search,
        "site_id": RowOf("site", get_site),
        "source": OneOf("source", Source.values),
        "owner_id": Number("owner"),
        "tag": Holds("tags"),
    }
    includes = {
        "site": Include(lambda: SiteSerializer, Permission.VIEW_SITE),
        "owner": Include(lambda: PersonSerializer, Permission.VIEW_MEMBER),
    }
    rights = crud(Permission.VIEW_LEAD, Permission.ADD_LEAD, Permission.CHANGE_LEAD, Permission.DELETE_LEAD)


class TemplateViewSet(CrudViewSet):
    """Mails with merge fields."""

    model, output, input, noun = EmailTemplate, TemplateSerializer, TemplateBody, "E-mail template"
    create_row, change_row, remove_row = TEMPLATES.create, TEMPLATES.update, TEMPLATES.remove
    filters = {"search": Search(("name", "subject"))}
    rights = crud(
        Permission.VIEW_EMAIL_TEMPLATE,
        Permission.ADD_EMAIL_TEMPLATE,
        Permission.CHANGE_EMAIL_TEMPLATE,
        Permission.DELETE_EMAIL_TEMPLATE,
    )


class CoreScrapeView(ScrapeView):
    """The started job is shown as core shows jobs."""

    def started(self, job: Job) -> Response:
        """202 with the job."""
        data = JobSerializer(job).data
        return self.reply(data, message=gettext("Lead scrape started."), status=202)
