"""Webhooks in the admin. The secret is nowhere; endpoints are made over the API, which shows it once."""

from datetime import datetime
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.timezone import localtime
from unfold.decorators import action, display

from accounts.tenant_admin import BY_WORKSPACE, OwnValues, ReadOnlyAdmin
from ajansops.kit.actor import Actor
from ajansops.kit.clock import iso, now
from webhooks import selectors
from webhooks.models import Delivery, Endpoint, Event
from webhooks.services import ENDPOINTS, redeliver, retry

STATUS_COLOURS = {"pending": "default", "retrying": "warning", "success": "success", "failed": "danger"}
HEALTH_COLOURS = {
    "well": "success",
    "failing": "warning",
    "secret lost": "danger",
    "disabled": "danger",
    "off": "default",
}
HEALTHS: dict[str, dict[str, Any]] = {
    "well": {"is_active": True, "consecutive_failures": 0},
    "failing": {"is_active": True, "consecutive_failures__gt": 0},
    "disabled": {"is_active": False, "disabled_reason__gt": ""},
    "off": {"is_active": False, "disabled_reason": ""},
}


def short(text: str) -> str:
    """The beginning; all of it where the mouse is. An address has up to 2048 letters."""
    style = "display:inline-block;max-width:12rem;overflow:hidden;text-overflow:ellipsis;white-space:nowrap"
    return format_html('<span title="{}" style="{}">{}</span>', text, style, text)


def whole(text: str) -> str:
    """All of it, broken where the page ends: it may be one long word."""
    return format_html('<span style="overflow-wrap:anywhere;white-space:pre-wrap">{}</span>', text or "–")


def moment(at: datetime | None) -> str:
    """In few letters; exactly where the mouse is."""
    if at is None:
        return "–"
    shown = date_format(localtime(at), "j M H:i")
    return format_html('<span title="{}" style="white-space:nowrap">{}</span>', iso(at), shown)


