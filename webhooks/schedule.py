"""What becomes of a delivery after an attempt. Pure."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from ajansops.kit.clock import now

# Seconds before each attempt: three days in all.
DELAYS = (0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
MAX_ATTEMPTS = len(DELAYS)
JITTER = 0.2
BUSY = frozenset({429, 502, 503, 504})
BUSY_DELAY = 60.0  # at least, for a receiver that is not itself at the moment
MAX_ASKED = 86_400.0
GONE = 410


def delivered(status: int | None) -> bool:
    """Any 2xx."""
    return status is not None and 200 <= status < 300


def next_attempt(attempts: int, status: int | None, *, timed_out: bool, asked: float) -> datetime | None:
    """After that many failed attempts; None when there is none. `asked` is what Retry-After said, in seconds."""
    if attempts >= MAX_ATTEMPTS or status == GONE:
        return None
    delay = DELAYS[attempts] * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # jitter
    if timed_out or status in BUSY:
        delay = max(delay, BUSY_DELAY, min(asked, MAX_ASKED))
    return now() + timedelta(seconds=delay)


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds that the answer asks us to wait; 0 when it asks for nothing, or for nothing we understand."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return 0.0
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now()).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no date, one without a zone, or one beyond all calendars
        return 0.0
