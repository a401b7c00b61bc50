"""How leads and their scrapes look on the wire, before a surface changes the casing."""

from typing import Any

from rest_framework import serializers

from accounts.api.serializers import people
from ajansops.api.fields import Number, WorkspaceRelatedField
from ajansops.api.serializers import Body, Row
from ajansops.kit.clock import iso
from leads.found import MAX_EMAILS, MAX_PHONES, MAX_SOCIALS, MAX_URL
from leads.models import EmailTemplate, Lead, LeadStatus, Source
from leads.selectors import ScrapeStatus
from leads.typed import MAX_TAG, MAX_TAGS
from sites.models import Site


def _texts(length: int, most: int) -> serializers.ListField:
    return serializers.ListField(child=serializers.CharField(max_length=length), max_length=most, default=list)


def _text(length: int = 255) -> serializers.CharField:
    return serializers.CharField(max_length=length, allow_blank=True, default="")


class AddressBody(Body):
    """In parts, or in one line."""

    street, locality, region, postal_code, country, formatted = (_text() for _ in range(6))


ADDRESS = {"type": "object", "additionalProperties": {"type": "string"}}  # in the schema: those that are known


class LeadBody(Body):
    """A lead as clients write it. Without `source` and `score` a new one gets what fits, and an old one keeps its own.

    What addresses, numbers and places have to be the service says.
    """

    company = serializers.CharField(max_length=255)
    contact = _text()
    emails = _texts(MAX_URL, MAX_EMAILS)
    phones = _texts(MAX_URL, MAX_PHONES)
    website = _text(MAX_URL)
    address = AddressBody(default=dict)
    latitude = Number(allow_null=True, default=None)
    longitude = Number(allow_null=True, default=None)
    socials = _texts(MAX_URL, MAX_SOCIALS)
    source = serializers.ChoiceField(Source.choices, required=False)  # type: ignore[assignment]  # our own word
    external_id = _text()
    score = serializers.IntegerField(min_value=0, max_value=100, required=False)
    status = serializers.ChoiceField(LeadStatus.choices, default=LeadStatus.NEW)
    tags = _texts(MAX_TAG, MAX_TAGS)
    site_id = WorkspaceRelatedField(Site, source="site", allow_null=True, default=None)
    owner_id = WorkspaceRelatedField(people, source="owner", allow_null=True, default=None)


class LeadSerializer(Row):
    """A lead."""

    class Meta:
        model = Lead
        shapes = {"address": ADDRESS}
        fields = ("id", *LeadBody.names(), "created_at", "updated_at")


class LeadScrapeBody(Body):
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


class TemplateBody(Body):
    """A mail as clients write it. The subject is not trimmed: a line end in it is an error, at its ends too."""

    name = serializers.CharField(max_length=120)
    subject = serializers.CharField(max_length=255, trim_whitespace=False)
    html = serializers.CharField(max_length=200_000)


class TemplateSerializer(Row):
    """A mail with merge fields."""

    class Meta:
        model = EmailTemplate
        fields = ("id", *TemplateBody.names(), "created_at", "updated_at")
