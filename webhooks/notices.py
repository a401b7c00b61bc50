"""Telling a workspace's owners that we have disabled one of their endpoints."""

from accounts.mail import tell
from accounts.models import Membership
from ajansops.kit.clock import now
from webhooks.models import Endpoint

AT_ONCE = 100


def send_notices() -> dict[str, int]:
    """Mails that are due. One that fails is tried again at the next run; of a crash a second one may come."""
    sent = 0
    for endpoint in Endpoint.objects.unnoticed().select_related("workspace").order_by("id")[:AT_ONCE]:
        if _told(endpoint):
            Endpoint.objects.filter(pk=endpoint.pk).update(noticed_at=now())
            sent += 1
    return {"webhook_notices_sent": sent}


def _told(endpoint: Endpoint) -> bool:
    workspace = endpoint.workspace
    owners = Membership.objects.filter(workspace=workspace).owners().select_related("user")
    context = {"url": endpoint.url, "gone": endpoint.disabled_reason == "gone", "workspace": workspace.name}
    results = [tell("webhook_disabled", owner.user.email, workspace.language, context) for owner in owners]
    return all(results)
