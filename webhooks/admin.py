"""Webhooks in the admin. The secret is nowhere; endpoints are made over the API, which shows it once."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timesince import timesince
from unfold.decorators import action, display

from accounts.tenant_admin import BY_WORKSPACE, OwnValues, ReadOnlyAdmin
from ajansops.kit.actor import Actor
from webhooks.models import Delivery, Endpoint, Event
from webhooks.selectors import with_oldest_pending
from webhooks.services import ENDPOINTS, redeliver, retry

STATUS_COLOURS = {"pending": "default", "retrying": "warning", "success": "success", "failed": "danger"}
HEALTH_COLOURS = {"well": "success", "failing": "warning", "disabled": "danger", "off": "default"}


@admin.register(Endpoint)
class EndpointAdmin(ReadOnlyAdmin):
    list_display = ("url", "health", "oldest_pending", "success_count", "failure_count", "last_success_at", "workspace")
    list_filter = ("is_active", "disabled_reason", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("url",)
    fields = (
        "url",
        "workspace",
        "creator",
        "events",
        "health",
        "disabled_reason",
        "oldest_pending",
        "success_count",
        "failure_count",
        "consecutive_failures",
        "failing_since",
        "given_up_at",
        "last_delivery_at",
        "last_success_at",
        "created_at",
    )
    json_fields = ("events",)
    actions = ("enable", "disable")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the age of what waits."""
        return with_oldest_pending(super().get_queryset(request))

    @display(description="Health", label=HEALTH_COLOURS)
    def health(self, endpoint: Endpoint) -> str:
        """In a word."""
        if not endpoint.is_active:
            return "disabled" if endpoint.disabled_reason else "off"
        return "failing" if endpoint.consecutive_failures else "well"

    @display(description="Oldest pending")
    def oldest_pending(self, endpoint: Any) -> str:
        """How long it has waited."""
        return timesince(endpoint.oldest_pending) if endpoint.oldest_pending else "–"

    @action(description="Enable")
    def enable(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        """Nothing is replayed by itself."""
        self.for_each(request, endpoints, _switched(on=True), "Enabled")

    @action(description="Disable")
    def disable(self, request: HttpRequest, endpoints: QuerySet[Endpoint]) -> None:
        """What waits for it is not sent."""
        self.for_each(request, endpoints, _switched(on=False), "Disabled")


def _switched(*, on: bool) -> Any:
    def switch(actor: Actor, endpoint: Endpoint) -> Endpoint:
        changed: Endpoint = ENDPOINTS.update(actor, endpoint, is_active=on)
        return changed

    return switch


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "type", "workspace", "request_id", "created_at")
    list_filter = (("type", OwnValues), BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("public_id", "request_id")
    date_hierarchy = "created_at"
    fields = ("public_id", "type", "workspace", "request_id", "created_at", "body_shown")

    @display(description="Body")
    def body_shown(self, event: Event) -> str:
        """The bytes that are sent."""
        return bytes(event.body).decode()


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "status_shown", "attempts", "response_status", "receiver", "next_attempt_at", "workspace")
    list_filter = ("status", "response_status", ("event__type", OwnValues), BY_WORKSPACE)
    list_select_related = ("event", "endpoint", "workspace")
    search_fields = ("event__public_id", "event__request_id", "url", "endpoint__url")
    date_hierarchy = "created_at"
    fields = (
        "event",
        "receiver",
        "workspace",
        "status_shown",
        "attempts",
        "response_status",
        "response_body",
        "error",
        "last_attempt_at",
        "next_attempt_at",
        "created_at",
    )
    actions = ("retry", "redeliver")
    extra_lookups = ("endpoint",)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_shown(self, delivery: Delivery) -> str:
        """As a coloured label."""
        return delivery.status

    @display(description="Receiver")
    def receiver(self, delivery: Delivery) -> str:
        """Where it goes."""
        return delivery.endpoint.url if delivery.endpoint else delivery.url

    @action(description="Retry now")
    def retry(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, deliveries, retry, "Queued")

    @action(description="Redeliver")
    def redeliver(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """The same event once more."""
        self.for_each(request, deliveries, redeliver, "Queued")
