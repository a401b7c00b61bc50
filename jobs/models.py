"""A job and its items: the truth about all long work. A broker only says that there is some. And agents, who work."""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from ajansops.kit.checks import complaints
from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.counting import CountedRows
from ajansops.kit.entitlements import Feature
from ajansops.kit.tenancy import Tenancy, WorkspaceOwned, WorkspaceQuerySet
from jobs.checks import check_schedule, check_tools
from jobs.querysets import JobItemQuerySet, JobQuerySet

HOURS = 24


class JobStatus(models.TextChoices):
    """Of a job. The last three are final."""

    QUEUED = "queued"
    PROCESSING = "processing"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ItemState(models.TextChoices):
    """Of an item. `RUNNING` means leased: to a worker that may be dead."""

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Job(WorkspaceOwned):
    """A piece of long work. The counters change in the transaction that changes the items."""

    id = models.CharField(max_length=80, primary_key=True, editable=False)
    kind = models.CharField(max_length=32)
    status = models.CharField(max_length=10, choices=JobStatus, default=JobStatus.QUEUED)
    ready = models.BooleanField(default=True, help_text="All items of the start are there.")
    subject = models.CharField(max_length=80, blank=True, help_text="What it is about, such as site:12.")
    configuration = models.JSONField(default=dict, help_text="What was asked for.")
    memory = models.JSONField(default=dict, editable=False, help_text="What the runner keeps between items.")
    total = models.PositiveIntegerField(default=0)
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    units = models.PositiveIntegerField(
        default=0, db_default=0, help_text="It costs at most so many of its kind's feature."
    )
    charged = models.PositiveIntegerField(default=0, db_default=0, help_text="Units that it has cost.")
    reservation = models.CharField(
        max_length=96, blank=True, default="", db_default="", editable=False, help_text="Of units; empty: it has none."
    )
    max_parallel = models.PositiveIntegerField(null=True, help_text="Items in flight at a time, over all workers.")
    interval_ms = models.PositiveIntegerField(default=0, help_text="Least time between two starts of items.")
    runnable_at = models.DateTimeField(db_default=Now(), help_text="No item starts before.")
    claimed_at = models.DateTimeField(
        db_default=Now(), help_text="When a worker last took from it; the longest waiting is next."
    )
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    resumes_at = models.DateTimeField(null=True, help_text="It waits for the next window, which opens then.")
    error = models.JSONField(null=True)
    webhook_url = models.CharField(max_length=2048, blank=True, db_default="", help_text="Is told when it has ended.")
    user = models.ForeignKey("accounts.User", null=True, on_delete=models.SET_NULL, related_name="+")
    api_key = models.ForeignKey("accounts.ApiKey", null=True, on_delete=models.SET_NULL, related_name="+")
    test_mode = models.BooleanField(default=False)
    request_id = models.CharField(max_length=128, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            CountedRows(name="job_count"),
            models.CheckConstraint(condition=Q(total__gte=F("done") + F("failed")), name="job_counters_fit"),
            SameWorkspace("api_key", name="job_api_key_same_workspace"),
            models.UniqueConstraint(
                fields=["workspace", "kind", "subject"],
                condition=~Q(subject="") & Q(status__in=["queued", "processing", "paused"]),
                name="job_one_at_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["claimed_at"], condition=Q(status__in=["queued", "processing"]), name="job_claimable"),
            models.Index(fields=["workspace", "kind", "subject", "-created_at"], name="job_latest_of_subject"),
            models.Index(fields=["reservation"], condition=~Q(reservation=""), name="job_with_reservation"),
        ]

    def __str__(self) -> str:
        return self.id

    @property
    def is_final(self) -> bool:
        """Nothing will change any more."""
        return self.status in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}

    @property
    def is_exhausted(self) -> bool:
        """Nothing is left to do, and nobody has said so yet."""
        return self.status == JobStatus.PROCESSING and self.done + self.failed == self.total

    @property
    def percentage(self) -> int:
        """Of items that are through, well or badly; 100 only when all are."""
        if not self.total:
            return 100 if self.is_final else 0
        return (self.done + self.failed) * 100 // self.total


