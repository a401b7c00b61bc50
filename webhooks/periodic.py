"""What webhooks do again and again."""

from datetime import timedelta

from ajansops.kit.clock import now
from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Every
from webhooks.models import Event
from webhooks.notices import send_notices

KEPT = timedelta(days=30)
AT_ONCE = 5000


def forget_old() -> dict[str, int]:
    """Events after thirty days, with their deliveries; none is open so long. Little by little, so nobody waits."""
    removed = 0
    while some := list(Event.objects.filter(created_at__lt=now() - KEPT).values_list("pk", flat=True)[:AT_ONCE]):
        Event.objects.filter(pk__in=some).delete()
        removed += len(some)
    return {"webhook_events_removed": removed}


TASKS = (
    Periodic("webhook_notices", Every(60), send_notices),
    Periodic("forget_webhook_events", Every(86_400), forget_old),
)
