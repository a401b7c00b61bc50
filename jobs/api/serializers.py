"""How jobs look on core."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Row
from jobs.models import Job, JobItem


class JobSerializer(Row):
    """A job with its progress."""

    type = serializers.CharField(source="kind")
    progress = serializers.SerializerMethodField()

    class Meta:
        model = Job
        needs = {"progress": ("total", "done", "failed", "status")}
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
        )

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
