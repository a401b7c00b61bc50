"""Cells that hold more than one value."""

import re
from collections.abc import Iterable

# A comma may be part of a URL, so it separates only where a space or the next URL follows.
_BETWEEN_URLS = re.compile(r"[\s|]+|,(?=https?://)")


def distinct(values: Iterable[str]) -> list[str]:
    """Each once, in order, without empty ones."""
    return list(dict.fromkeys(value for value in values if value))


def several(cell: str, separators: str) -> list[str]:
    """The values between any of the separators."""
    return distinct(part.strip() for part in re.split(f"[{re.escape(separators)}]", cell))


def urls(cell: str) -> list[str]:
    """Addresses between spaces, bars or commas."""
    return distinct(part.strip(",") for part in _BETWEEN_URLS.split(cell))
