"""What is used of meters, exact however many ask at once: one UPDATE of the counter decides, and each change of it is a
line of the ledger in the same transaction. Answers `kit.entitlements`.

A source's row (`Reservation`) is locked by whatever settles or gives back, then the counter's. `use` and `reserve` lock
the workspace first, so that they are in order with everything else a service locks.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import BigIntegerField, F, QuerySet, Sum
from django.db.models.functions import Coalesce

from ajansops.kit.clock import now
from ajansops.kit.entitlements import GAUGES, Feature, FeatureLimitReached, Meter, counted, still_running
from ajansops.kit.tenancy import lock_workspace
from billing.limits import limit_of
from billing.models import EntryKind, LedgerEntry, Period, Reservation, Usage, UsageNotice
from billing.periods import current_period, open_period
from billing.selectors import upgrade_url

THRESHOLDS = (80, 100)  # percent
AT_ONCE = 500  # reservations of one round
VERIFIED = timedelta(days=35)  # so long after its end a period may still change, by refunds

log = structlog.get_logger(__name__)


class Ledger:
    """See `kit.entitlements.Entitlements`."""

    def admit(self, workspace_id: int, feature: Feature, quantity: int = 1) -> None:
        """The workspace's lock makes it exact: nobody else adds a row between this count and the caller's."""
        lock_workspace(workspace_id)
        limit = limit_of(workspace_id, feature)
        if limit is None:
            return
        used = counted(workspace_id, feature) + quantity
        if quantity and used > limit:
            raise FeatureLimitReached(feature, upgrade_url(workspace_id))
        if used * 100 >= THRESHOLDS[0] * limit:
            _note(open_period(workspace_id), feature, used, limit)

    def left(self, workspace_id: int, feature: Feature) -> int | None:
        """Of a meter in the period in force."""
        limit = limit_of(workspace_id, feature)
        if limit is None:
            return None
        used = counted(workspace_id, feature) if feature in GAUGES else used_of(workspace_id, feature)
        return max(0, limit - used)

    def meter(self, workspace_id: int, feature: Feature) -> Meter:
        """In the period in force."""
        period = current_period(workspace_id)
        return Meter(used_in(period).get(feature, 0), limit_of(workspace_id, feature), period.end)

    def use(
        self, workspace_id: int, feature: Feature, quantity: int, source: str, *, metadata: dict[str, Any] | None = None
    ) -> None:
        """`metadata` is what a client noted."""
        if quantity:
            _charge(workspace_id, feature, quantity, source, settled=quantity, metadata=metadata or {})

    def reserve(self, workspace_id: int, feature: Feature, quantity: int, source: str, *, hold: timedelta) -> None:
        """Nothing is asked of later calls with the same source: the first one stands."""
        _charge(workspace_id, feature, quantity, source, hold=hold, expires_at=now() + hold)

    @transaction.atomic
    def settle(self, workspace_id: int, feature: Feature, source: str, parts: Mapping[str, int]) -> None:
        """In four statements, however many parts."""
        row = _locked(workspace_id, feature, source)
        if row is None:
            raise KeyError(source)
        settles = row.entries.filter(kind=EntryKind.SETTLE, part__in=parts)
        known = set(settles.values_list("part", flat=True))
        left, entries = row.reserved - row.settled, []
        for part, quantity in parts.items():
            if quantity and part not in known:
                beyond = max(0, quantity - left)
                left -= quantity - beyond
                entries.append(_entry(row, EntryKind.SETTLE, beyond, quantity, part))
        if not entries:
            return
        if beyond := sum(entry.units for entry in entries):
            log.warning("settled_beyond_reservation", source=source, feature=feature, units=beyond)
            usage = Usage.objects.select_related("period").get(pk=row.usage_id)
            _take(usage, beyond, None)
            _note_if_much(usage, limit_of(workspace_id, feature))
        LedgerEntry.objects.bulk_create(entries)
        spent = sum(entry.quantity for entry in entries)
        _change(row, reserved=F("reserved") + beyond, settled=F("settled") + spent)

    @transaction.atomic
    def release(self, workspace_id: int, feature: Feature, source: str) -> int:
        """What is settled after this counts anew."""
        row = _locked(workspace_id, feature, source)
        if row is None or row.expires_at is None:
            return 0
        rest = row.reserved - row.settled
        _change(row, reserved=F("settled"), expires_at=None)
        if rest:
            _give_back(row, EntryKind.RELEASE, rest)
        return rest

    @transaction.atomic
    def refund(self, workspace_id: int, feature: Feature, source: str, quantity: int = 1, *, part: str = "") -> int:
        """Never more than the part was charged."""
        row = _locked(workspace_id, feature, source)
        if row is None:
            return 0
        charged = row.entries.filter(kind=EntryKind.SETTLE, part=part).values_list("quantity", flat=True).first()
        given = min(quantity, charged or 0)
        if given < 1 or row.entries.filter(kind=EntryKind.REFUND, part=part).exists():
            return 0
        _change(row, reserved=F("reserved") - given, settled=F("settled") - given)
        _give_back(row, EntryKind.REFUND, given, part)
        return given

    @transaction.atomic
    def record(self, workspace_id: int, feature: Feature, quantity: int, source: str) -> Meter:
        """One line a source and period, to which it adds."""
        lock_workspace(workspace_id)
        usage, limit = _open_usage(workspace_id, feature), limit_of(workspace_id, feature)
        _take(usage, quantity, None)
        usage.refresh_from_db(fields=["used"])
        if limit is not None:
            _note(usage.period, feature, usage.used, limit)
        add_to_line(usage, f"{source}:{usage.period_id}", quantity)
        return Meter(usage.used, limit, usage.period.end)


def used_of(workspace_id: int, feature: Feature) -> int:
    """Of a meter, in the period in force."""
    return used_in(current_period(workspace_id)).get(feature, 0)


def used_in(period: Period) -> Mapping[str, int]:
    """Of meters, by feature."""
    return dict(Usage.objects.filter(period=period).values_list("feature", "used")) if period.pk else {}


def return_reservations() -> dict[str, int]:
    """Of work that should have ended and that nobody does any more: what it has not spent goes back."""
    due = list(Reservation.objects.overdue(now())[:AT_ONCE])
    running = still_running({row.source for row in due})
    for row in due:
        if row.source in running:
            Reservation.objects.filter(pk=row.pk, expires_at=row.expires_at).update(expires_at=now() + row.hold)
        else:
            rest = Ledger().release(row.workspace_id, Feature(row.feature), row.source)
            log.warning("reservation_returned", source=row.source, feature=row.feature, units=rest)
    return {"reservations_returned": sum(row.source not in running for row in due)}


def verify_ledger() -> dict[str, int]:
    """Compare each counter that may still change with the sum of its ledger, in one statement: a moment's picture."""
    recent = Usage.objects.filter(period__end__gt=now() - VERIFIED)
    wrong = with_ledger(recent).exclude(used=F("ledger")).select_related("period")
    mismatches = list(wrong)
    for usage in mismatches:
        log.error(
            "ledger_mismatch",
            workspace=usage.period.workspace_id,
            feature=usage.feature,
            used=usage.used,
            ledger=usage.ledger,
        )
    return {"counters_verified": recent.count(), "ledger_mismatches": len(mismatches)}


