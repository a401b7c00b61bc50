"""The shapes of what a job shows: what the schema says of them."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Moment
from jobs.models import JobStatus


class ProgressSerializer(serializers.Serializer[Any]):
    """Counts of items."""

    total, processed, succeeded, failed, percentage = (serializers.IntegerField() for _ in range(5))


class StartedSerializer(serializers.Serializer[Any]):
    """The job that was made."""

    jobId = serializers.CharField()  # noqa: N815


class LastRunSerializer(serializers.Serializer[Any]):
    """What was done last, and when."""

    action = serializers.CharField()
    at = Moment(allow_null=True)


class ControlledSerializer(serializers.Serializer[Any]):
    """What became of a job on the studio surface."""

    success = serializers.BooleanField()
    job_id, action, message = (serializers.CharField() for _ in range(3))
    previous_status, current_status = (serializers.ChoiceField(JobStatus.choices) for _ in range(2))
