"""How webhooks look on core, and what may be sent."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Body, Moment, Row
from ajansops.kit.clock import iso
from webhooks.checks import MAX_PATTERN, MAX_PATTERNS
from webhooks.models import MAX_URL, Delivery, DeliveryStatus, Disabled, Endpoint

MAX_SECRET = 120


class EndpointSerializer(Row):
    """An endpoint without its secret."""

    disabled_reason = serializers.ChoiceField(choices=Disabled.choices, allow_blank=True)

    class Meta:
        model = Endpoint
        fields = (
            "id",
            "url",
            "events",
            "is_active",
            "disabled_reason",
            "success_count",
            "failure_count",
            "consecutive_failures",
            "last_delivery_at",
            "created_at",
            "updated_at",
        )


class NewEndpointSerializer(EndpointSerializer):
    """With the secret, once."""

    secret = serializers.CharField()

    class Meta:
        model = Endpoint
        fields = (*EndpointSerializer.Meta.fields, "secret")


class EndpointChange(Body):
    """What a PATCH may change; a secret is rotated."""

    url = serializers.CharField(max_length=MAX_URL)
    events = serializers.ListField(child=serializers.CharField(max_length=MAX_PATTERN), max_length=MAX_PATTERNS)
    is_active = serializers.BooleanField(default=True)


class EndpointBody(EndpointChange):
    """An endpoint as clients write it. Without a secret it gets one."""

    secret = serializers.CharField(max_length=MAX_SECRET, required=False)


class SecretSerializer(serializers.Serializer[Any]):
    """The new secret, once; and until when the one before it signs as well."""

    secret = serializers.CharField()
    old_secret_until = Moment(allow_null=True)


class DeliverySerializer(Row):
    """An event on its way to an endpoint."""

    event_id = serializers.CharField(source="event.public_id")
    event_type = serializers.CharField(source="event.type")
    response_code = serializers.IntegerField(source="response_status", allow_null=True)
    attempt = serializers.SerializerMethodField()
    delivered_at = serializers.SerializerMethodField()
    next_retry_at = serializers.SerializerMethodField()

    class Meta:
        model = Delivery
        needs = {
            "event_id": ("event__public_id",),
            "event_type": ("event__type",),
            "response_code": ("response_status",),
            "attempt": ("attempts", "status"),
            "delivered_at": ("last_attempt_at", "status"),
            "next_retry_at": ("next_attempt_at", "status"),
        }
        fields = (
            "id",
            "event_id",
            "event_type",
            "status",
            "response_code",
            "response_body",
            "error",
            "attempt",
            "delivered_at",
            "next_retry_at",
            "created_at",
        )

    def get_attempt(self, delivery: Delivery) -> int:
        """The number of the last one; of a delivery that is about to be sent, the coming one."""
        return delivery.attempts + (delivery.status == DeliveryStatus.PENDING)

    def get_delivered_at(self, delivery: Delivery) -> str | None:
        """When the receiver took it."""
        return iso(delivery.last_attempt_at) if delivery.status == DeliveryStatus.SUCCESS else None

    def get_next_retry_at(self, delivery: Delivery) -> str | None:
        """While it is retrying."""
        return iso(delivery.next_attempt_at) if delivery.status == DeliveryStatus.RETRYING else None


class ReplayBody(Body):
    """A window of time; without `until`, until now. To go on: the same with `until` and the cursor of the answer."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField(required=False)
    include_delivered = serializers.BooleanField(default=False)
    cursor = serializers.CharField(max_length=40, required=False)


class ReplayedSerializer(serializers.Serializer[Any]):
    """How many deliveries were made. With a `next_cursor` the window holds more than are made at once."""

    deliveries = serializers.IntegerField()
    until = serializers.DateTimeField()
    next_cursor = serializers.CharField(allow_null=True)


class TriedSerializer(serializers.Serializer[Any]):
    """What came of a test, as documented: without the envelope."""

    success = serializers.BooleanField()
    status_code = serializers.IntegerField(allow_null=True)
    response_time_ms = serializers.IntegerField()
    response_body = serializers.CharField(required=False)
    error = serializers.CharField(required=False)


class EventTypeSerializer(serializers.Serializer[Any]):
    """An event of the catalogue."""

    type = serializers.CharField()
    description = serializers.CharField()
    example = serializers.DictField()
