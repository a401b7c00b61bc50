"""A test event, sent while somebody waits: nothing of it is kept but a line in the log."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import BoundedSemaphore, Lock

from django.db import transaction
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import RateLimited
from ajansops.kit.events import publish
from ajansops.kit.net import open_client
from ajansops.kit.permissions import Permission
from webhooks.events import WebhookTest
from webhooks.models import Endpoint, event_id
from webhooks.outbox import lane_of, payload
from webhooks.parcels import Outcome, Parcel
from webhooks.selectors import can_sign
from webhooks.sending import CANNOT_SIGN, LIMITS, send
from webhooks.services import require_live

SHOWN = 1024  # bytes of the answer
AT_ONCE = 2  # in a process: each holds one of its few threads
LEAST_SECONDS = 1.0  # of a test without an answer: refused by us, by them or by nobody looks alike

_places = BoundedSemaphore(AT_ONCE)
_testing: set[int] = set()  # workspaces: each has one place at most, so that none has them all
_looking = Lock()


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of it. `status` is None where there was no answer."""

    success: bool
    status: int | None
    elapsed_ms: int
    body: str
    error: str


def try_endpoint(actor: Actor, endpoint: Endpoint) -> Tried:
    """Also when it is disabled. Call it outside transactions: the receiver may take its time."""
    actor.require(Permission.CHANGE_WEBHOOK, on=endpoint)
    require_live(actor)
    with _place(endpoint.workspace_id):
        return _try(actor, endpoint)


@contextmanager
def _place(workspace_id: int) -> Iterator[None]:
    with _looking:
        if workspace_id in _testing or not _places.acquire(blocking=False):
            message = gettext("A test is under way. Try again when it has ended.")
            raise RateLimited(message, retry_after=LIMITS.total_seconds)
        _testing.add(workspace_id)
    try:
        yield
    finally:
        _testing.discard(workspace_id)
        _places.release()


def _try(actor: Actor, endpoint: Endpoint) -> Tried:
    with transaction.atomic():
        publish(actor, "webhook.tested", endpoint)
    started = time.monotonic()
    outcome = asyncio.run(_sent(_parcel(actor, endpoint)))
    if outcome.status is None:
        time.sleep(max(0.0, LEAST_SECONDS - (time.monotonic() - started)))
    elapsed_ms = outcome.elapsed_ms or round((time.monotonic() - started) * 1000)
    body = outcome.body.encode()[:SHOWN].decode(errors="ignore")
    return Tried(outcome.delivered, outcome.status, elapsed_ms, body, _words(outcome))


def _words(outcome: Outcome) -> str:
    if outcome.delivered:
        return ""
    if outcome.error == CANNOT_SIGN:
        return gettext("The secret cannot be read any more. Rotate it.")
    if outcome.status is None:
        return gettext("The address could not be fetched.")
    return gettext("The endpoint did not answer with a 2xx status.")


async def _sent(parcel: Parcel) -> Outcome:
    async with open_client() as client:
        return await send(client, parcel)


def _parcel(actor: Actor, endpoint: Endpoint) -> Parcel:
    told, public_id = WebhookTest.of(endpoint), event_id()
    return Parcel(
        id=0,
        lane=(endpoint.workspace_id, lane_of(endpoint)),
        endpoint_id=endpoint.pk,
        url=endpoint.url,
        event_id=public_id,
        type=told.type,
        body=payload(told.type, public_id, now(), told.data, endpoint.workspace_id),
        secrets=tuple(endpoint.secrets()) if can_sign(endpoint) else (),
        attempts=0,
        request_id=actor.request_id,
        read_at=time.monotonic(),
    )
