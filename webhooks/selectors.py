"""Reads that operators need: how each endpoint fares, and what should have been sent by now."""

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import CharField, Count, DateTimeField, Min, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from ajansops.kit.clock import now
from webhooks.models import Delivery, Endpoint, Signing

LATE = timedelta(minutes=2)  # when every part is well, what is due is sent within seconds


@dataclass(frozen=True, slots=True)
class Late:
    """What was due for longer than `LATE`: the oldest for so many seconds, in so many workspaces."""

    seconds: int
    workspaces: int

    def __str__(self) -> str:
        return f"The oldest has been due for {self.seconds} s, in workspaces: {self.workspaces}."


def late(deliveries: QuerySet[Delivery]) -> Late | None:
    """None when nothing is."""
    moment = now()
    rows = _told(deliveries).filter(next_attempt_at__lt=moment - LATE).order_by()
    found = rows.aggregate(oldest=Min("next_attempt_at"), workspaces=Count("workspace", distinct=True))
    if found["oldest"] is None:
        return None
    return Late(int((moment - found["oldest"]).total_seconds()), found["workspaces"])


def with_waiting(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Each with `oldest_due`, since when something should have been sent, and `next_attempt`, when what was tried in
    vain is tried again. None where there is nothing of the kind.
    """
    moment, waiting = now(), _told(_waiting())
    times = waiting.order_by("next_attempt_at").values("next_attempt_at")
    rows: QuerySet[Endpoint] = endpoints.annotate(
        oldest_due=Subquery(times.filter(next_attempt_at__lte=moment)[:1], output_field=DateTimeField()),
        next_attempt=Subquery(times.filter(next_attempt_at__gt=moment)[:1], output_field=DateTimeField()),
    )
    return rows


def with_oldest_pending(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Each with `oldest_pending`: when the oldest delivery that has not arrived was made; None when all have."""
    oldest = _waiting().order_by().values("lane").annotate(at=Min("created_at")).values("at")
    rows: QuerySet[Endpoint] = endpoints.annotate(oldest_pending=Subquery(oldest, output_field=DateTimeField()))
    return rows


def _waiting() -> QuerySet[Delivery]:
    """Of the endpoint outside, in its lane (`outbox.lane_of`): there is an index of what waits in one."""
    lane = Concat(Value("endpoint:"), Cast(OuterRef("pk"), CharField()))
    return Delivery.objects.filter(workspace=OuterRef("workspace"), lane=lane, next_attempt_at__isnull=False)


def _told(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Those whose receivers are still told."""
    return deliveries.filter(Q(endpoint=None) | Q(endpoint__is_active=True), workspace__deleted_at=None)


def health(endpoint: Endpoint) -> str:
    """In a word."""
    if not endpoint.is_active:
        return "disabled" if endpoint.disabled_reason else "off"
    if not can_sign(endpoint):
        return "secret lost"
    return "failing" if endpoint.consecutive_failures else "well"


def can_sign(row: Signing) -> bool:
    """False when its secret was encrypted with a key that is no longer among ENCRYPTION_KEYS."""
    try:
        row.secrets()
    except ValueError:
        return False
    return True


def count_endpoints(workspace_id: int) -> int:
    """Of a workspace, disabled ones too."""
    return Endpoint.objects.filter(workspace_id=workspace_id).count()
