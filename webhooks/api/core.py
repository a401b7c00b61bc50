"""Webhooks on the core surface."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.filters import Exact, Search
from ajansops.api.targets import look_up
from ajansops.api.views import ChangeMixin, DestroyMixin, ListMixin, ResourceViewSet, RetrieveMixin, SurfaceView
from ajansops.kit.clock import iso, iso_us
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from webhooks import services
from webhooks.api.serializers import (
    DeliverySerializer,
    EndpointBody,
    EndpointChange,
    EndpointSerializer,
    EventTypeSerializer,
    NewEndpointSerializer,
    ReplayBody,
    ReplayedSerializer,
    SecretSerializer,
    TriedSerializer,
)
from webhooks.catalogue import catalogue
from webhooks.models import Delivery, Endpoint, Outbox
from webhooks.services import ENDPOINTS
from webhooks.trial import try_endpoint


class EndpointViewSet(ListMixin, RetrieveMixin, ChangeMixin, DestroyMixin, ResourceViewSet):
    """Addresses that are told what happens. The secret is in the answers to POST and rotate, and nowhere else."""

    model, output, input, change_input, noun = (
        Endpoint,
        EndpointSerializer,
        EndpointBody,
        EndpointChange,
        "Webhook endpoint",
    )
    change_row, remove_row = ENDPOINTS.update, ENDPOINTS.remove
    filters = {"search": Search(("url",))}
    answers: ClassVar = {
        "create": {201: NewEndpointSerializer},
        "rotate_secret": {200: SecretSerializer},
        "replay": {202: ReplayedSerializer},
    }
    bodies: ClassVar = {"replay": ReplayBody}
    faults: ClassVar = {"replay": (400,)}
    rights: ClassVar = {
        "list": Permission.VIEW_WEBHOOK,
        "retrieve": Permission.VIEW_WEBHOOK,
        "create": Permission.ADD_WEBHOOK,
        **dict.fromkeys(("update", "partial_update", "rotate_secret", "replay"), Permission.CHANGE_WEBHOOK),
        "destroy": Permission.DELETE_WEBHOOK,
    }

    def rows_of(self, actor: Any) -> QuerySet[Any]:
        """In the order in which they came."""
        return Endpoint.objects.visible_to(actor).order_by("id")

    def ahead(self) -> None:
        """The name in an address is looked up."""
        if self.action in {"create", "update", "partial_update"}:
            look_up(self.request.data, "url")

    def create(self, request: Request, **_path: str) -> Response:
        """201 with the secret, once."""
        row, secret = services.create_endpoint(self.actor, **self.parsed(EndpointBody))
        shown = self.show(row) | {"secret": secret}
        return self.reply(shown, message=gettext("Webhook endpoint created successfully."), status=201)

    @action(detail=True, methods=["post"])
    def rotate_secret(self, request: Request, **_path: str) -> Response:
        """The new secret, once. For 24 hours what is sent is signed with both."""
        row = self.row()
        secret = services.rotate_secret(self.actor, row)
        row.refresh_from_db()
        shown = {"secret": secret, "old_secret_until": iso(row.old_until)}
        return self.reply(shown, message=gettext("Webhook secret rotated successfully."))

    @action(detail=True, methods=["post"])
    def replay(self, request: Request, **_path: str) -> Response:
        """What happened in a window of time is sent again, or for the first time."""
        made = services.replay(self.actor, self.row(), **self.parsed(ReplayBody))
        shown = {"deliveries": made.deliveries, "until": iso_us(made.until), "next_cursor": made.next_cursor}
        return self.reply(shown, message=gettext("Events queued for delivery."), status=202)


class JobSecretView(SurfaceView):
    """The secret that signs what the `webhook_url` of jobs is told."""

    rights = {"post": Permission.CHANGE_WEBHOOK}
    answers = {"post": {200: SecretSerializer}}

    def post(self, request: Request) -> Response:
        """The new secret, once. For 24 hours what is sent is signed with both."""
        secret = services.rotate_job_secret(self.actor)
        until = Outbox.objects.get(pk=self.actor.workspace_id).old_until
        shown = {"secret": secret, "old_secret_until": iso(until)}
        return self.reply(shown, message=gettext("Webhook secret rotated successfully."))


class TryEndpointView(SurfaceView):
    """A test event, sent while the caller waits."""

    rights = {"post": Permission.CHANGE_WEBHOOK}
    answers = {"post": {200: TriedSerializer}}
    bare = True
    outside = True

    def post(self, request: Request, pk: str) -> Response:
        """200 whatever the endpoint says: what it said is in the body."""
        tried = try_endpoint(self.actor, found_endpoint(self.actor, pk))
        shown = {"success": tried.success, "status_code": tried.status, "response_time_ms": tried.elapsed_ms}
        if tried.success:
            return Response(shown | {"response_body": tried.body})
        return Response(shown | ({"response_body": tried.body} if tried.status else {}) | {"error": tried.error})


class DeliveryViewSet(ListMixin, ResourceViewSet):
    """What one endpoint was told, newest first; `?status=` and `?event_type=` narrow."""

    model, output = Delivery, DeliverySerializer
    filters = {"event_type": Exact("event__type")}
    faults: ClassVar = {"retry": (400,), "redeliver": (400,)}
    answers: ClassVar = {"redeliver": {201: DeliverySerializer}}
    rights: ClassVar = {
        "list": Permission.VIEW_WEBHOOK,
        **dict.fromkeys(("retry", "redeliver"), Permission.CHANGE_WEBHOOK),
    }

    def rows(self) -> QuerySet[Any]:
        """Of the endpoint in the path."""
        endpoint = found_endpoint(self.actor, self.kwargs["webhook"])
        return endpoint.deliveries.select_related("event").order_by("-id")

    @action(detail=True, methods=["post"])
    def retry(self, request: Request, **_path: str) -> Response:
        """At once. 400 `cannot_retry` for what has arrived, or was tried ten times."""
        row = services.retry(self.actor, self.row())
        return self.reply(self.show(row), message=gettext("Delivery queued for retry."))

    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, **_path: str) -> Response:
        """The same event once more, as a delivery of its own."""
        row = services.redeliver(self.actor, self.row())
        return self.reply(self.show(row), message=gettext("Event queued for delivery."), status=201)


class EventTypesView(SurfaceView):
    """Every event there is, with an example of what is sent."""

    rights = {"get": Permission.VIEW_WEBHOOK}
    answers = {"get": {200: [EventTypeSerializer]}}

    def get(self, request: Request) -> Response:
        """Alphabetically."""
        return self.reply(catalogue())


def found_endpoint(actor: Any, text: str) -> Endpoint:
    """`NotFound` for one that is not there for the actor."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    row: Endpoint | None = Endpoint.objects.visible_to(actor).filter(pk=number).first()
    if row is None or str(row.pk) != text:
        raise NotFound
    return row
