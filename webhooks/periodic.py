"""What webhooks do again and again."""

from datetime import timedelta

import structlog
from django.db.models import Exists, OuterRef, Q

from ajansops.kit.clock import now
from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Every
from webhooks.health import disable_hopeless
from webhooks.models import Delivery, Endpoint, Event, Outbox
from webhooks.notices import send_notices
from webhooks.selectors import late

log = structlog.get_logger(__name__)

KEPT = timedelta(days=30)
AT_ONCE = 5000


def forget_old() -> dict[str, int]:
    """Events after thirty days, with their deliveries, unless one is still open. Little by little, so nobody waits."""
    removed = 0
    still_sent = Delivery.objects.filter(event=OuterRef("pk"), next_attempt_at__isnull=False)
    old = Event.objects.filter(~Exists(still_sent), created_at__lt=now() - KEPT).order_by("pk")
    while some := list(old.values_list("pk", flat=True)[:AT_ONCE]):
        Event.objects.filter(pk__in=some).delete()
        removed += len(some)
    return {"webhook_events_removed": removed}


def forget_secrets() -> dict[str, int]:
    """Those that were replaced and no longer sign."""
    over, none = Q(old_until__lte=now()), {"old_secret": "", "old_until": None}
    return {"webhook_secrets_removed": sum(m.objects.filter(over).update(**none) for m in (Endpoint, Outbox))}


def tell_late() -> dict[str, int]:
    """An error in the log when what is due is not sent, whatever each part says of itself."""
    found = late(Delivery.objects.all())
    if found:
        log.error("webhooks_late", seconds=found.seconds, workspaces=found.workspaces)
    seconds, workspaces = (found.seconds, found.workspaces) if found else (0, 0)
    return {"webhooks_late_seconds": seconds, "webhooks_late_workspaces": workspaces}


TASKS = (
    Periodic("disable_webhooks", Every(60), disable_hopeless),
    Periodic("webhook_notices", Every(60), send_notices),
    Periodic("webhooks_late", Every(60), tell_late),
    Periodic("forget_webhook_events", Every(86_400), forget_old),
    Periodic("forget_webhook_secrets", Every(86_400), forget_secrets),
)
