"""Addresses in bodies, to which something is sent later."""

from typing import Any

from ajansops.kit.checks import complaints
from ajansops.kit.errors import Invalid
from ajansops.kit.net import check_target

MAX_URL = 2048


def look_up(body: Any, name: str) -> None:
    """Raise `Invalid` naming the field when its address is refused. It takes the time that its name takes: call it from
    a view's `ahead`. What is no address, or none of that length, is the serializer's business.
    """
    given = body.get(name) if isinstance(body, dict) else None
    url = given.strip() if isinstance(given, str) else ""  # as serializers read it
    if 0 < len(url) <= MAX_URL and (found := complaints(check_target, url)):
        raise Invalid(errors={name: found})
