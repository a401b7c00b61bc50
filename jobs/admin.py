"""Jobs, their items and agents in the admin."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timesince import timesince
from unfold.decorators import action, display

from accounts.tenant_admin import BY_WORKSPACE, OwnValues, ReadOnlyAdmin, TenantAdmin
from ajansops.kit.actor import Actor
from jobs.models import Agent, Job, JobItem, PeriodicRun, ProviderPause
from jobs.services import CONTROLS

STATUS_COLOURS = {
    "queued": "default",
    "processing": "info",
    "paused": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "warning",
}
STATE_COLOURS = {"pending": "default", "running": "info", "done": "success", "failed": "danger"}


def _control(name: str, description: str, said: str) -> Any:
    @action(description=description)
    def control(self: Any, request: HttpRequest, rows: QuerySet[Job]) -> None:
        """As over HTTP, with the right asked for in each row's workspace."""

        def call(actor: Actor, row: Job) -> None:
            CONTROLS[name](actor, row.pk)

        self.for_each(request, rows, call, said)

    control.__name__ = f"{name}_jobs"
    return control


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "status_shown", "progress", "waits_until", "workspace", "created_at", "took")
    list_filter = ("status", "kind", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("id", "subject", "request_id")
    date_hierarchy = "created_at"
    fields = (
        "id",
        "kind",
        "status_shown",
        "progress",
        "items_link",
        "workspace",
        "subject",
        "user",
        "api_key",
        "created_at",
        "started_at",
        "completed_at",
        "waits_until",
        "took",
        "webhook",
        "request_id",
        "units",
        "charged",
        "configuration",
        "error",
    )
    json_fields = ("configuration", "error")
    actions = (
        _control("pause", "Pause", "Jobs paused"),
        _control("resume", "Resume", "Jobs resumed"),
        _control("cancel", "Cancel", "Jobs cancelled"),
        _control("requeue", "Try again what failed or was not come to", "Jobs requeued"),
    )

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_shown(self, job: Job) -> str:
        """As a coloured label."""
        return job.status

    @display(description="Progress")
    def progress(self, job: Job) -> str:
        """A bar and the counts."""
        return format_html(
            '<div style="display:flex;align-items:center;gap:.5rem;min-width:11rem">'
            '<progress max="100" value="{}" style="width:6rem"></progress><span>{} / {}{}</span></div>',
            job.percentage,
            job.done + job.failed,
            job.total,
            f", {job.failed} failed" if job.failed else "",
        )

    @display(description="Waits until", ordering="resumes_at")
    def waits_until(self, job: Job) -> datetime | None:
        """For the next window of its meter."""
        return None if job.is_final else job.resumes_at

    @display(description="Webhook", boolean=True)
    def webhook(self, job: Job) -> bool:
        """Whether somebody is told of its end; where to may be a secret."""
        return bool(job.webhook_url)

    @display(description="Took")
    def took(self, job: Job) -> str:
        """From start to end."""
        if not (job.started_at and job.completed_at):
            return "–"
        return f"{(job.completed_at - job.started_at).total_seconds():.1f} s"

    @display(description="Items")
    def items_link(self, job: Job) -> str:
        """To the list of them."""
        address = reverse("admin:jobs_jobitem_changelist") + f"?job__id__exact={job.pk}"
        return format_html(
            '<a class="text-primary-600" href="{}">{} items, {} failed</a>', address, job.total, job.failed
        )


@admin.register(JobItem)
class JobItemAdmin(ReadOnlyAdmin):
    list_display = ("key_shown", "state_shown", "attempts", "reason", "job", "started_at", "finished_at")
    list_filter = ("state", ("job__kind", OwnValues))
    list_select_related = ("job",)
    search_fields = ("key", "job__id")
    fields = (
        "job",
        "key",
        "state",
        "attempts",
        "result",
        "error",
        "payload",
        "started_at",
        "finished_at",
    )
    extra_lookups = ("job",)

    @display(description="Item", ordering="key")
    def key_shown(self, item: JobItem) -> str:
        """The beginning of the key."""
        return item.key[:80]

    @display(description="State", ordering="state", label=STATE_COLOURS)
    def state_shown(self, item: JobItem) -> str:
        """As a coloured label."""
        return item.state

    @display(description="Reason")
    def reason(self, item: JobItem) -> str:
        """Why it failed."""
        return (item.error or {}).get("message", "")


@admin.register(Agent)
class AgentAdmin(TenantAdmin):
    list_display = ("name", "schedule", "monthly_budget", "requires_approval", "workspace")
    list_filter = ("requires_approval", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("name",)
    fields = ("workspace", "name", "instructions", "tools", "schedule", "monthly_budget", "requires_approval")


@admin.register(PeriodicRun)
class PeriodicRunAdmin(ReadOnlyAdmin):
    """The installation's own, and no workspace's: for superusers."""

    list_display = ("task", "slot", "outcome", "age", "started_at", "finished_at", "attempts")
    list_filter = ("task",)
    fields = ("task", "slot", "outcome", "attempts", "started_at", "finished_at", "result", "error")
    json_fields = ("result", "error")

    @display(description="Outcome", label=STATE_COLOURS)
    def outcome(self, run: PeriodicRun) -> str:
        """As a coloured label."""
        if run.finished_at is None:
            return "running"
        return "failed" if run.error else "done"

    @display(description="Age", ordering="started_at")
    def age(self, run: PeriodicRun) -> str:
        """Since its start."""
        return timesince(run.started_at)

    def _may(self, request: HttpRequest, action: str, row: Model | None) -> bool:
        return bool(request.user.is_superuser)


@admin.register(ProviderPause)
class ProviderPauseAdmin(ReadOnlyAdmin):
    """Whom nobody calls until then; deleting a row ends the pause. For superusers: it concerns every workspace."""

    list_display = ("provider", "until")
    fields = ("provider", "until")

    def _may(self, request: HttpRequest, action: str, row: Model | None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """As `_may`."""
        return self._may(request, "delete", obj)
