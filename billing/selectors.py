"""Which plan applies."""

from collections.abc import Collection, Mapping

from django.conf import settings
from django.urls import reverse

from ajansops.kit.clock import now
from billing.models import Subscription
from billing.plans import FREE, Plan


def plan_of(workspace_id: int) -> Plan:
    """The plan in force."""
    row = Subscription.objects.filter(workspace_id=workspace_id).first()
    return row.plan_at(now()) if row else FREE


def tiers(workspace_ids: Collection[int]) -> Mapping[int, str]:
    """The tier on the wire of each workspace, in one query."""
    moment = now()
    rows = Subscription.objects.filter(workspace_id__in=workspace_ids)
    rows = rows.only("workspace_id", "plan", "status", "past_due_since")
    return dict.fromkeys(workspace_ids, FREE.tier) | {row.workspace_id: row.plan_at(moment).tier for row in rows}


def subscription_of(workspace_id: int) -> Subscription:
    """An unsaved one on the free plan where there is none."""
    row = Subscription.objects.filter(workspace_id=workspace_id).first()
    return row or Subscription(workspace_id=workspace_id)


def upgrade_url(workspace_id: int) -> str:
    """Where its plan is shown and changed, for owners, who may not see the admin."""
    return settings.ENV.public_url.rstrip("/") + reverse("billing_plans", args=[workspace_id])


def customer_of(workspace_id: int) -> str:
    """Who pays for it at Stripe; empty when nobody does yet."""
    customers = Subscription.objects.filter(workspace_id=workspace_id).values_list("customer", flat=True)
    return customers.first() or ""
