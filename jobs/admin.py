"""Jobs, their items and agents in the admin."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from unfold.decorators import display

from accounts.tenant_admin import BY_WORKSPACE, OwnValues, ReadOnlyAdmin, TenantAdmin
from jobs.models import Agent, Job, JobItem

STATUS_COLOURS = {
    "queued": "default",
    "processing": "info",
    "paused": "warning",
    "completed": "success",
    "failed": "danger",
    "cancelled": "warning",
}
STATE_COLOURS = {"pending": "default", "running": "info", "done": "success", "failed": "danger"}


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    list_display = ("id", "status_shown", "progress", "workspace", "created_at", "took")
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
        "took",
        "request_id",
        "configuration",
        "error",
    )
    json_fields = ("configuration", "error")

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
