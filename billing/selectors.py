"""Which plan applies."""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.urls import reverse

from billing.models import Subscription
from billing.plans import FREE, PLANS, Plan


def plan_of(workspace_id: int) -> Plan:
    """The plan in force."""
    code = Subscription.objects.filter(workspace_id=workspace_id).values_list("plan", flat=True).first()
    return PLANS[code] if code else FREE


def tiers(workspace_ids: Collection[int]) -> Mapping[int, str]:
    """The tier on the wire of each workspace, in one query."""
    rows = Subscription.objects.filter(workspace_id__in=workspace_ids).values_list("workspace_id", "plan")
    return dict.fromkeys(workspace_ids, FREE.tier) | {pk: PLANS[code].tier for pk, code in rows}


def upgrade_url(workspace_id: int) -> str:
    """Where its plan is shown."""
    path = reverse("admin:billing_subscription_changelist")
    return f"{settings.ENV.public_url.rstrip('/')}{path}?workspace__id__exact={workspace_id}"


def customer_of(workspace_id: int) -> str:
    """Who pays for it at Stripe; empty when nobody does yet."""
    customers = Subscription.objects.filter(workspace_id=workspace_id).values_list("customer", flat=True)
    return customers.first() or ""
