"""Pages as the core reference documents them."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.paginator import EmptyPage, Paginator
from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

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


def _positive(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (re.fullmatch(r"[0-9]{1,9}", text) and int(text)):
        raise Invalid(errors={name: [gettext("A whole number of at least 1.")]})
    return int(text)
