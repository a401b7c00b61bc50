"""The format of an API key.

`sk_live_` or `sk_test_`, 8 characters to look it up by, 43 that are the secret (256 bits), 6 of CRC-32 in base 62, so
that a mistyped key is rejected without a query and secret scanners can tell ours:
`sk_(live|test)_[0-9A-Za-z]{57}`.
"""

import hashlib
import re
import zlib
from dataclasses import dataclass

from ajansops.kit.ids import BASE62, random_text

PATTERN = re.compile(r"(sk_(?:live|test)_)([0-9A-Za-z]{8})([0-9A-Za-z]{43})([0-9A-Za-z]{6})")


@dataclass(frozen=True, slots=True)
class RawKey:
    """A well-formed key; whether it exists is another question."""

    text: str
    public_id: str

    @property
    def digest(self) -> str:
        """SHA-256 of the whole key: it is random, so nothing slower is needed."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def prefix(self) -> str:
        """What may be shown."""
        return self.text[:11]


def make(*, test: bool) -> RawKey:
    """A new key."""
    public_id = random_text(8)
    body = f"sk_{'test' if test else 'live'}_{public_id}{random_text(43)}"
    return RawKey(body + _checksum(body), public_id)


def parse(text: str) -> RawKey | None:
    """None for what cannot be one of ours."""
    match = PATTERN.fullmatch(text)
    if match is None or _checksum(text[:-6]) != match[4]:
        return None
    return RawKey(text, match[2])


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = BASE62[digit] + digits
    return digits