class Choice(admin.SimpleListFilter):
    """A filter of which each choice is a few conditions."""

    choices_of: ClassVar[dict[str, Any]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """As they are called."""
        return [(name, name.capitalize()) for name in self.choices_of]

    def queryset(self, request: HttpRequest, rows: QuerySet[Any]) -> QuerySet[Any]:
        """An unknown choice is none."""
        return rows.filter(**self.conditions(self.choices_of.get(self.value() or "", {})))

    def conditions(self, chosen: Any) -> dict[str, Any]:
        """To filter by."""
        return dict(chosen)


class ByHealth(Choice):
    title = parameter_name = "health"
    choices_of = HEALTHS


class ByReceiver(Choice):
    title, parameter_name = "receiver", "to"
    choices_of: ClassVar = {"endpoint": {"endpoint__isnull": False}, "job": {"endpoint": None}}


class ByTime(Choice):
    """Of a column that says when something is to be sent."""

    title, parameter_name = "time", "time"
    choices_of: ClassVar = {"overdue": "lte", "later": "gt"}
    column = "next_attempt_at"

    def conditions(self, chosen: Any) -> dict[str, Any]:
        """Compared with this moment."""
        return {f"{self.column}__{chosen}": now()} if chosen else {}


class ByTimeOfEndpoint(ByTime):
    choices_of: ClassVar = {"overdue": "lte"}
    column = "oldest_due"


class TellsLate(ReadOnlyAdmin):
    """A page that says when deliveries are late: the web answers also where no worker does."""

    list_before_template = "admin/webhooks/late.html"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Of the workspaces that one sees."""
        found = selectors.late(self.seen(Delivery.objects.all(), request))
        return super().changelist_view(request, {**(extra_context or {}), "late": found})


@admin.register(Endpoint)
class EndpointAdmin(TellsLate):
    list_display = (
        "address",
        "health",
        "overdue",
        "next_attempt",
        "to_deliveries",
        "success_count",
        "failure_count",
        "last_success",
        "workspace",
    )
    list_filter = (ByHealth, ByTimeOfEndpoint, "disabled_reason", BY_WORKSPACE)
    list_select_related = ("workspace",)
    search_fields = ("url",)
    fields = (
        "whole_address",
        "to_deliveries",
        "workspace",
        "creator",
        "events",
        "health",
        "disabled_reason",
        "overdue",
        "next_attempt",
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
        """With what waits."""
        return selectors.with_waiting(super().get_queryset(request))

    @display(description="URL", ordering="url")
    def address(self, endpoint: Endpoint) -> str:
        """Where it is."""
        return short(endpoint.url)

    @display(description="URL")
    def whole_address(self, endpoint: Endpoint) -> str:
        """All of it."""
        return whole(endpoint.url)

    @display(description="Health", label=HEALTH_COLOURS)
    def health(self, endpoint: Endpoint) -> str:
        """In a word."""
        return selectors.health(endpoint)

    @display(description="Overdue", ordering="oldest_due")
    def overdue(self, endpoint: Any) -> str:
        """For how long something should have been sent."""
        return timesince(endpoint.oldest_due) if endpoint.oldest_due else "–"

    @display(description="Next attempt", ordering="next_attempt")
    def next_attempt(self, endpoint: Any) -> str:
        """Of what was tried in vain, and rightly waits."""
        return moment(endpoint.next_attempt)

    @display(description="Last success", ordering="last_success_at")
    def last_success(self, endpoint: Endpoint) -> str:
        """When something arrived."""
        return moment(endpoint.last_success_at)

    @display(description="Oldest not delivered")
    def oldest_pending(self, endpoint: Endpoint) -> str:
        """When it was made."""
        row: Any = selectors.with_oldest_pending(Endpoint.objects.filter(pk=endpoint.pk)).get()
        return moment(row.oldest_pending)

    @display(description="Deliveries")
    def to_deliveries(self, endpoint: Endpoint) -> str:
        """The list of its own. Not called like the relation: a list can be ordered by that, and would be joined."""
        address = reverse("admin:webhooks_delivery_changelist") + f"?endpoint__id__exact={endpoint.pk}"
        return format_html('<a class="text-primary-600" href="{}">Deliveries</a>', address)

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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bodies are large, and a list shows none."""
        return super().get_queryset(request).defer("body")

    @display(description="Body")
    def body_shown(self, event: Event) -> str:
        """The bytes that are sent."""
        return whole(bytes(event.body).decode())


@admin.register(Delivery)
class DeliveryAdmin(TellsLate):
    list_display = (
        "type",
        "status_shown",
        "answer",
        "attempts",
        "receiver",
        "made",
        "tried",
        "next_attempt",
        "workspace",
    )
    list_filter = ("status", ByTime, ByReceiver, "response_status", ("event__type", OwnValues), BY_WORKSPACE)
    list_select_related = ("event", "endpoint", "workspace")
    search_fields = ("event__public_id", "event__request_id", "url", "endpoint__url")
    date_hierarchy = "created_at"
    fields = (
        "event",
        "receiver_link",
        "workspace",
        "status_shown",
        "attempts",
        "response_status",
        "body_shown",
        "error",
        "last_attempt_at",
        "next_attempt_at",
        "created_at",
    )
    actions = ("retry", "redeliver")
    extra_lookups = ("endpoint",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Bodies are large, and shown by the event's page."""
        return super().get_queryset(request).defer("event__body")

    @display(description="Event", ordering="event__type")
    def type(self, delivery: Delivery) -> str:
        """Its id is where the mouse is."""
        return format_html('<span title="{}">{}</span>', delivery.event.public_id, delivery.event.type)

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def status_shown(self, delivery: Delivery) -> str:
        """As a coloured label."""
        return delivery.status

    @display(description="Answer", ordering="response_status")
    def answer(self, delivery: Delivery) -> str:
        """A status, or why there was none."""
        return str(delivery.response_status or delivery.error or "–")

    @display(description="Receiver")
    def receiver(self, delivery: Delivery) -> str:
        """Where it goes."""
        return short(delivery.endpoint.url if delivery.endpoint else delivery.url)

    @display(description="Receiver")
    def receiver_link(self, delivery: Delivery) -> str:
        """To the endpoint; a job has no page for its address."""
        if delivery.endpoint is None:
            return whole(delivery.url)
        address = reverse("admin:webhooks_endpoint_change", args=[delivery.endpoint_id])
        return format_html('<a class="text-primary-600" href="{}">{}</a>', address, whole(delivery.endpoint.url))

    @display(description="Answer's beginning")
    def body_shown(self, delivery: Delivery) -> str:
        """As far as it is kept."""
        return whole(delivery.response_body)

    @display(description="Made", ordering="created_at")
    def made(self, delivery: Delivery) -> str:
        """When it was written down."""
        return moment(delivery.created_at)

    @display(description="Tried", ordering="last_attempt_at")
    def tried(self, delivery: Delivery) -> str:
        """The last time."""
        return moment(delivery.last_attempt_at)

    @display(description="Next attempt", ordering="next_attempt_at")
    def next_attempt(self, delivery: Delivery) -> str:
        """In the past it is overdue."""
        return moment(delivery.next_attempt_at)

    @action(description="Retry now")
    def retry(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """By the service that the API calls too."""
        self.for_each(request, deliveries, retry, "Queued")

    @action(description="Redeliver")
    def redeliver(self, request: HttpRequest, deliveries: QuerySet[Delivery]) -> None:
        """The same event once more."""
        self.for_each(request, deliveries, redeliver, "Queued")
