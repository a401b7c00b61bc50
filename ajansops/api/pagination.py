"""Pages as the core reference documents them, and cursors for walking where counting and skipping cost too much."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import EmptyPage, Paginator
from django.db.models import Q, QuerySet
from django.utils.translation import gettext
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from ajansops.api.lists import SortKey
from ajansops.api.parsers import loads
from ajansops.api.surface import JSON
from ajansops.kit.errors import Invalid

PER_PAGE = 25
MAX_PER_PAGE = 100


class Page:
    """One page of a queryset with the meta and links beside it."""

    def __init__(self, queryset: QuerySet[Any], request: Request) -> None:
        self.request = request
        self.number = _positive(request, "page", 1)
        self.per_page = min(_positive(request, "per_page", PER_PAGE), MAX_PER_PAGE)
        self.paginator = Paginator(queryset, self.per_page)
        self.rows: Sequence[Any] = self._rows()

    def _rows(self) -> Sequence[Any]:
        try:
            return list(self.paginator.page(self.number).object_list)
        except EmptyPage:
            return []

    @property
    def meta(self) -> JSON:
        """Totals and the place of this page in them."""
        first = (self.number - 1) * self.per_page + 1
        return {
            "current_page": self.number,
            "from": first if self.rows else None,
            "last_page": self.paginator.num_pages,
            "per_page": self.per_page,
            "to": first + len(self.rows) - 1 if self.rows else None,
            "total": self.paginator.count,
        }

    @property
    def links(self) -> JSON:
        """Absolute addresses of the pages around."""
        last = self.paginator.num_pages
        return {
            "first": self._link(1),
            "last": self._link(last),
            "prev": self._link(min(self.number - 1, last)) if self.number > 1 else None,
            "next": self._link(self.number + 1) if self.number < last else None,
        }

    def _link(self, number: int) -> str:
        return str(replace_query_param(self.request.build_absolute_uri(), "page", number))


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
        here = self.request.build_absolute_uri()
        return {"next": replace_query_param(here, "cursor", self.next_cursor) if self.next_cursor else None}

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
