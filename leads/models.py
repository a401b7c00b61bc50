"""A company that might become a client, and what it is recognised by."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.tenancy import WorkspaceOwned, WorkspaceQuerySet
from leads.querysets import LeadQuerySet


class Source(models.TextChoices):
    """Where a lead was first found."""

    APIFY = "apify"
    CSV = "csv"
    NOMINATIM = "nominatim"
    WEBSITE = "website"


class LeadStatus(models.TextChoices):
    """How far people have come with it."""

    NEW = "new"
    QUALIFIED = "qualified"
    CONTACTED = "contacted"
    WON = "won"
    LOST = "lost"


class Lead(WorkspaceOwned):
    """One company of a workspace. Status, score, tags and owner belong to people: no scrape changes them."""

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
    tags = models.JSONField(default=list)
    owner = models.ForeignKey("accounts.User", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = LeadQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["workspace", "id"], name="lead_of_workspace"),
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
