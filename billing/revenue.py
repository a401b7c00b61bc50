"""Monthly recurring revenue and churn, from a row a payer and month.

A yearly price counts a twelfth a month. A payer is who has an active or late subscription at Stripe; a trial pays
nothing yet. What a coupon takes off is not seen.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import transaction

from ajansops.kit.clock import now
from billing.models import MonthlyRevenue, Status, Subscription

PAYING = frozenset({Status.ACTIVE, Status.PAST_DUE})
MONTHS = {"month": 1, "year": 12}

Payers = Mapping[int, tuple[str, int]]  # currency and hundredths a month, by workspace


@dataclass(frozen=True, slots=True)
class Month:
    """How it ended. `revenue` is in hundredths by currency; `lost` paid in the month before and do not in this one."""

    first: date
    revenue: Mapping[str, int]
    payers: int
    new: int
    lost: int
    churn: float | None  # percent of the payers of the month before; None when there were none


def record_revenue() -> dict[str, int]:
    """What is paid now, as the present month's. Idempotent: the last run of a month says how it ended."""
    month = now().date().replace(day=1)
    payers = present()
    rows = [
        MonthlyRevenue(month=month, payer=payer, currency=currency, amount=amount)
        for payer, (currency, amount) in payers.items()
    ]
    with transaction.atomic():
        MonthlyRevenue.objects.filter(month=month).exclude(payer__in=payers).delete()
        MonthlyRevenue.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["month", "payer"], update_fields=["currency", "amount"]
        )
    return {"payers": len(rows)}


def present() -> Payers:
    """Who pays now."""
    paid = Subscription.objects.filter(status__in=PAYING, amount__gt=0, interval__in=MONTHS).exclude(stripe_id="")
    rows = paid.values_list("workspace_id", "currency", "amount", "interval")
    return {pk: (currency, round((amount or 0) / MONTHS[interval])) for pk, currency, amount, interval in rows}


def last_months(count: int) -> list[Month]:
    """The last so many, the present one among them, oldest first."""
    first = _back(now().date().replace(day=1), count)
    rows = MonthlyRevenue.objects.filter(month__gte=first).values_list("month", "payer", "currency", "amount")
    by_month: dict[date, dict[int, tuple[str, int]]] = {}
    for month, payer, currency, amount in rows:
        by_month.setdefault(month, {})[payer] = currency, amount
    return list(months([(month, by_month.get(month, {})) for month in _from(first, count + 1)]))


def months(ends: Iterable[tuple[date, Payers]]) -> Iterable[Month]:
    """Each month but the first, of which nothing is known about who came and went."""
    before: Payers | None = None
    for first, payers in ends:
        if before is not None:
            yield _month(first, before, payers)
        before = payers


def _month(first: date, before: Payers, payers: Payers) -> Month:
    revenue: dict[str, int] = {}
    for currency, amount in payers.values():
        revenue[currency] = revenue.get(currency, 0) + amount
    lost = len(before.keys() - payers.keys())
    return Month(
        first=first,
        revenue=revenue,
        payers=len(payers),
        new=len(payers.keys() - before.keys()),
        lost=lost,
        churn=round(100 * lost / len(before), 1) if before else None,
    )


def _back(first: date, count: int) -> date:
    whole = first.year * 12 + first.month - 1 - count
    return date(whole // 12, whole % 12 + 1, 1)


def _from(first: date, count: int) -> list[date]:
    return [_back(first, -number) for number in range(count)]
