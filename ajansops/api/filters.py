"""What a list can be narrowed by. A view declares its own by name; dates are everybody's."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, Protocol

from django.db.models import BooleanField, F, Func, Model, Q, QuerySet, Value
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext

from ajansops.kit.actor import Actor

Rows = QuerySet[Any]
MAX_TEXT = 255


class BadValue(ValueError):
    """The text of a parameter cannot be understood; the message says what is expected."""


class Filter(Protocol):
    """Narrows the rows. Raises `BadValue`, or `NotFound` for a row that the text names."""

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """`text` is as sent, not empty."""
        ...


@dataclass(frozen=True, slots=True)
class Exact:
    """The column is this text."""

    column: str

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """Whatever it is."""
        return rows.filter(**{self.column: text})


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of the column's values, spelled in any case."""

    column: str
    values: Collection[str]

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """An unknown one would only ever give an empty list, so it is an error."""
        known = {value.casefold(): value for value in self.values}
        if text.casefold() not in known:
            raise BadValue(gettext("Use one of: %(known)s.") % {"known": ", ".join(self.values)})
        return rows.filter(**{self.column: known[text.casefold()]})


@dataclass(frozen=True, slots=True)
class Number:
    """An id in the column; `read` understands other spellings of it, and gives None for what is none."""

    column: str
    read: Callable[[str], int | None] = lambda text: (
        int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    )

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """An id that is not there gives an empty list."""
        number = self.read(text)
        if number is None or number >= 2**63:
            raise BadValue(gettext("A whole number of at least 1."))
        return rows.filter(**{self.column: number})


@dataclass(frozen=True, slots=True)
class RowOf:
    """A row that must be there for the actor, found by `get`, which raises `NotFound`."""

    column: str
    get: Callable[[Actor, str], Model]

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """Those that point to it."""
        return rows.filter(**{self.column: self.get(actor, text)})


@dataclass(frozen=True, slots=True)
class Search:
    """A part of one of the columns, in any case."""

    columns: tuple[str, ...]

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """Blanks around it mean nothing."""
        wanted = text.strip()[:MAX_TEXT]
        found = Q()
        for column in self.columns:
            found |= Q(**{f"{column}__icontains": wanted})
        return rows.filter(found) if wanted else rows


@dataclass(frozen=True, slots=True)
class Holds:
    """The list in the JSON column holds this text."""

    column: str

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """Exactly this; blanks around it mean nothing."""
        return rows.filter(_HoldsText(F(self.column), Value(text.strip()), output_field=BooleanField()))


class _HoldsText(Func):
    template = "EXISTS (SELECT 1 FROM %(function)s(%(expressions)s))"
    function = "json_each"
    arg_joiner = ") AS entry WHERE entry.value = ("

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="jsonb_array_elements_text", **extra)


@dataclass(frozen=True, slots=True)
class Moment:
    """Strictly after or before; a date alone is its midnight, UTC."""

    lookup: str

    def __call__(self, rows: Rows, text: str, actor: Actor) -> Rows:
        """ISO 8601; without an offset it is UTC."""
        return rows.filter(**{self.lookup: _moment(text)})


def _moment(text: str) -> datetime:
    try:
        day = parse_date(text)
        moment = datetime.combine(day, time()) if day else parse_datetime(text.replace(" ", "+"))
        if moment is not None:
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # 2026-02-30, or beyond the year 9999: well formed, but no moment
        pass
    raise BadValue(gettext("A date or time as ISO 8601 writes them, such as 2026-01-31T12:00:00Z."))


def dates(model: type[Model]) -> dict[str, Filter]:
    """`created_after` and the like, for the times that the model has."""
    names = {field.name for field in model._meta.concrete_fields}
    edges = {"after": "gt", "before": "lt"}
    return {
        f"{column.removesuffix('_at')}_{edge}": Moment(f"{column}__{lookup}")
        for column in ("created_at", "updated_at")
        if column in names
        for edge, lookup in edges.items()
    }


def status(model: type[Model]) -> dict[str, Filter]:
    """`status`, for a model that has one with choices."""
    for field in model._meta.concrete_fields:
        if field.name == "status" and field.choices:
            return {"status": OneOf("status", [str(value) for value, _ in field.flatchoices])}
    return {}
