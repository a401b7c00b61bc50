"""A workspace's subscription and invoices as Stripe has them: the only place that writes what Stripe says.

Events, the return page and the nightly reconciler all come here. Stripe is asked outside any transaction, by whoever
holds the subscription's lease, so what was asked later is also written later. Order and number of events do not count.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import structlog
from django.db import transaction

from accounts.actors import system
from ajansops.kit.clock import now
from ajansops.kit.events import State, changed, publish, snapshot
from ajansops.kit.tenancy import lock_workspace
from billing.models import Invoice, Subscription
from billing.payments import gateway
from billing.plans import FREE
from billing.statuses import FINAL, LATE, SERVED, Status
from billing.stripe_objects import Account, Billed, Subscribed, best

log = structlog.get_logger(__name__)

# A call takes some 20 s at most. A read is two, and one more for each price that is new here: whoever is slower than
# this may lose the lease, and then writes nothing.
LEASE = timedelta(seconds=90)
COPIED = tuple(field.name for field in fields(Subscribed) if field.name not in {"customer", "schedule"})
Then = Callable[[Subscription, State], None]
Told = Iterable[tuple[datetime, Subscribed | Billed]]


class Busy(Exception):
    """Somebody else is asking Stripe about this customer."""


class LeaseLost(Busy):
    """It was over, and somebody else has begun to ask."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write what Stripe says of a customer, until it is over."""

    token: UUID
    pk: int
    workspace_id: int
    customer: str


def sync_customer(customer: str) -> None:
    """Raises `Busy`, and what `Gateway.account` raises."""
    with leased(customer) as lease:
        asked_at = now()
        keep(lease, gateway().account(customer), asked_at)


@contextmanager
def leased(customer: str) -> Iterator[Lease]:
    """Raises `Busy`. Given back at the end, whatever happened."""
    token, moment = uuid4(), now()
    rows = Subscription.objects.filter(customer=customer)
    if not rows.free_at(moment).update(lease=token, lease_until=moment + LEASE):
        raise Busy
    pk, workspace_id = rows.values_list("pk", "workspace_id").get()
    try:
        yield Lease(token, pk, workspace_id, customer)
    finally:
        rows.filter(lease=token).update(lease=None, lease_until=None)


def renew(lease: Lease) -> None:
    """As if it began now. Raises `LeaseLost`."""
    if not Subscription.objects.filter(pk=lease.pk, lease=lease.token).update(lease_until=now() + LEASE):
        raise LeaseLost


def keep(lease: Lease, account: Account, asked_at: datetime, then: Then | None = None) -> None:
    """Write it, do `then` in the same transaction, tell what changed. Raises `LeaseLost`."""
    charged = [one.stripe_id for one in account.subscriptions if one.status in SERVED | LATE]
    if len(charged) > 1:
        log.error("stripe_customer_pays_twice", customer=lease.customer, subscriptions=charged)
    with _held(lease, then) as row:
        _keep_invoices(row, account.invoices)
        chosen = best(account.subscriptions)
        if chosen and not _is_gift_above(row, chosen):
            _copy(row, chosen)
            if row.status in LATE:
                row.past_due_since = _late_since(row, account.invoices) or row.past_due_since or asked_at
        row.synced_at = asked_at


def keep_snapshots(
    lease: Lease, told: Iterable[tuple[datetime, Subscribed | Billed]], then: Then | None = None
) -> None:
    """What events said when Stripe cannot be asked: only forward, never back to what was before."""
    with _held(lease, then) as row:
        for moment, what in sorted(told, key=lambda pair: pair[0]):
            if isinstance(what, Billed):
                if not Invoice.objects.filter(stripe_id=what.stripe_id, status__in=["paid", "void"]).exists():
                    _keep_invoices(row, [what], untold=() if what.interval else ("interval",))
                _advance_by_invoice(row, what, moment)
            else:
                _advance(row, what, moment)


@contextmanager
def _held(lease: Lease, then: Then | None) -> Iterator[Subscription]:
    with transaction.atomic():
        lock_workspace(lease.workspace_id)
        row = Subscription.objects.select_for_update().filter(pk=lease.pk, lease=lease.token).first()
        if row is None:
            raise LeaseLost
        before = snapshot(row)
        yield row
        row.save()
        if then:
            then(row, before)
        if changes := changed(row, before):
            publish(system(row.workspace_id), "subscription.updated", row, changes)


def _is_gift_above(row: Subscription, chosen: Subscribed) -> bool:
    """A plan that an operator gave stays until something is paid: a checkout that was left takes nothing away."""
    return not row.stripe_id and row.plan != FREE.code and chosen.status not in SERVED | LATE


def _copy(row: Subscription, chosen: Subscribed) -> None:
    for name in COPIED:
        setattr(row, name, getattr(chosen, name))
    if row.status not in LATE:
        row.past_due_since = None


def _late_since(row: Subscription, invoices: Iterable[Billed]) -> datetime | None:
    """The oldest of its invoices that is still to be paid; one that was written off is not."""
    unpaid = [one for one in invoices if one.subscription_id == row.stripe_id and one.status == "open"]
    return min((one.issued_at for one in unpaid), default=None)


def _keep_invoices(row: Subscription, invoices: Iterable[Billed], *, untold: Collection[str] = ()) -> None:
    """What is `untold` stays as it was kept before."""
    values = [asdict(one) for one in invoices]
    rows = [Invoice(workspace_id=row.workspace_id, **_without_customer(one)) for one in values]
    names = [field.name for field in fields(Billed) if field.name not in {"customer", "stripe_id", *untold}]
    Invoice.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["stripe_id"], update_fields=[*names, "updated_at"]
    )


def _without_customer(values: State) -> State:
    return {name: value for name, value in values.items() if name != "customer"}


def _advance(row: Subscription, what: Subscribed, moment: datetime) -> None:
    """A second is as much as Stripe tells: within one, the first payment is made and not unmade."""
    if row.synced_at and moment < row.synced_at:
        return
    if what.stripe_id != row.stripe_id:
        forward = what.status in SERVED or row.status in FINAL or not row.stripe_id
    else:
        forward = row.status not in FINAL and (what.status != Status.INCOMPLETE or row.status == Status.INCOMPLETE)
    if forward:
        row.synced_at = moment
    if forward and not _is_gift_above(row, what):
        _copy(row, what)
        if row.status in LATE:
            row.past_due_since = row.past_due_since or moment


def _advance_by_invoice(row: Subscription, what: Billed, moment: datetime) -> None:
    """A payment that failed makes it late, one that was made ends that."""
    if not row.stripe_id or what.subscription_id != row.stripe_id or (row.synced_at and moment < row.synced_at):
        return
    if what.status == "paid" and row.status in LATE:
        row.status, row.past_due_since, row.synced_at = Status.ACTIVE, None, moment
    elif what.status == "open" and what.attempts and row.status in SERVED:
        row.status, row.past_due_since, row.synced_at = Status.PAST_DUE, what.issued_at, moment
