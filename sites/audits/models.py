"""An audit, what it found, and what answers about that cost. No prompt, question or answer of a chat is kept."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from ajansops.ai import contract
from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.tenancy import WorkspaceOwned, WorkspaceQuerySet

MAX_TITLE = 255
MAX_NAME = 255  # of entities and metrics
MAX_SCORE = 100


class InsightSeverity(models.TextChoices):
    """From worst to least, as the providers' contract has them."""

    CRITICAL = contract.Severity.CRITICAL.value
    HIGH = contract.Severity.HIGH.value
    MEDIUM = contract.Severity.MEDIUM.value
    LOW = contract.Severity.LOW.value


class InsightStatus(models.TextChoices):
    """What people made of it."""

    OPEN = "open"
    RESOLVED = "resolved"
    DISMISSED = "dismissed"


class ChatStatus(models.TextChoices):
    """How an answer ended. One that stays open longer than an answer may take was lost with its process."""

    OPEN = "open"
    COMPLETED = "completed"
    ABORTED = "aborted"  # the client went away
    FAILED = "failed"


class Priced(WorkspaceOwned):
    """Something that a provider was asked for, and what that took."""

    mode = models.CharField(max_length=16, help_text="Who wrote it: claude, mock.")
    model = models.CharField(max_length=64, blank=True)
    input_tokens = models.PositiveIntegerField(default=0, help_text="Cached ones included.")
    cached_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0)
    elapsed_ms = models.PositiveIntegerField(default=0)

    class Meta:
        abstract = True

    def charge(self, usage: contract.Usage, elapsed_ms: int) -> None:
        """Note what it took."""
        self.model = usage.model
        self.input_tokens, self.cached_tokens = usage.input_tokens, usage.cached_tokens
        self.output_tokens, self.cost_usd = usage.output_tokens, usage.cost_usd
        self.elapsed_ms = elapsed_ms


class Audit(Priced):
    """One reading of an account's metrics."""

    site = models.ForeignKey("sites.Site", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    job_id = models.CharField(max_length=80, null=True, blank=True, unique=True, help_text="One audit a job.")
    account = models.CharField(max_length=MAX_NAME, help_text="The name of the client's account.")
    language = models.CharField(max_length=2)
    executive_summary = models.TextField()
    account_health_score = models.PositiveSmallIntegerField()
    dropped_insights = models.PositiveIntegerField(default=0, help_text="Found without evidence, so left out.")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            SameWorkspace("site", name="audit_site_same_workspace"),
            models.UniqueConstraint(fields=["workspace", "id"], name="audit_of_workspace"),
            models.CheckConstraint(condition=Q(account_health_score__lte=MAX_SCORE), name="audit_score_fits"),
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.account_health_score}"


class Insight(WorkspaceOwned):
    """One thing that an audit found, with the numbers it stands on."""

    audit = models.ForeignKey(Audit, on_delete=models.CASCADE, related_name="insights")
    entity_id = models.CharField(max_length=MAX_NAME, help_text="As the caller names it.")
    entity_name = models.CharField(max_length=MAX_NAME, blank=True)
    severity = models.CharField(max_length=8, choices=InsightSeverity)
    status = models.CharField(max_length=9, choices=InsightStatus, default=InsightStatus.OPEN)
    title = models.CharField(max_length=MAX_TITLE)
    body = models.TextField()
    metric = models.CharField(max_length=MAX_NAME)
    value = models.FloatField()
    baseline = models.FloatField(null=True, blank=True)
    change = models.FloatField(null=True, blank=True, help_text="A fraction of the baseline.")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-audit_id", "id")
        constraints = [
            SameWorkspace("audit", name="insight_audit_same_workspace"),
            models.CheckConstraint(condition=Q(severity__in=InsightSeverity.values), name="insight_severity_known"),
            models.CheckConstraint(condition=Q(status__in=InsightStatus.values), name="insight_status_known"),
        ]
        indexes = [models.Index(fields=["workspace", "status", "-id"], name="insight_by_status")]

    def __str__(self) -> str:
        return self.title

    @property
    def metric_evidence(self) -> dict[str, Any]:
        """The numbers as given to the audit."""
        return {"metric": self.metric, "value": self.value, "baseline": self.baseline, "change": self.change}


class Chat(Priced):
    """One answer about an insight: who asked, how it ended, what it took."""

    user = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+")
    status = models.CharField(max_length=9, choices=ChatStatus, default=ChatStatus.OPEN)
    ended_at = models.DateTimeField(null=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        constraints = [
            SameWorkspace("api_key", name="chat_api_key_same_workspace"),
            models.CheckConstraint(condition=Q(status__in=ChatStatus.values), name="chat_status_known"),
        ]
        indexes = [models.Index(fields=["workspace"], condition=Q(status="open"), name="chat_open")]

    def __str__(self) -> str:
        return f"{self.mode} {self.status}"
