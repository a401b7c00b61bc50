"""What a caller asks of a list: which rows, in which order, which fields, with which related rows.

A view declares `filters` and `includes`; sorting and sparse fields follow from its serializer. What is not known is an
error that names it, so that a typing mistake never looks like an answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db import models
from django.db.models import F, QuerySet
from django.utils.translation import gettext
from rest_framework.serializers import BaseSerializer

from ajansops.api.filters import BadValue, Filter, dates, status
from ajansops.kit.actor import Actor
from ajansops.kit.errors import Invalid
from ajansops.kit.permissions import Permission

ALWAYS = ("id", "created_at", "updated_at")
RESERVED = frozenset({"page", "per_page", "cursor", "sort", "fields", "include"})
MAX_KEYS = 8  # of a sort
Serializer = type[BaseSerializer[Any]]


@dataclass(frozen=True, slots=True)
class Include:
    """A related row: how it looks, and the right to see it."""

    output: Callable[[], Serializer]  # called late, since serializers of two apps may include each other
    right: Permission


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of the order."""

    column: str
    descending: bool
    nullable: bool

    def expression(self) -> Any:
        """Rows without a value come last either way, on either database."""
        column = F(self.column)
        last = {"nulls_last": True} if self.nullable else {}
        return column.desc(**last) if self.descending else column.asc(**last)


@dataclass(frozen=True, slots=True)
class Columns:
    """Of a serializer: the column behind each plain field, and what the other fields read, where that is declared."""

    plain: Mapping[str, str]
    names: frozenset[str]
    needs: Mapping[str, tuple[str, ...]]

    def of(self, fields: frozenset[str]) -> set[str] | None:
        """What has to be read for these fields; None when one of them may read anything."""
        read: set[str] = set()
        for name in fields:
            if name in self.plain:
                read.add(self.plain[name])
            elif name in self.needs:
                read.update(self.needs[name])
            else:
                return None
        return read


@cache
def columns_of(model: type[models.Model], output: Any) -> Columns:
    """Found once. `Meta.needs` of the serializer names the columns that a computed field reads."""
    known = {name for field in model._meta.concrete_fields for name in (field.name, field.attname)}
    declared: Any = output().fields
    sources = {name: field.source or name for name, field in declared.items()}
    plain = {name: source for name, source in sources.items() if source in known}
    needs = getattr(getattr(output, "Meta", None), "needs", {})
    return Columns(plain, frozenset(declared), needs)


@dataclass(frozen=True, slots=True)
class ListQuery:
    """One caller's wishes, understood."""

    sort: tuple[SortKey, ...]  # empty for the view's own order
    fields: frozenset[str] | None  # None for all
    includes: Mapping[str, Include]
    filters: Mapping[str, tuple[Filter, str]]

    def narrowed(self, rows: QuerySet[Any], actor: Actor) -> QuerySet[Any]:
        """Filtered and ordered. Raises `Invalid` naming each parameter that makes no sense."""
        errors: dict[str, list[str]] = {}
        for name, (narrow, text) in self.filters.items():
            try:
                rows = narrow(rows, text, actor)
            except BadValue as error:
                errors[name] = [str(error)]
        if errors:
            raise Invalid(errors=errors)
        return rows.order_by(*(key.expression() for key in self.sort)) if self.sort else rows

    def read(self, rows: QuerySet[Any], columns: Columns, order: Sequence[SortKey]) -> QuerySet[Any]:
        """No more columns and joins than the fields, the includes and the order take."""
        wanted = None if self.fields is None else columns.of(self.fields - self.includes.keys())
        if wanted is None:
            return rows.select_related(*self.includes) if self.includes else rows
        joined = {column.rpartition("__")[0] for column in wanted if "__" in column} | self.includes.keys()
        rows = rows.select_related(None)
        rows = rows.select_related(*joined) if joined else rows
        return rows.only("pk", *(key.column for key in order), *wanted, *joined)


