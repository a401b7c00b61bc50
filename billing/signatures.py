"""Whether a message is Stripe's. By ourselves: the SDK is slow to import, and takes what is dated in the future."""

import hmac
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256

from ajansops.kit.errors import DomainError, Kind

TOLERANCE = 300  # seconds, both ways


class InvalidSignature(DomainError):
    """The signature does not fit this message, or is too old."""

    code = "invalid_signature"
    kind = Kind.MALFORMED


def verify(body: bytes, header: str, secrets: Collection[str], moment: datetime) -> None:
    """Raises `InvalidSignature`. With several secrets, while one is replaced by another, one has to fit.

    The header is `t=1492774577,v1=…,v1=…`; what is signed is the time, a full stop and the bytes as they came.
    """
    parts = [part.partition("=")[::2] for part in header.split(",")]
    given = [value for name, value in parts if name.strip() == "v1"]
    stamp = next((value for name, value in parts if name.strip() == "t"), "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):  # 31,000 years
        raise InvalidSignature
    fresh = abs(moment.timestamp() - int(stamp)) <= TOLERANCE
    wanted = [hmac.new(secret.encode(), f"{stamp}.".encode() + body, sha256).hexdigest() for secret in secrets]
    fits = any(hmac.compare_digest(one.encode(), other.encode()) for one in given for other in wanted)
    if not (fresh and fits):
        raise InvalidSignature
