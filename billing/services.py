"""Writes of billing."""

from django.utils.translation import gettext

from ajansops.kit.errors import Invalid
from billing.models import Subscription
from billing.plans import PLANS


def set_plan(workspace_id: int, plan: str) -> None:
    """Put a workspace on a plan without payment. Raises `Invalid` for an unknown plan."""
    if plan not in PLANS:
        message = gettext("Unknown plan. Use one of: %(plans)s.") % {"plans": ", ".join(PLANS)}
        raise Invalid(errors={"plan": [message]})
    Subscription.objects.update_or_create(workspace_id=workspace_id, defaults={"plan": plan})
