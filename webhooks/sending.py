"""One attempt: the request, and what became of it. Never raises but for cancellation."""

import asyncio
import time
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError

from ajansops.kit.net import Blocked, Client, Limits, NetError, Response, Timeout, check_target, parse_url
from webhooks.parcels import Outcome, Parcel
from webhooks.schedule import delivered, retry_after
from webhooks.signatures import signed_headers

log = structlog.get_logger(__name__)

LIMITS = Limits(total_seconds=15)
KEPT = 4 * 2**10  # bytes of the answer
REQUEST_ID = "x-request-id"


async def send(client: Client, parcel: Parcel) -> Outcome:
    """Signed anew for each attempt; the body is the one that was frozen."""
    try:
        return _outcome(parcel, await _post(client, parcel))
    except NetError as error:
        log.info("webhook_not_delivered", reason=error.reason, **_about(parcel))
        return Outcome(parcel, error=error.code, timed_out=isinstance(error, Timeout))
    except Exception:
        log.exception("webhook_crashed", **_about(parcel))
        return Outcome(parcel, error="internal_error")


def _outcome(parcel: Parcel, reply: Response) -> Outcome:
    if not delivered(reply.status):
        log.info("webhook_not_delivered", status=reply.status, **_about(parcel))
    asked, elapsed_ms = retry_after(reply.headers), reply.elapsed_ms
    return Outcome(parcel, reply.status, excerpt(reply), asked=asked, elapsed_ms=elapsed_ms)


def _about(parcel: Parcel) -> dict[str, Any]:
    told = {"event_id": parcel.event_id, "delivery": parcel.id, "attempt": parcel.attempts + 1}
    return told | {"request_id": parcel.request_id}


async def _post(client: Client, parcel: Parcel) -> Response:
    await _refuse_plain(parcel.url)
    headers = signed_headers(parcel.event_id, parcel.type, parcel.body, parcel.secrets, int(time.time()))
    if parcel.request_id:
        headers[REQUEST_ID] = parcel.request_id
    return await client.post(parcel.url, parcel.body, headers=headers, keep=KEPT, limits=LIMITS)


async def _refuse_plain(url: str) -> None:
    """Http goes only where NET_ALLOW_PRIVATE allows it, also when the name has moved since it was given to us."""
    read = parse_url(url)
    if read.scheme == "https":
        return
    if read.address:
        allowed = any(read.address in network for network in settings.ENV.net_allow_private)
    else:
        allowed = await asyncio.to_thread(_passes, url)
    if not allowed:
        raise Blocked(f"http to {read.host}")


def _passes(url: str) -> bool:
    try:
        check_target(url)
    except ValidationError:
        return False
    return True


def excerpt(reply: Response) -> str:
    """The beginning of the answer as text that a database takes; nothing of what came encoded, unasked."""
    if reply.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        return ""
    return reply.body.decode(errors="replace").replace("\0", "")
