"""How leads and their scrapes look on the wire, before a surface changes the casing."""

from typing import Any

from rest_framework import serializers

from ajansops.api.fields import WorkspaceRelatedField
from ajansops.api.serializers import Body, Row
from ajansops.kit.clock import iso
from leads.models import Lead, Source
from leads.selectors import ScrapeStatus
from sites.models import Site


class LeadSerializer(Row):
    """A lead."""

    class Meta:
        model = Lead
        fields = (
            "id",
            "company",
            "contact",
            "emails",
            "phones",
            "website",
            "address",
            "latitude",
            "longitude",
            "socials",
            "source",
            "external_id",
            "score",
            "status",
            "tags",
            "site_id",
            "owner_id",
            "created_at",
            "updated_at",
        )


class ScrapeBody(Body):
    """What a scrape is to do. Which values are allowed the service says."""

    site_id = WorkspaceRelatedField(Site, source="site")
    source = serializers.CharField(max_length=20, default=Source.WEBSITE.value)  # type: ignore[assignment]  # our own word
    terms = serializers.ListField(child=serializers.CharField(max_length=2000), required=False)
    limit = serializers.IntegerField(required=False)


def status_body(status: ScrapeStatus) -> dict[str, Any]:
    """As the app reference documents it, in our own casing."""
    last_run = {"action": status.last_action, "at": iso(status.last_at)} if status.last_action else None
    return {
        "running": status.running,
        "last_scraped_at": iso(status.last_scraped_at),
        "total_leads": status.total_leads,
        "last_run": last_run,
    }
