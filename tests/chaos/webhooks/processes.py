"""What is killed: a Celery worker with nothing but the dispatcher in it, and a publisher."""

import os
import random
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import uuid4

from celery import Celery
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts.actors import operator
from ajansops.celery import app
from ajansops.kit import events
from sites.models import Site
from tests.chaos import faults
from tests.chaos.faults import FOLDER, GUARD_OFF, around, die_at
from webhooks import claims, dispatcher, outbox, schedule
from webhooks.models import Delivery, DeliveryStatus
from webhooks.querysets import OutboxQuerySet

LEASE = 3.0  # seconds instead of 30: a run has no half minutes to wait for each kill
WORKER_POINTS = (
    "before_claim",
    "after_claim",
    "before_read",
    "after_read",
    "before_send",
    "after_send",
    "before_save",
    "before_commit",
    "after_commit",
    "after_save",
    "before_renew",
    "after_renew",
    "before_release",
    "after_release",
)
PUBLISHER_POINTS = (
    "after_change",
    "before_outbox",
    "after_outbox",
    "before_commit",
    "after_commit",
    "before_announce",
    "after_announce",
)
BURST = (5, 30)  # events, one right after the other
PAUSE = (0.0, 1.0)  # seconds between two bursts
UNDONE = 0.2  # of the changes
OPEN = 300  # deliveries; with more no event is added: those who die all the time do not get far


def run(role: str, target: Any, *arguments: Any) -> None:
    """A process of that role, which writes where the others do."""
    with (FOLDER / "log").open("a") as log:
        for stream in (1, 2):
            os.dup2(log.fileno(), stream)
    faults.ROLE = role
    around(BaseDatabaseWrapper, "commit", "commit")
    target(*arguments)


def work() -> None:
    """With the product's times shortened in proportion, and receivers that may fail as often as they do here."""
    _change(claims, LEASE=timedelta(seconds=LEASE))
    _change(dispatcher, HEARTBEAT=LEASE / 6, FRESH=LEASE / 3, IDLE=0.5)
    _change(schedule, DELAYS=(0, *[0.2] * 999), MAX_ATTEMPTS=1000)
    if GUARD_OFF == "rows":
        claims.due_parcels = _taken_away
    if GUARD_OFF == "take-over":
        OutboxQuerySet.claimable = _never_taken_over
    for name, point in (("claim", "claim"), ("due_parcels", "read"), ("save_outcomes", "save")):
        around(claims, name, point)
    for name in ("renew", "release"):
        around(claims, name, name)
    faults.tell_lease(claims)
    dispatcher.send = _sent(dispatcher.send)
    app.steps["worker"].clear()
    app.steps["worker"].add("webhooks.worker:DispatcherStep")
    quiet = {"without_mingle": True, "without_gossip": True, "without_heartbeat": True}
    app.Worker(pool="solo", loglevel="error", quiet=True, **quiet).start()


def _change(module: Any, **values: Any) -> None:
    for name, value in values.items():
        getattr(module, name)  # or it has another name by now
        setattr(module, name, value)


def _sent(send: Any) -> Any:
    @wraps(send)
    async def sent(*arguments: Any) -> Any:
        die_at("before_send")
        outcome = await send(*arguments)
        die_at("after_send")
        return outcome

    return sent


_due_parcels, _claimable = claims.due_parcels, OutboxQuerySet.claimable


def _taken_away(*arguments: Any) -> Any:
    """As a queue without acknowledgement does."""
    parcels = _due_parcels(*arguments)
    ids = [parcel.id for parcel in parcels]
    Delivery.objects.filter(pk__in=ids).update(status=DeliveryStatus.SUCCESS, next_attempt_at=None)
    return parcels


def _never_taken_over(rows: Any, *arguments: Any) -> Any:
    return _claimable(rows, *arguments).filter(lease=None)


def publish(workspace_ids: Sequence[int], seed: int) -> None:
    """Sites that are made, some of them undone again. It writes down of which it knows what became of them."""
    rng = random.Random(seed)
    if GUARD_OFF == "transaction":
        events._OUTLETS[events._OUTLETS.index(outbox.record)] = lambda *told: _LATER.append(told)
    around(Celery, "send_task", "announce")
    around(outbox, "ensure_outbox", "outbox")
    with (FOLDER / "kept").open("a", buffering=1) as kept, (FOLDER / "undone").open("a", buffering=1) as undone:
        while True:
            time.sleep(rng.uniform(*PAUSE))
            try:
                busy = Delivery.objects.filter(next_attempt_at__isnull=False).count() > OPEN
                for _ in range(0 if busy else rng.randint(*BURST)):
                    undo = rng.random() < UNDONE
                    domain = _publish_one(rng.choice(workspace_ids), undo=undo)
                    (undone if undo else kept).write(f"{domain}\n")
            except (OperationalError, InterfaceError):  # a database that is away: nobody knows what became of the last
                with suppress(Exception):
                    connection.close()


_LATER: list[tuple[Any, ...]] = []


def _publish_one(workspace_id: int, *, undo: bool) -> str:
    """A change and its event in one transaction. The site's domain."""
    domain = f"{uuid4().hex}.example.com"
    with transaction.atomic():
        site = Site.objects.create(workspace_id=workspace_id, name=domain, domain=domain)
        die_at("after_change")
        events.publish(operator(workspace_id), "site.created", site)
        transaction.set_rollback(undo)
    while _LATER:  # without the guard: whatever became of the change, and if we live to see it
        with transaction.atomic():
            outbox.record(*_LATER.pop())
    return domain
