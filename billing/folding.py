"""What is kept of a ledger for good: of a period that is long over, one line for each counter."""

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Sum

from ajansops.kit.clock import now
from billing.ledger import add_to_line, with_ledger
from billing.models import Reservation, Usage

KEPT = timedelta(days=400)  # after a period's end: a year's bills can be explained line by line
AT_ONCE = 500  # reservations of one transaction
FOLDED = "folded:"  # begins the source of the one line

log = structlog.get_logger(__name__)


def fold_ledger() -> dict[str, int]:
    """What was charged in those periods can no longer be refunded. What somebody still holds stays as it is."""
    folded = 0
    over = Reservation.objects.filter(expires_at=None).exclude(source__startswith=FOLDED)
    counters = Usage.objects.filter(Exists(over.filter(usage=OuterRef("pk"))), period__end__lt=now() - KEPT)
    for pk in list(counters.order_by("pk").values_list("pk", flat=True)):
        rows = over.filter(usage=pk).order_by("pk").values_list("pk", flat=True)
        while (some := list(rows[:AT_ONCE])) and _fold(pk, some):
            folded += len(some)
    return {"reservations_folded": folded}


@transaction.atomic
def _fold(usage_id: int, some: list[int]) -> bool:
    """Whether it could be: a counter that is not the sum of its lines is left for people to look at."""
    rows = Reservation.objects.filter(pk__in=some).select_for_update().order_by("pk")
    taken = sum(row.settled for row in rows)
    lines = Reservation.objects.filter(pk__in=some).aggregate(units=Sum("entries__units"))["units"] or 0
    usage = _agreeing(usage_id)
    if usage is None or lines != taken:
        log.error("ledger_not_folded", usage=usage_id, taken=taken, lines=lines)
        return False
    Reservation.objects.filter(pk__in=some).delete()
    add_to_line(usage, f"{FOLDED}{usage.period_id}", taken)
    if _agreeing(usage_id) is None:
        raise ArithmeticError(usage_id)  # and nothing has happened
    return True


def _agreeing(usage_id: int) -> Usage | None:
    found = with_ledger(Usage.objects.filter(pk=usage_id)).select_related("period").get()
    return found if found.used == found.ledger else None
