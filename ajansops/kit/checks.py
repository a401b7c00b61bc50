"""Checks of values: functions that raise Django's ValidationError. For a model's `clean`, which names all at once."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError


def complaints(check: Callable[[Any], object], value: Any) -> list[str]:
    """What the check says against the value; empty when it is fine."""
    try:
        check(value)
    except ValidationError as error:
        return error.messages
    return []
