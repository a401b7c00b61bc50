"""What an endpoint can be given. Pure, but for the list of events there are."""

import base64
import binascii
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ajansops.kit.public_events import public_events

ALL = "*"
MAX_PATTERNS = 100
MAX_PATTERN = 64
PREFIX = "whsec_"
LEAST_KEY, LONGEST_KEY = 24, 64  # bytes, as Standard Webhooks has it


def means(pattern: str, type: str) -> bool:
    """`post.*` means everything that begins with `post.`."""
    if pattern == ALL:
        return True
    return type.startswith(pattern[:-1]) if pattern.endswith(".*") else type == pattern


def check_patterns(patterns: Any) -> None:
    """A list of patterns, each of which means some event. Raises ValidationError."""
    if not isinstance(patterns, list) or not 0 < len(patterns) <= MAX_PATTERNS:
        raise ValidationError(gettext("A list of 1 to %(most)d names of events.") % {"most": MAX_PATTERNS})
    if wrong := [pattern for pattern in patterns if not _comes(pattern)]:
        message = gettext("There is no event '%(value)s'; /api/v1/webhooks/events lists them all.")
        raise ValidationError([message % {"value": str(pattern)[:MAX_PATTERN]} for pattern in wrong])


def _comes(pattern: Any) -> bool:
    return isinstance(pattern, str) and any(means(pattern, name) for name in public_events())


def check_secret(secret: str) -> None:
    """`whsec_` and the base64 of 24 to 64 bytes. Raises ValidationError."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not LEAST_KEY <= len(key) <= LONGEST_KEY:
        message = gettext("'whsec_' followed by the base64 of %(least)d to %(most)d random bytes.")
        raise ValidationError(message % {"least": LEAST_KEY, "most": LONGEST_KEY})
