"""What one fetch may cost."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one `Client.get`, redirects included. Bytes, except where the name says otherwise."""

    total_seconds: float = 15
    max_body: int = 10 * 2**20  # holds for the bytes on the wire and again for the decoded ones
    max_redirects: int = 5
    max_ratio: int = 100  # decoded to raw, judged once a body is past `RATIO_FLOOR`
    max_header_bytes: int = 32 * 2**10


RATIO_FLOOR = 2**20  # repetitive small pages compress better than 100:1 and harm nobody
