"""JSON as strictly as the standards allow, so that what we understood is what was meant."""

import json
import math
from typing import Any

from django.utils.translation import gettext
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from ajansops.api.errors import PayloadTooLarge

MAX_BYTES = 2**20
MAX_DEPTH = 64
INT64 = 2**63


class StrictJSONParser(BaseParser):
    """At most 1 MiB and 64 levels; no duplicate keys, NaN, NUL, lone surrogates or integers beyond 64 bits."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """The decoded body after the surface's own casing was undone. An empty body is an empty object."""
        raw = stream.read(MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise PayloadTooLarge
        value = loads(raw) if raw.strip() else {}
        view = (parser_context or {}).get("view")
        return view.surface.decode(value) if view else value


def loads(raw: bytes) -> Any:
    """Raises DRF's ParseError saying what is wrong."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_int64, parse_float=_finite
        )
        _check(value, 1)
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ParseError(gettext("The body is not valid JSON: %(reason)s.") % {"reason": reason}) from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("an object has the same key twice")
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


def _int64(digits: str) -> int:
    if len(digits) > 20 or not -INT64 <= int(digits) < INT64:
        raise ValueError("an integer is beyond 64 bits")
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("a string contains NUL")
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    elif isinstance(value, dict):
        for key, entry in value.items():
            _check(key, depth)
            _check(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _check(entry, depth + 1)
