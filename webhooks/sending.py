"""One attempt: the request, and what became of it. Never raises but for cancellation."""

import time
from typing import Any

import structlog

from ajansops.kit.net import Client, Limits, NetError, Response, Timeout
from webhooks.parcels import Outcome, Parcel
from webhooks.schedule import delivered, retry_after
from webhooks.signatures import signed_headers

log = structlog.get_logger(__name__)

LIMITS = Limits(total_seconds=15)
KEPT = 4 * 2**10  # bytes of the answer
CANNOT_SIGN = "secret_unreadable"  # not sent at all: nothing that we send is unsigned
REQUEST_ID = "x-request-id"


async def send(client: Client, parcel: Parcel) -> Outcome:
    """Signed anew for each attempt; the body is the one that was frozen."""
    if not parcel.secrets:
        return Outcome(parcel, error=CANNOT_SIGN)
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
    headers = signed_headers(parcel.event_id, parcel.type, parcel.body, parcel.secrets, int(time.time()))
    if parcel.request_id:
        headers[REQUEST_ID] = parcel.request_id
    return await client.post(parcel.url, parcel.body, headers=headers, keep=KEPT, limits=LIMITS)


def excerpt(reply: Response) -> str:
    """The beginning of the answer as text that a database takes, in UTF-8 no longer than it came; nothing of what came
    encoded, unasked.
    """
    if reply.headers.get("content-encoding", "identity").strip().lower() not in {"", "identity"}:
        return ""
    text = reply.body.decode(errors="replace").replace("\0", "")
    return text.encode()[:KEPT].decode(errors="ignore")  # a byte that is no text was replaced by three
