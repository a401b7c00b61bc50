"""Both families of headers, so that our own few lines and any Standard Webhooks library verify a delivery."""

import base64
import hmac
from collections.abc import Sequence

from webhooks.checks import PREFIX


def signed_headers(event_id: str, type: str, body: bytes, secrets: Sequence[str], timestamp: int) -> dict[str, str]:
    """What goes out with one attempt; `timestamp` is its own, in Unix seconds. One signature a secret, newest first."""
    stamp = str(timestamp)
    return {
        "content-type": "application/json",
        "x-webhook-id": event_id,
        "x-webhook-event": type,
        "x-webhook-timestamp": stamp,
        "x-webhook-signature": ",".join(hex_signature(secret, stamp, body) for secret in secrets),
        "webhook-id": event_id,
        "webhook-timestamp": stamp,
        "webhook-signature": " ".join(standard_signature(secret, event_id, stamp, body) for secret in secrets),
    }


def hex_signature(secret: str, stamp: str, body: bytes) -> str:
    """With the secret as it is written, prefix and all."""
    return hmac.digest(secret.encode(), stamp.encode() + b"." + body, "sha256").hex()


def standard_signature(secret: str, event_id: str, stamp: str, body: bytes) -> str:
    """As Standard Webhooks has it: the key is what the text after the prefix says in base64."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.digest(key, f"{event_id}.{stamp}.".encode() + body, "sha256")
    return f"v1,{base64.b64encode(digest).decode()}"
