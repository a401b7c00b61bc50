"""Pages as the core reference documents them, and cursors for walking where counting and skipping cost too much."""

import base64
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from ajansops.api.lists import SortKey
from ajansops.api.parsers import loads
from ajansops.api.surface import JSON
from ajansops.kit.counting import total_of
from ajansops.kit.errors import Invalid
from ajansops.kit.ids import random_text

PER_PAGE = 25
MAX_PER_PAGE = 100
WHOLE = {"type": "integer", "minimum": 1, "maximum": 999_999_999}  # in the schema
MARK = random_text(22)  # where the number goes in an address; in no query of anybody's


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list a page is."""

    number: int
    per_page: int

    @property
    def offset(self) -> int:
        """Rows before it."""
        return (self.number - 1) * self.per_page

    def meta(self, total: int, shown: int) -> JSON:
        """Totals and the place of this page in them."""
        return {
            "current_page": self.number,
            "from": self.offset + 1 if shown else None,
            "last_page": self.last(total),
            "per_page": self.per_page,
            "to": self.offset + shown if shown else None,
            "total": total,
        }

    def links(self, request: Request, total: int) -> JSON:
        """Absolute addresses of the pages around."""
        last = self.last(total)
        before, _, after = _address(request, "page", MARK).partition(MARK)
        return {
            "first": f"{before}1{after}",
            "last": f"{before}{last}{after}",
            "prev": f"{before}{min(self.number - 1, last)}{after}" if self.number > 1 else None,
            "next": f"{before}{self.number + 1}{after}" if self.number < last else None,
        }

    def last(self, total: int) -> int:
        """Number of the last page; an empty list has one."""
        return max(1, -(-total // self.per_page))


def place_of(request: Request) -> Place:
    """Raises `Invalid` naming the parameter."""
    return Place(_positive(request, "page", 1), min(_positive(request, "per_page", PER_PAGE), MAX_PER_PAGE))


class Page:
    """One page of a queryset with the meta and links beside it."""

    def __init__(self, queryset: QuerySet[Any], request: Request) -> None:
        place = place_of(request)
        self.total = total_of(queryset, request.auth.workspace_id)  # type: ignore[union-attr]
        beyond = place.offset >= self.total
        self.rows: Sequence[Any] = [] if beyond else list(queryset[place.offset : place.offset + place.per_page])
        self.meta = place.meta(self.total, len(self.rows))
        self.links = place.links(request, self.total)


def _address(request: Request, name: str, value: str) -> str:
    """Of this request with another value of the parameter."""
    if request.META.get("QUERY_STRING"):
        return str(replace_query_param(request.build_absolute_uri(), name, value))
    return f"{request.scheme}://{request.get_host()}{request.get_full_path()}?{name}={value}"


class CursorPage:
    """The rows after a cursor, at the same cost wherever it stands. `order` ends with a unique column."""

    def __init__(self, queryset: QuerySet[Any], request: Request, order: Sequence[SortKey]) -> None:
        self.request = request
        self.order = order
        self.per_page = min(_positive(request, "per_page", PER_PAGE), MAX_PER_PAGE)
        cursor = request.query_params["cursor"]
        rows = queryset.filter(self._after(cursor)) if cursor else queryset
        found = list(rows[: self.per_page + 1])
        self.rows: Sequence[Any] = found[: self.per_page]
        self.next_cursor = self._cursor(self.rows[-1]) if len(found) > self.per_page else None

    @property
    def meta(self) -> JSON:
        """No totals: they are what a cursor saves."""
        return {"per_page": self.per_page, "next_cursor": self.next_cursor}

    @property
    def links(self) -> JSON:
        """Only forward."""
        return {"next": _address(self.request, "cursor", self.next_cursor) if self.next_cursor else None}

    def _spelled(self) -> str:
        return ",".join(f"{'-' * key.descending}{key.column}" for key in self.order)

    def _cursor(self, row: Any) -> str:
        values = [getattr(row, key.column) for key in self.order]
        text = json.dumps([self._spelled(), *map(_plain, values)], ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def _values(self, model: Any, cursor: str) -> list[Any]:
        """Raises `Invalid` for what is no cursor of this order."""
        try:
            text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            spelled, *values = loads(text)
            if spelled == self._spelled() and len(values) == len(self.order):
                fields = {field.attname: field for field in model._meta.concrete_fields}
                return [fields[key.column].to_python(value) for key, value in zip(self.order, values, strict=True)]
        except (ValueError, TypeError, OverflowError, ValidationError, ParseError):
            pass
        raise Invalid(errors={"cursor": [gettext("This is not a cursor of this list in this order.")]})

    def _after(self, cursor: str) -> Q:
        found, same = Q(pk__in=[]), Q()
        for key, value in zip(self.order, self._values(self.request.parser_context["view"].model, cursor), strict=True):
            if value is None:  # rows without a value come last, so none is beyond
                same &= Q(**{f"{key.column}__isnull": True})
                continue
            beyond = Q(**{f"{key.column}__{'lt' if key.descending else 'gt'}": value})
            found |= same & (beyond | Q(**{f"{key.column}__isnull": True}) if key.nullable else beyond)
            same &= Q(**{key.column: value})
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (re.fullmatch(r"[0-9]{1,9}", text) and int(text)):
        raise Invalid(errors={name: [gettext("A whole number of at least 1.")]})
    return int(text)