def with_ledger(usages: QuerySet[Usage]) -> Any:
    """Each with the sum of its lines as `ledger`."""
    return usages.annotate(ledger=Coalesce(Sum("reservations__entries__units"), 0, output_field=BigIntegerField()))


def add_to_line(usage: Usage, source: str, quantity: int) -> None:
    """Units that the counter has already, in a source of one line that grows."""
    name = {"workspace_id": usage.period.workspace_id, "feature": usage.feature, "source": source}
    row, _ = Reservation.objects.get_or_create(**name, defaults={"usage": usage, "reserved": 0})
    _change(row, reserved=F("reserved") + quantity, settled=F("settled") + quantity)
    line, _ = LedgerEntry.objects.get_or_create(
        reservation=row, kind=EntryKind.SETTLE, part="", defaults={"units": 0, "quantity": 0}
    )
    added = {"units": F("units") + quantity, "quantity": F("quantity") + quantity}
    LedgerEntry.objects.filter(pk=line.pk).update(**added)


@transaction.atomic
def _charge(
    workspace_id: int,
    feature: Feature,
    quantity: int,
    source: str,
    *,
    settled: int = 0,
    **fields: Any,
) -> None:
    if quantity < 0:
        raise ValueError(quantity)
    lock_workspace(workspace_id)
    if Reservation.objects.filter(workspace_id=workspace_id, feature=feature, source=source).exists():
        return
    usage = _open_usage(workspace_id, feature)
    _take(usage, quantity, limit_of(workspace_id, feature))
    row = Reservation.objects.create(
        workspace_id=workspace_id,
        feature=feature,
        source=source,
        usage=usage,
        reserved=quantity,
        settled=settled,
        **fields,
    )
    entries = [_entry(row, EntryKind.RESERVE, quantity, quantity)]
    LedgerEntry.objects.bulk_create([*entries, *([_entry(row, EntryKind.SETTLE, 0, settled)] if settled else [])])


