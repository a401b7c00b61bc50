"""Reads of outgoing webhooks, and the conditions of a claim in one place."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.apps import apps
from django.db import connection
from django.db.models import BinaryField, Exists, F, Lookup, OuterRef, Q
from django.db.models.expressions import RawSQL

from ajansops.kit.tenancy import WorkspaceQuerySet


@BinaryField.register_lookup
class Holds(Lookup):
    """`body__holds=b"…"`: these bytes are somewhere in it. Reads every body there is."""

    lookup_name = "holds"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """As SQLite has it."""
        (whole, params), (part, more) = self.process_lhs(compiler, connection), self.process_rhs(compiler, connection)
        return f"instr({whole}, {part}) > 0", (*params, *more)

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """As PostgreSQL has it."""
        (whole, params), (part, more) = self.process_lhs(compiler, connection), self.process_rhs(compiler, connection)
        return f"position({part}::bytea in {whole}) > 0", (*more, *params)


def among(ids: Iterable[int]) -> RawSQL:
    """`pk__in=among(ids)`. One parameter, however many there are: a placeholder for each costs more than the search."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [list(ids)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(ids))])


class EndpointQuerySet(WorkspaceQuerySet):
    """Endpoints."""

    def unnoticed(self) -> Self:
        """Disabled by us, which nobody has been told yet."""
        return self.filter(noticed_at=None, workspace__deleted_at=None).exclude(disabled_reason="")

    def unwarned(self) -> Self:
        """With an event given up, which nobody has been told yet. Of a disabled one that is told instead."""
        untold = Q(warned_at=None) | Q(warned_at__lt=F("given_up_at"))
        return self.filter(untold, given_up_at__isnull=False, is_active=True, workspace__deleted_at=None)


class OutboxQuerySet(WorkspaceQuerySet):
    """Outboxes."""

    def claimable(self, moment: datetime, waited: timedelta) -> Self:
        """With something due for so long, and no worker; the one served longest ago first."""
        due = apps.get_model("webhooks.Delivery").objects.due(moment - waited).filter(workspace=OuterRef("pk"))
        free = Q(lease=None) | Q(lease_until__lt=moment)
        return self.filter(free, Exists(due), workspace__deleted_at=None).order_by("served_at")

    def held(self, lease: UUID) -> Self:
        """By this worker. Also for longer than the lease, as long as nobody else took it."""
        return self.filter(lease=lease)


class DeliveryQuerySet(WorkspaceQuerySet):
    """Deliveries."""

    def due(self, moment: datetime) -> Self:
        """To be sent now."""
        return self.filter(next_attempt_at__lte=moment)
