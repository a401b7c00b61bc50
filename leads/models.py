"""A company that might become a client, what it is recognised by, and what is written to it."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext

from ajansops.kit.checks import complaints
from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.counting import CountedRows
from ajansops.kit.tenancy import WorkspaceOwned, WorkspaceQuerySet
from leads.mail_html import check_fields, check_line, mail_html
from leads.querysets import LeadQuerySet


class Source(models.TextChoices):
    """Where a lead was first found."""

    API = "api"
    APIFY = "apify"
    CSV = "csv"
    MANUAL = "manual"
    NOMINATIM = "nominatim"
    WEBSITE = "website"


SCRAPED = (Source.APIFY, Source.CSV, Source.NOMINATIM, Source.WEBSITE)  # the others are typed in, or sent by programs


class LeadStatus(models.TextChoices):
    """How far people have come with it."""

    NEW = "new"
    QUALIFIED = "qualified"
    CONTACTED = "contacted"
    WON = "won"
    LOST = "lost"


class Lead(WorkspaceOwned):
    """One company of a workspace. Status, score, tags and owner belong to people: no scrape changes them."""

    personal: ClassVar[frozenset[str]] = frozenset(
        {"contact", "emails", "phones", "address", "latitude", "longitude", "socials"}
    )

    site = models.ForeignKey("sites.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    company = models.CharField(max_length=255)
    contact = models.CharField(max_length=255, blank=True, help_text="A person to ask for.")
    emails = models.JSONField(default=list)
    phones = models.JSONField(default=list, help_text="E.164.")
    website = models.CharField(max_length=2000, blank=True)
    address = models.JSONField(default=dict, help_text="street, locality, region, postal_code, country; or formatted.")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    socials = models.JSONField(default=list)
    source = models.CharField(max_length=9, choices=Source)
    external_id = models.CharField(max_length=255, blank=True, help_text="The company's id at the source.")
    score = models.PositiveSmallIntegerField(default=0, help_text="0-100, how well it can be reached.")
    status = models.CharField(max_length=9, choices=LeadStatus, default=LeadStatus.NEW)
    tags = models.JSONField(default=list, blank=True)
    owner = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = LeadQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="lead_of_workspace"),
            CountedRows(name="lead_count"),
            SameWorkspace("site", name="lead_site_same_workspace"),
            models.CheckConstraint(condition=Q(score__lte=100), name="lead_score_at_most_100"),
            models.CheckConstraint(condition=Q(status__in=LeadStatus.values), name="lead_status_known"),
            models.CheckConstraint(condition=Q(source__in=Source.values), name="lead_source_known"),
            models.CheckConstraint(
                condition=Q(latitude=None, longitude=None) | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="lead_place_on_earth",
            ),
        ]
        indexes = [models.Index(fields=["workspace", "status", "-id"], name="lead_by_status")]

    def __str__(self) -> str:
        return self.company


class IdentityKind(models.TextChoices):
    """From the surest to the least sure."""

    EXTERNAL = "external"
    DOMAIN = "domain"
    EMAIL = "email"
    PHONE = "phone"


class LeadIdentity(WorkspaceOwned):
    """What one lead of the workspace, and no other, is recognised by: the constraint is what prevents duplicates."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="identities")
    kind = models.CharField(max_length=8, choices=IdentityKind)
    value = models.CharField(max_length=512)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "lead identities"
        constraints = [
            models.UniqueConstraint(fields=["workspace", "kind", "value"], name="lead_identity_once"),
            SameWorkspace("lead", name="lead_identity_lead_same_workspace"),
            models.CheckConstraint(condition=Q(kind__in=IdentityKind.values), name="lead_identity_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}:{self.value}"


class EmailTemplate(WorkspaceOwned):
    """A mail with merge fields. `html` is sanitised by `clean`, before it comes here."""

    name = models.CharField(max_length=120)
    subject = models.CharField(max_length=255, help_text="One line; may hold merge fields such as {{ name }}.")
    html = models.TextField(max_length=200_000)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="email_template_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="email_template_of_workspace"),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for a broken merge field, a subject of more than a line, and HTML without a word."""
        subject = complaints(check_line, self.subject) + complaints(check_fields, self.subject)
        self.subject, written, self.html = self.subject.strip(), self.html, mail_html(self.html)
        # Once more when it is safe: what was removed may have stood between two braces.
        html = complaints(check_fields, written) or complaints(check_fields, self.html)
        if not (self.html or html):
            html = [gettext("Nothing is left of this once it is made safe.")]
        if subject or html:
            raise ValidationError({name: found for name, found in (("subject", subject), ("html", html)) if found})