def _take(usage: Usage, quantity: int, limit: int | None) -> None:
    """The one statement that decides."""
    rows = Usage.objects.filter(pk=usage.pk)
    fitting = rows if limit is None else rows.filter(used__lte=limit - quantity)
    workspace_id, feature = usage.period.workspace_id, Feature(usage.feature)
    if not fitting.update(used=F("used") + quantity):
        raise FeatureLimitReached(feature, upgrade_url(workspace_id), usage.period.end)
    _note_if_much(usage, limit)


def _give_back(row: Reservation, kind: EntryKind, quantity: int, part: str = "") -> None:
    LedgerEntry.objects.bulk_create([_entry(row, kind, -quantity, quantity, part)])
    Usage.objects.filter(pk=row.usage_id).update(used=F("used") - quantity)


def _note_if_much(usage: Usage, limit: int | None) -> None:
    """Of a counter that was just changed."""
    if limit is not None:
        used = Usage.objects.values_list("used", flat=True).get(pk=usage.pk)
        _note(usage.period, Feature(usage.feature), used, limit)


def _note(period: Period, feature: Feature, used: int, limit: int) -> None:
    """Once a period, by the row's key; `billing.thresholds` tells it."""
    reached = [percent for percent in THRESHOLDS if limit and used * 100 >= percent * limit]
    rows = [UsageNotice(period=period, feature=feature, percent=percent, used=used, limit=limit) for percent in reached]
    if rows:
        UsageNotice.objects.bulk_create(rows, ignore_conflicts=True)


def _open_usage(workspace_id: int, feature: Feature) -> Usage:
    usage, _ = Usage.objects.select_related("period").get_or_create(period=open_period(workspace_id), feature=feature)
    return usage


def _locked(workspace_id: int, feature: Feature, source: str) -> Reservation | None:
    rows = Reservation.objects.select_for_update().filter(workspace_id=workspace_id, feature=feature, source=source)
    row: Reservation | None = rows.first()
    return row


def _change(row: Reservation, **fields: Any) -> None:
    Reservation.objects.filter(pk=row.pk).update(**fields, updated_at=now())


def _entry(row: Reservation, kind: EntryKind, units: int, quantity: int, part: str = "") -> LedgerEntry:
    return LedgerEntry(reservation=row, kind=kind, units=units, quantity=quantity, part=part)
