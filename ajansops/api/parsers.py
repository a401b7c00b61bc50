"""JSON as strictly as the standards allow, so that what we understood is what was meant."""

import json
import math
from typing import Any

from django.utils.translation import gettext
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from ajansops.api.errors import PayloadTooLarge

FORM = "application/x-www-form-urlencoded"
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


class CurlParser(StrictJSONParser):
    """JSON that `curl -d` calls a form, as a published example prints it.

    A form that is none is 415, and so is a browser's: a page of another site could send this type without being asked.
    """

    media_type = FORM
    browsers = ("Origin", "Sec-Fetch-Site")

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """An object, or `UnsupportedMediaType`."""
        request = (parser_context or {})["request"]
        if not request.body.lstrip().startswith(b"{") or any(name in request.headers for name in self.browsers):
            raise UnsupportedMediaType(FORM)
        return super().parse(stream, media_type, parser_context)


def loads(raw: bytes) -> Any:
    """Raises DRF's ParseError saying what is wrong."""
    try:
        text = raw.decode("utf-8")
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_int64, parse_float=_finite
        )
        _check(value, 1)
    except (ValueError, RecursionError) as error:
        raise ParseError(gettext("The body is not valid JSON: %(reason)s.") % {"reason": _reason(error)}) from error
    return value


def _reason(error: ValueError | RecursionError) -> str:
    match error:
        case RecursionError():
            return gettext("it is nested too deeply")
        case UnicodeDecodeError():
            return gettext("it is not UTF-8")
        case UnicodeEncodeError():
            return gettext("a string contains half a surrogate pair")
        case json.JSONDecodeError():
            place = {"line": error.lineno, "column": error.colno}
            return gettext("it goes wrong at line %(line)d, column %(column)d") % place
    return str(error)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError(gettext("an object has the same key twice"))
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(gettext("%(name)s is not a JSON number") % {"name": name})


def _int64(digits: str) -> int:
    if len(digits) > 20 or not -INT64 <= int(digits) < INT64:
        raise ValueError(gettext("an integer is beyond 64 bits"))
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(gettext("a number is too large"))
    return number


def _check(value: Any, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ValueError(gettext("it is nested more than %(levels)d levels deep") % {"levels": MAX_DEPTH})
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError(gettext("a string contains NUL"))
        value.encode()  # a lone surrogate raises UnicodeEncodeError, a ValueError
    elif isinstance(value, dict):
        for key, entry in value.items():
            _check(key, depth)
            _check(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            _check(entry, depth + 1)