class JobItem(models.Model):
    """One unit of work of a job. Every write after the claim says which lease it believes to hold."""

    tenancy: ClassVar[Tenancy] = Tenancy.CHILD
    tenant_path: ClassVar[str] = "job__workspace"

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="items", db_index=False)
    key = models.CharField(max_length=2048)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=7, choices=ItemState, default=ItemState.PENDING)
    attempts = models.PositiveIntegerField(default=0, help_text="Times it was claimed.")
    failures = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Tries that ended with an error.")
    losses = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="Times its worker was lost with it.")
    not_before = models.DateTimeField(db_default=Now(), help_text="After a failed try: when the next may start.")
    lease = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = JobItemQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["job", "key"], name="item_once_a_job"),
            models.CheckConstraint(
                condition=Q(state="running", lease__isnull=False) | (~Q(state="running") & Q(lease__isnull=True)),
                name="item_leased_while_running",
            ),
        ]
        indexes = [
            models.Index(fields=["job", "not_before", "id"], condition=Q(state="pending"), name="item_claimable"),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="item_leased"),
        ]

    def __str__(self) -> str:
        return self.key[:120]


def no_units() -> list[int]:
    """Of a day on which nothing was done."""
    return [0] * HOURS


class UnitDay(models.Model):
    """Units of a meter that were begun in each hour of one day, UTC. Changes in the transaction of the items' states.

    Its row is the lock under which units are taken, so that a window is exact however many workers claim.
    """

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+", db_index=False)
    meter = models.CharField(max_length=32)
    day = models.DateField()
    hours = models.JSONField(default=no_units)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["workspace", "meter", "day"], name="unit_day_once")]

    def __str__(self) -> str:
        return f"{self.meter} {self.day}"


class ProviderPause(models.Model):
    """A provider that asked us to slow down: until then nothing is claimed that would call it."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    provider = models.CharField(max_length=32, primary_key=True)
    until = models.DateTimeField()

    objects = models.Manager["ProviderPause"]()

    def __str__(self) -> str:
        return self.provider


class Agent(WorkspaceOwned):
    """What a model is to do by itself, with which tools, how often, and for how much money."""

    gauge: ClassVar[Feature | None] = Feature.AGENTS

    name = models.CharField(max_length=120)
    instructions = models.TextField(max_length=20_000)
    tools = models.JSONField(default=list, blank=True, help_text="Names such as sites_list; none is no tool.")
    schedule = models.CharField(
        max_length=100,
        blank=True,
        help_text="Cron, five fields, in the workspace's time zone; empty: only when somebody starts it.",
    )
    monthly_budget = models.DecimalField(
        max_digits=10, decimal_places=2, null=True, blank=True, help_text="USD; empty: no limit of its own."
    )
    requires_approval = models.BooleanField(default=True, help_text="Tools that write wait for a person.")

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="agent_name_once"),
            models.UniqueConstraint(fields=["workspace", "id"], name="agent_of_workspace"),
            models.CheckConstraint(
                condition=Q(monthly_budget=None) | Q(monthly_budget__gte=0), name="agent_budget_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for a schedule that never comes, and for what cannot be a tool's name."""
        errors = {"tools": complaints(check_tools, self.tools)}
        if self.schedule:
            errors["schedule"] = complaints(check_schedule, self.schedule)
        if any(errors.values()):
            raise ValidationError({name: found for name, found in errors.items() if found})
        self.schedule = " ".join(self.schedule.split())
        self.tools = list(dict.fromkeys(self.tools))


class PeriodicRun(models.Model):
    """A slot of a periodic task, or a run that somebody asked for at that moment; leased until it has finished."""

    tenancy: ClassVar[Tenancy] = Tenancy.GLOBAL

    task = models.CharField(max_length=64)
    slot = models.DateTimeField(help_text="When it was to start.")
    attempts = models.PositiveSmallIntegerField(default=1, help_text="Starts; each but the last died.")
    lease = models.UUIDField(editable=False)
    lease_until = models.DateTimeField(editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    result = models.JSONField(null=True)
    error = models.JSONField(null=True)

    objects = models.Manager["PeriodicRun"]()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(fields=["task", "slot"], name="periodic_slot_once"),
            models.UniqueConstraint(fields=["task"], condition=Q(finished_at=None), name="periodic_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.slot:%Y-%m-%d %H:%M:%S}"
