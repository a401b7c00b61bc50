"""`manage.py webhooks`: how endpoints fare, what was not delivered, and sending it again."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime

from accounts.actors import operator
from ajansops.kit.clock import iso, now
from ajansops.management.operators import OperatorCommand, workspace_called
from webhooks.api.serializers import DeliverySerializer, EndpointSerializer
from webhooks.models import Delivery, DeliveryStatus, Endpoint
from webhooks.selectors import with_oldest_pending
from webhooks.services import replay, retry


class Command(OperatorCommand):
    help = "List endpoints or deliveries, send a delivery at once, replay what an endpoint has missed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="endpoints with their health; with --endpoint its deliveries")
        listing.add_argument("--workspace", metavar="SLUG")
        listing.add_argument("--endpoint", type=int, metavar="ID", help="its deliveries, newest first")
        listing.add_argument("--status", choices=DeliveryStatus.values, help="of deliveries")
        listing.add_argument("--limit", type=count, default=50, metavar="N", help="50, unless given")
        super().add_arguments(listing)
        once = actions.add_parser("retry", help="send a delivery at once")
        once.add_argument("delivery", type=int, metavar="ID")
        super().add_arguments(once)
        window = actions.add_parser("replay", help="send what happened in a window of time")
        window.add_argument("endpoint", type=int, metavar="ID")
        window.add_argument("--since", type=moment, required=True, metavar="TIME", help="such as 2026-01-15T10:30:00Z")
        window.add_argument("--until", type=moment, metavar="TIME", help="now, unless given")
        window.add_argument("--include-delivered", action="store_true", help="also what has arrived")
        super().add_arguments(window)

    def act(self, *, action: str, **options: Any) -> tuple[Any, str]:
        """What is shown is as core shows it."""
        return ACTIONS[action](**options)


def count(text: str) -> int:
    """A whole number from 1."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10**9):
        raise ArgumentTypeError(f"{text!r} is no number from 1")
    return int(text)


def moment(text: str) -> datetime:
    """ISO 8601; without a zone it is UTC."""
    try:
        read = parse_datetime(text)
    except ValueError:
        read = None
    if read is None:
        raise ArgumentTypeError(f"{text!r} is no time such as 2026-01-15T10:30:00Z")
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _list(*, endpoint: int | None, limit: int, **options: Any) -> tuple[Any, str]:
    if endpoint is not None:
        return _deliveries(_endpoint(endpoint), options["status"], limit)
    rows = with_oldest_pending(Endpoint.objects.select_related("workspace").order_by("id"))
    if options["workspace"]:
        rows = rows.filter(workspace=workspace_called(options["workspace"]))
    found = list(rows[:limit])
    data = [{**EndpointSerializer(row).data, "oldest_pending": iso(row.oldest_pending)} for row in found]  # type: ignore[attr-defined]  # annotated
    return data, "\n".join(map(_endpoint_line, found)) or "No webhooks."


def _endpoint_line(row: Any) -> str:
    state = "active" if row.is_active else row.disabled_reason or "off"
    waiting = f", oldest pending {iso(row.oldest_pending)}" if row.oldest_pending else ""
    streak = f", {row.consecutive_failures} failures in a row" if row.consecutive_failures else ""
    return f"{row.pk:<6} {row.workspace.slug:<16} {state:<8} {row.url}  {row.success_count} delivered{streak}{waiting}"


def _deliveries(endpoint: Endpoint, status: str | None, limit: int) -> tuple[Any, str]:
    rows = endpoint.deliveries.select_related("event").order_by("-id")
    if status:
        rows = rows.filter(status=status)
    found = list(rows[:limit])
    lines = [
        f"{row.pk:<8} {row.event.public_id:<30} {row.event.type:<24} {row.status:<9} {row.attempts} tries, "
        f"{row.response_status or row.error or '-'}"
        for row in found
    ]
    return [dict(DeliverySerializer(row).data) for row in found], "\n".join(lines) or "No deliveries."


def _retry(*, delivery: int, **_: Any) -> tuple[Any, str]:
    row = Delivery.objects.select_related("event").filter(pk=delivery).first()
    if row is None:
        raise CommandError(f"There is no delivery {delivery}.")
    row = retry(operator(row.workspace_id), row)
    return dict(DeliverySerializer(row).data), f"Delivery {row.pk} is queued: attempt {row.attempts + 1}."


def _replay(*, endpoint: int, since: datetime, until: datetime | None, **options: Any) -> tuple[Any, str]:
    row, deliveries = _endpoint(endpoint), 0
    cursor: str | None = ""
    include, until = options["include_delivered"], until or now()
    while cursor is not None:
        actor = operator(row.workspace_id)
        made = replay(actor, row, since=since, until=until, include_delivered=include, cursor=cursor)
        deliveries, cursor = deliveries + made.deliveries, made.next_cursor
    return {"deliveries": deliveries}, f"{deliveries} deliveries are queued."


def _endpoint(number: int) -> Endpoint:
    row = Endpoint.objects.filter(pk=number).first()
    if row is None:
        raise CommandError(f"There is no webhook {number}.")
    return row


ACTIONS: Mapping[str, Callable[..., tuple[Any, str]]] = {"list": _list, "retry": _retry, "replay": _replay}
