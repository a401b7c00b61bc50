"""What never came: events that Stripe has and we do not, and subscriptions that changed without one. Idempotent.

Without a key of Stripe's there is nothing to compare with.
"""

from collections import Counter
from datetime import timedelta

import structlog
from django.conf import settings

from ajansops.kit.clock import now
from billing.inbox import HANDLED, row_of, store
from billing.models import StripeEvent, Subscription
from billing.payments import StripeRefused, gateway
from billing.sync import Busy, sync_customer

log = structlog.get_logger(__name__)

WINDOW = timedelta(days=30)  # as long as Stripe keeps them
OVERLAP = timedelta(hours=6)  # events may come late, and not in order
KEPT = timedelta(days=90)
AT_ONCE = 100


def fetch_events() -> dict[str, int]:
    """Through the inbox. Since the last one that we have: a listing begins at the newest, so a run that breaks off is
    done again whole. Raises what Stripe raises.
    """
    if not settings.ENV.stripe_secret_key:
        return {}
    moment = now()
    last = StripeEvent.objects.order_by("-created_at").values_list("created_at", flat=True).first()
    since = max(moment - WINDOW, last - OVERLAP) if last else moment - WINDOW
    rows = [row_of(event) for event in gateway().events(since, HANDLED)]
    missed = sum(store(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE))
    return {"events_missed": missed, "events_removed": _forget()}


def read_anew() -> dict[str, int]:
    """Every subscription that is not over, whatever its events said. Raises what Stripe raises when it is away; one
    customer that it refuses keeps no other from being read.
    """
    if not settings.ENV.stripe_secret_key:
        return {}
    done: Counter[str] = Counter(subscriptions_read=0, subscriptions_refused=0)
    for customer in list(Subscription.objects.paying().order_by("pk").values_list("customer", flat=True)):
        try:
            sync_customer(customer)
            done["subscriptions_read"] += 1
        except Busy:
            continue  # it is being read this moment
        except StripeRefused:
            log.warning("stripe_customer_refused", customer=customer)
            done["subscriptions_refused"] += 1
    return dict(done)


def _forget() -> int:
    """Little by little, so that nobody waits."""
    removed, old = 0, StripeEvent.objects.filter(received_at__lt=now() - KEPT).exclude(state="pending")
    while some := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        removed += StripeEvent.objects.filter(pk__in=some).delete()[0]
    return removed
