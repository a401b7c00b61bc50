"""The shapes of what a job shows: what the schema says of them."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Moment


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
