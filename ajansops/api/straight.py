"""Pages that PostgreSQL writes as JSON itself, the total beside them, in one statement.

Making model instances, serializing and encoding them, and counting, is most of what a page of a list costs. Where every
field of the serializer is a column as it is, none of that is needed. The answer is the same as the serializer's, which
a test asserts for every list; what cannot be done here goes that way.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import QuerySet
from rest_framework import serializers

from ajansops.api.lists import ListQuery, order_of
from ajansops.api.pagination import Place
from ajansops.api.serializers import Moment
from ajansops.api.surface import unchanged
from ajansops.kit.actor import Actor
from ajansops.kit.counting import total_sql

ANYBODY = 2**62 + 1  # no workspace: where its id stands in a kept statement, the caller's is put
KEPT = 1024  # statements
BOUNDS = "/* bounds */"
PAGE = (
    "SELECT ({total}), (SELECT coalesce(json_agg(row), '[]')::text FROM (SELECT {names} FROM ({page}) AS page) AS row)"
)
TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""
# How the values of a serializer's field come out of PostgreSQL's own JSON as the field would have written them.
AS_IT_IS = "{}"
WRITTEN: dict[type[serializers.Field[Any, Any, Any, Any]], str] = {
    **dict.fromkeys(
        (
            serializers.BigIntegerField,
            serializers.BooleanField,
            serializers.CharField,
            serializers.ChoiceField,
            serializers.DateField,
            serializers.EmailField,
            serializers.FloatField,
            serializers.IntegerField,
            serializers.JSONField,
            serializers.ReadOnlyField,
            serializers.SlugField,
            serializers.URLField,
            serializers.UUIDField,
        ),
        AS_IT_IS,
    ),
    serializers.DecimalField: "{}::text",
    Moment: TIME,
}
# Columns whose JSON is not what a serializer's field makes of them.
OTHERWISE = (models.BinaryField, models.DateTimeField, models.DecimalField, models.DurationField, models.TimeField)


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL of a page and its total, with a place for its bounds; whether it is the same for every caller."""

    sql: str
    params: tuple[Any, ...]
    kept: bool

    def run(self, place: Place, workspace_id: int) -> tuple[int, int, str]:
        """The total, how many of them are on the page, and these as a JSON array.

        The bounds stand in the text: a planner that does not know them expects a tenth of the table.
        """
        sql = self.sql.replace(BOUNDS, f"LIMIT {place.per_page} OFFSET {place.offset}")
        params = [workspace_id if value == ANYBODY else value for value in self.params]
        again = self.kept and place.number == 1
        with connection.preparing_cursor() if again else connection.cursor() as cursor:  # type: ignore[attr-defined]
            cursor.execute(sql, params)
            total, rows = cursor.fetchone()
        return total, max(0, min(place.per_page, total - place.offset)), rows


_kept: dict[Any, Statement | None] = {}


def statement_for(view: Any, asked: ListQuery) -> Statement | None:
    """None where the serializer has to do it."""
    if connection.vendor != "postgresql" or asked.includes or view.surface.encode is not unchanged:
        return None
    if asked.filters or view.kwargs or not view.same_for_all_callers():
        return _statement(view, asked, view.rows(), view.actor)
    key = (type(view), asked.sort, asked.fields)
    if key not in _kept:
        anybody = replace(view.actor, workspace_id=ANYBODY)
        if len(_kept) >= KEPT:
            _kept.clear()  # made again when they are asked for
        _kept[key] = _statement(view, asked, view.rows_of(anybody), anybody)
    return _kept[key]


def _statement(view: Any, asked: ListQuery, rows: QuerySet[Any], actor: Actor) -> Statement | None:
    written = _written(view.model, view.output)
    if written is None or not view.prepares_nothing():
        return None
    rows = asked.narrowed(rows, actor)
    rows = rows.order_by(*(key.expression() for key in asked.sort or order_of(rows)))
    shown = {name: sql for name, (_, sql) in written.items() if asked.fields is None or name in asked.fields}
    columns = dict.fromkeys(written[name][0] for name in shown) or {view.model._meta.pk.attname: None}
    try:
        page, of_page = rows.values_list(*columns).query.sql_with_params()
        total, of_total = total_sql(rows, actor.workspace_id)
    except EmptyResultSet:
        return None
    names = ", ".join(f"{sql.format(_quoted(written[name][0]))} AS {_quoted(name)}" for name, sql in shown.items())
    sql = PAGE.format(total=total, names=names, page=f"{page} {BOUNDS}")
    return Statement(sql, (*of_total, *of_page), kept=actor.workspace_id == ANYBODY)


def _quoted(name: str) -> str:
    return connection.ops.quote_name(name)


@cache
def _written(model: type[models.Model], output: Any) -> dict[str, tuple[str, str]] | None:
    """Each field's column and how it is written; None when one of them is more than a column."""
    if output.to_representation is not serializers.Serializer.to_representation:
        return None
    columns = {field.attname: field for field in model._meta.concrete_fields}
    found = {}
    for name, field in output().fields.items():
        if type(field) not in WRITTEN or field.source not in columns or field.write_only:
            return None
        if isinstance(columns[field.source], OTHERWISE) and WRITTEN[type(field)] == AS_IT_IS:
            return None
        found[name] = (str(columns[field.source].column), WRITTEN[type(field)])
    return found
