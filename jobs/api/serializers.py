"""How jobs and agents look on core."""

from typing import Any

from rest_framework import serializers

from ajansops.api.fields import Money
from ajansops.api.serializers import Body, Row
from jobs.api.answers import ProgressSerializer
from jobs.checks import MAX_NAME, MAX_TOOLS
from jobs.models import Agent, Job, JobItem


class JobSerializer(Row):
    """A job with its progress."""

    type = serializers.CharField(source="kind")
    progress = serializers.SerializerMethodField()
    webhook_configured = serializers.SerializerMethodField()

    class Meta:
        model = Job
        needs = {"progress": ("total", "done", "failed", "status"), "webhook_configured": ("webhook_url",)}
        shapes = {"progress": ProgressSerializer}
        fields = (
            "id",
            "type",
            "status",
            "subject",
            "progress",
            "configuration",
            "error",
            "request_id",
            "created_at",
            "updated_at",
            "started_at",
            "completed_at",
            "resumes_at",
            "webhook_configured",
        )

    def get_webhook_configured(self, job: Job) -> bool:
        """Not which: its address may hold a secret."""
        return bool(job.webhook_url)

    def get_progress(self, job: Job) -> dict[str, Any]:
        """Counts of items; percentage of those that are through."""
        through = job.done + job.failed
        return {
            "total": job.total,
            "processed": through,
            "succeeded": job.done,
            "failed": job.failed,
            "percentage": job.percentage,
        }


class JobItemSerializer(Row):
    """One item with its result or the reason why it failed."""

    class Meta:
        model = JobItem
        fields = ("id", "key", "state", "attempts", "result", "error", "started_at", "finished_at")


class AgentBody(Body):
    """An agent as clients write it."""

    name = serializers.CharField(max_length=120)
    instructions = serializers.CharField(max_length=20_000)
    tools = serializers.ListField(child=serializers.CharField(max_length=MAX_NAME), max_length=MAX_TOOLS, default=list)
    schedule = serializers.CharField(max_length=100, allow_blank=True, default="")
    monthly_budget = Money(min_value=0, allow_null=True, default=None)
    requires_approval = serializers.BooleanField(default=True)


class AgentSerializer(Row):
    """An agent."""

    monthly_budget = Money(allow_null=True)

    class Meta:
        model = Agent
        fields = ("id", *AgentBody.names(), "created_at", "updated_at")
