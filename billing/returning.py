"""What becomes of a checkout that somebody comes back from. Its event may come before, after or never."""

from collections.abc import Collection
from dataclasses import dataclass
from time import sleep

from django.db import transaction

from ajansops.kit.clock import now
from ajansops.kit.errors import NotFound
from ajansops.kit.tenancy import lock_workspace
from billing.models import Subscription
from billing.payments import gateway
from billing.prices import SETUP_PACK
from billing.reactions import fulfil
from billing.stripe_objects import JSON, reference
from billing.sync import Busy, sync_customer

LOOKS = 6
PAUSE = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Returned:
    """What was bought for which workspace, and whether it is paid for."""

    workspace: str
    product: str
    paid: bool


def take_up(session_id: str, workspace_ids: Collection[int]) -> Returned:
    """Make what it bought true. Raises `NotFound` unless it was for one of these workspaces, and what Stripe raises."""
    session = gateway().session(session_id)
    rows = Subscription.objects.filter(workspace_id__in=workspace_ids).select_related("workspace")
    row = rows.exclude(customer="").filter(customer=reference(session.get("customer"))).first()
    if row is None:
        raise NotFound
    if session.get("mode") == "payment":
        return _fulfilled(row, session)
    _sync(row.customer)
    row.refresh_from_db()
    paid = row.plan_at(now()).code == row.plan and bool(row.stripe_id)
    return Returned(row.workspace.name, row.plan, paid)


@transaction.atomic
def _fulfilled(row: Subscription, session: JSON) -> Returned:
    lock_workspace(row.workspace_id)
    done = fulfil(row, session)
    if not done and session.get("payment_status") == "paid":
        raise NotFound
    return Returned(row.workspace.name, SETUP_PACK, done)


def _sync(customer: str) -> None:
    """A worker that is asking right now, because of the event, may have asked too early: ask after it."""
    for _ in range(LOOKS):
        try:
            return sync_customer(customer)
        except Busy:
            sleep(PAUSE)
    return None
