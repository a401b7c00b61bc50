"""Reads that operators need: how each endpoint fares."""

from django.db.models import DateTimeField, Min, OuterRef, QuerySet, Subquery

from webhooks.models import Delivery, Endpoint


def with_oldest_pending(endpoints: QuerySet[Endpoint]) -> QuerySet[Endpoint]:
    """Each with `oldest_pending`: when the oldest delivery that has not arrived was made; None when all have."""
    waiting = Delivery.objects.filter(endpoint=OuterRef("pk"), next_attempt_at__isnull=False).order_by()
    oldest = waiting.values("endpoint").annotate(at=Min("created_at")).values("at")
    rows: QuerySet[Endpoint] = endpoints.annotate(oldest_pending=Subquery(oldest, output_field=DateTimeField()))
    return rows


def count_endpoints(workspace_id: int) -> int:
    """Of a workspace, disabled ones too."""
    return Endpoint.objects.filter(workspace_id=workspace_id).count()