@cache
def filters_of(view: Any) -> Mapping[str, Filter]:
    """Everybody's and the view's own."""
    return {**dates(view.model), **status(view.model), **view.filters}


def understand(view: Any, output: Any, params: Mapping[str, str], *, listed: bool) -> ListQuery:
    """Of one row only fields and includes. Raises `Invalid`, and `AccessDenied` for an include one may not see."""
    errors: dict[str, list[str]] = {}
    columns = columns_of(view.model, output)
    includes = _includes(view, params, errors)
    known = filters_of(type(view)) if listed else {}  # type: ignore[arg-type]
    given = {name: text for name, text in params.items() if name not in RESERVED}
    if listed:
        errors |= {name: [gettext("This parameter is not known here.")] for name in given if name not in known}
    query = ListQuery(
        sort=_sort(view.model, columns, params.get("sort", ""), errors) if listed else (),
        fields=_fields(columns, includes, params, errors),
        includes=includes,
        filters={name: (known[name], text) for name, text in given.items() if text and name in known},
    )
    if errors:
        raise Invalid(errors=errors)
    return query


NO_WISHES = ListQuery((), None, {}, {})


def order_of(rows: QuerySet[Any]) -> tuple[SortKey, ...]:
    """The order in which the rows come, from the names that a view has ordered them by."""
    words = [word for word in rows.query.order_by if isinstance(word, str)]
    return tuple(_key(rows.model, word.removeprefix("-"), descending=word.startswith("-")) for word in words)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _includes(view: Any, params: Mapping[str, str], errors: dict[str, list[str]]) -> dict[str, Include]:
    wanted = _words(params.get("include", ""))
    if unknown := [name for name in wanted if name not in view.includes]:
        errors["include"] = [_unknown(name, view.includes) for name in unknown]
    found = {name: view.includes[name] for name in wanted if name in view.includes}
    for include in found.values():
        view.actor.require(include.right)
    return found


def _fields(
    columns: Columns, includes: Mapping[str, Include], params: Mapping[str, str], errors: dict[str, list[str]]
) -> frozenset[str] | None:
    if "fields" not in params:
        return None
    wanted = frozenset(_words(params["fields"]))
    if unknown := sorted(wanted - columns.names - includes.keys()):
        errors["fields"] = [_unknown(name, columns.names) for name in unknown]
    return wanted.union(includes)


def _sort(model: type[models.Model], columns: Columns, text: str, errors: dict[str, list[str]]) -> tuple[SortKey, ...]:
    words = _words(text)[:MAX_KEYS]
    if not words:
        return ()
    sortable = sortable_columns(model, columns)
    unknown = [word for word in words if word.removeprefix("-") not in sortable]
    if unknown:
        errors["sort"] = [_unknown(word, sortable) for word in unknown]
        return ()
    keys = [_key(model, sortable[word.removeprefix("-")], descending=word.startswith("-")) for word in words]
    tie = _key(model, model._meta.pk.name, descending=keys[-1].descending)
    return tuple([*keys, tie] if tie.column not in {key.column for key in keys} else keys)


def sortable_columns(model: type[models.Model], columns: Columns) -> dict[str, str]:
    """Everybody's three, and the plain fields of the resource: no JSON, no long texts."""
    mine = {field.name: field for field in model._meta.concrete_fields}
    mine |= {field.attname: field for field in model._meta.concrete_fields}
    long = (models.JSONField, models.TextField)
    found = {name: column for name, column in columns.plain.items() if not isinstance(mine[column], long)}
    return {name: name for name in ALWAYS if name in mine} | found


def _key(model: type[models.Model], column: str, *, descending: bool) -> SortKey:
    field = next(f for f in model._meta.concrete_fields if column in {f.name, f.attname})
    return SortKey(field.attname, descending, field.null)


def _unknown(name: str, known: Any) -> str:
    return gettext("'%(name)s' is not known. Use: %(known)s.") % {"name": name[:60], "known": ", ".join(sorted(known))}
