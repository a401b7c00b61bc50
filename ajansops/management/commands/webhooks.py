"""`manage.py webhooks`: how endpoints fare, what was not delivered, and sending it again."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime

from accounts.actors import operator
from ajansops.kit.clock import iso
from ajansops.management.operators import OperatorCommand, workspace_called
from webhooks.api.serializers import DeliverySerializer, EndpointSerializer
from webhooks.models import Delivery, DeliveryStatus, Endpoint
from webhooks.selectors import health, late, with_oldest_pending, with_waiting
from webhooks.services import replay, retry


class Command(OperatorCommand):
    help = "List endpoints or deliveries, send a delivery at once, replay what an endpoint has missed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="endpoints with their health, or of one the deliveries, newest first")
        listing.add_argument("--workspace", metavar="SLUG", help="of this one alone")
        receiver = listing.add_mutually_exclusive_group()
        receiver.add_argument("--endpoint", type=int, metavar="ID", help="deliveries to it")
        receiver.add_argument("--jobs", action="store_true", help="deliveries to the webhook_url of jobs")
        listing.add_argument("--status", choices=DeliveryStatus.values, help="of the deliveries")
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
        if read := parse_datetime(text):
            return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # the latter of what in UTC is before the year 1
        pass
    raise ArgumentTypeError(f"{text!r} is no time such as 2026-01-15T10:30:00Z")


def _list(
    *, workspace: str | None, endpoint: int | None, jobs: bool, status: str | None, limit: int, **_: Any
) -> tuple[Any, str]:
    within = {"workspace": workspace_called(workspace)} if workspace else {}
    if endpoint is not None:
        if within and not Endpoint.objects.filter(pk=endpoint, **within).exists():
            raise CommandError(f"There is no webhook {endpoint} in {workspace!r}.")
        return _deliveries(_endpoint(endpoint).deliveries.all(), status, limit)
    if jobs:
        return _deliveries(Delivery.objects.filter(endpoint=None, **within), status, limit)
    if status:
        raise CommandError("--status is of deliveries: say with --endpoint or --jobs which.")
    return _endpoints(Endpoint.objects.filter(**within), limit)


def _endpoints(endpoints: QuerySet[Endpoint], limit: int) -> tuple[Any, str]:
    """How late deliveries are in the whole installation stands below: jobs have some too."""
    rows: Any = with_oldest_pending(with_waiting(endpoints.select_related("workspace").order_by("id")))
    found = list(rows[:limit])
    lines = [*map(_endpoint_line, found), *_more(endpoints, found)] or ["No webhooks."]
    if delay := late(Delivery.objects.all()):
        lines.append(f"Deliveries are late. {delay}")
    return [dict(EndpointSerializer(row).data) | _waiting(row) for row in found], "\n".join(lines)


def _more(rows: QuerySet[Any], shown: list[Any]) -> list[str]:
    left = rows.count() - len(shown)
    return [f"… and {left} more: see --limit."] if left > 0 else []


def _waiting(row: Any) -> dict[str, Any]:
    times = {name: iso(getattr(row, name)) for name in ("oldest_pending", "oldest_due", "next_attempt")}
    told = {"workspace": row.workspace.slug, "health": health(row)}
    return told | {"last_success_at": iso(row.last_success_at), **times}


def _endpoint_line(row: Any) -> str:
    streak = f", {row.consecutive_failures} failures in a row" if row.consecutive_failures else ""
    overdue = f", overdue since {iso(row.oldest_due)}" if row.oldest_due else ""
    later = f", next attempt {iso(row.next_attempt)}" if row.next_attempt else ""
    why = f", {row.disabled_reason}" if row.disabled_reason else ""
    told = f"{row.success_count} delivered{why}{streak}{overdue}{later}"
    return f"{row.pk:<6} {row.workspace.slug:<16} {health(row):<11} {row.url}  {told}"


def _deliveries(rows: QuerySet[Delivery], status: str | None, limit: int) -> tuple[Any, str]:
    if status:
        rows = rows.filter(status=status)
    found = list(rows.select_related("event", "workspace").defer("event__body").order_by("-id")[:limit])
    data = [dict(DeliverySerializer(row).data) | _receiver(row) for row in found]
    return data, "\n".join([*map(_delivery_line, found), *_more(rows, found)]) or "No deliveries."


def _receiver(row: Delivery) -> dict[str, Any]:
    """Of a job its address; an endpoint's is told with the endpoint."""
    return {} if row.endpoint_id else {"workspace": row.workspace.slug, "url": row.url}


def _delivery_line(row: Delivery) -> str:
    what = f"{row.pk:<8} {row.event.public_id:<30} {row.event.type:<24} {row.status:<9} made {iso(row.created_at)}"
    again = f", next attempt {iso(row.next_attempt_at)}" if row.next_attempt_at else ""
    receiver = "".join(f", {told}" for told in _receiver(row).values())
    return f"{what}, {row.attempts} tries, {row.response_status or row.error or '-'}{again}{receiver}"


def _retry(*, delivery: int, **_: Any) -> tuple[Any, str]:
    row = Delivery.objects.select_related("event").filter(pk=delivery).first()
    if row is None:
        raise CommandError(f"There is no delivery {delivery}.")
    row = retry(operator(row.workspace_id), row)
    return dict(DeliverySerializer(row).data), f"Delivery {row.pk} is queued: attempt {row.attempts + 1}."


def _replay(*, endpoint: int, since: datetime, until: datetime | None, **options: Any) -> tuple[Any, str]:
    row, deliveries = _endpoint(endpoint), 0
    cursor: str | None = ""
    include = options["include_delivered"]
    while cursor is not None:
        actor = operator(row.workspace_id)
        made = replay(actor, row, since=since, until=until, include_delivered=include, cursor=cursor)
        deliveries, cursor, until = deliveries + made.deliveries, made.next_cursor, made.until
    return {"deliveries": deliveries}, f"{deliveries} deliveries are queued."


def _endpoint(number: int) -> Endpoint:
    row = Endpoint.objects.filter(pk=number).first()
    if row is None:
        raise CommandError(f"There is no webhook {number}.")
    return row


ACTIONS: Mapping[str, Callable[..., tuple[Any, str]]] = {"list": _list, "retry": _retry, "replay": _replay}
