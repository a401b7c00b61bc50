"""What never came: events that Stripe has and we do not, and subscriptions that changed without one. Idempotent.

Without a key of Stripe's there is nothing to compare with.
"""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction

from ajansops.kit.clock import now
from billing.inbox import HANDLED, row_of, store
from billing.models import StripeEvent, Subscription
from billing.payments import gateway
from billing.rereading import read_soon

log = structlog.get_logger(__name__)

WINDOW = timedelta(days=30)  # as long as Stripe keeps them
OVERLAP = timedelta(hours=6)  # events may come late, and not in order
KEPT = timedelta(days=90)
AT_ONCE = 100


def fetch_events() -> dict[str, int]:
    """Through the inbox, since the last one that we have. Raises what Stripe raises."""
    if not settings.ENV.stripe_secret_key:
        return {}
    moment = now()
    last = StripeEvent.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    since = max(moment - WINDOW, last - OVERLAP) if last else moment - WINDOW
    return {"events_missed": _fetch(since), "events_removed": _forget()}


def _fetch(since: datetime) -> int:
    """How many we did not have. One that is not as Stripe's are keeps no other from being read."""
    missed, rows = 0, list[StripeEvent]()
    for event in gateway().events(since, HANDLED):
        try:
            rows.append(row_of(event))
        except (ValueError, TypeError, LookupError, AttributeError, OverflowError, OSError):
            log.exception("stripe_event_unreadable")
        if len(rows) == AT_ONCE:
            missed, rows = missed + store(rows), []
    return missed + store(rows)


def read_anew() -> dict[str, int]:
    """Every event that Stripe has: one that came after an outage hides from `fetch_events` what did not. And every
    subscription that is not over is read again by the workers, whatever its events said. Raises what Stripe raises.
    """
    if not settings.ENV.stripe_secret_key:
        return {}
    with transaction.atomic():
        due = read_soon(Subscription.objects.paying().filter(due_at=None))
    return {"subscriptions_due": due, "events_missed": _fetch(now() - WINDOW)}


def _forget() -> int:
    """Little by little, so that nobody waits."""
    removed, old = 0, StripeEvent.objects.filter(received_at__lt=now() - KEPT).exclude(state="pending")
    while some := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        removed += StripeEvent.objects.filter(pk__in=some).delete()[0]
    return removed
