"""Exact totals without counting: PostgreSQL adds up what every statement adds and removes, in its own transaction.

A model that may have many rows declares `CountedRows` among its constraints. Each statement on its table appends one
line a workspace to `api_rowcount`, so writers never wait for each other; a total is the sum of the lines, and `compact`
makes one of many. SQLite has no triggers by statement: there totals are counted.
"""

from collections.abc import Collection
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import BaseConstraint, Model, Q, QuerySet
from django.db.models.sql import Query

TABLE = "api_rowcount"
TOTAL = f"SELECT coalesce(sum(rows), 0)::bigint FROM {TABLE} WHERE name = %s AND workspace_id = %s"  # noqa: S608

APPEND = f"INSERT INTO {TABLE} (name, workspace_id, rows) "
ADDED = "SELECT workspace_id, 1 AS n FROM added WHERE {condition}"
REMOVED = "SELECT workspace_id, -1 AS n FROM removed WHERE {condition}"
SUM = (
    "SELECT {label}, workspace_id, sum(n) FROM ({changes}) AS changes "
    "WHERE workspace_id IS NOT NULL GROUP BY workspace_id"
)
FUNCTION = """
CREATE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  CASE TG_OP
    WHEN 'INSERT' THEN {insert};
    WHEN 'DELETE' THEN {delete};
    ELSE {update} HAVING sum(n) <> 0;
  END CASE;
  RETURN NULL;
END $$
"""
TRIGGERS = {
    "insert": "NEW TABLE AS added",
    "delete": "OLD TABLE AS removed",
    "update": "OLD TABLE AS removed NEW TABLE AS added",
}
TRIGGER = (
    "CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {rows} FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
)
COMPACT = f"""
WITH crowded AS (SELECT name, workspace_id FROM {TABLE} GROUP BY name, workspace_id HAVING count(*) > 1),
     gone AS (DELETE FROM {TABLE} WHERE (name, workspace_id) IN (SELECT name, workspace_id FROM crowded)
              RETURNING name, workspace_id, rows)
INSERT INTO {TABLE} (name, workspace_id, rows)
SELECT name, workspace_id, sum(rows) FROM gone GROUP BY name, workspace_id HAVING sum(rows) <> 0
"""  # noqa: S608


class CountedRows(BaseConstraint):
    """Keep the number of each workspace's rows that meet `condition`, which may only look at columns of the row."""

    def __init__(self, *, name: str, condition: Q | None = None) -> None:
        super().__init__(name=name)
        self.condition = condition

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, CountedRows):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash(self.name)

    def deconstruct(self) -> tuple[str, Any, dict[str, Any]]:
        """For migrations."""
        path, args, options = super().deconstruct()
        return path, args, options | ({"condition": self.condition} if self.condition else {})

    def counted(self, model: type[Model]) -> QuerySet[Any]:
        """The rows that are counted, of every workspace."""
        rows: QuerySet[Any] = model._base_manager.order_by()
        return rows.filter(self.condition) if self.condition else rows

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Nothing inside CREATE TABLE; the triggers come right after it."""
        if (statement := self.create_sql(model, schema_editor)) is not None:
            schema_editor.deferred_sql.append(statement)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """The triggers, and what is there already; None but on PostgreSQL."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        quote, table = schema_editor.quote_name, model._meta.db_table
        label, condition = schema_editor.quote_value(table), self._condition(model, schema_editor)
        added, removed = (text.format(condition=condition) for text in (ADDED, REMOVED))

        def append(changes: str) -> str:
            return APPEND + SUM.format(label=label, changes=changes)

        function = FUNCTION.format(
            function=quote(self.name),
            insert=append(added),
            delete=append(removed),
            update=append(f"{added} UNION ALL {removed}"),
        )
        triggers = [
            TRIGGER.format(
                name=quote(f"{self.name}_{event}"),
                event=event,
                table=quote(table),
                rows=rows,
                function=quote(self.name),
            )
            for event, rows in TRIGGERS.items()
            if event != "update" or self.condition  # a row never changes its workspace
        ]
        present = append(f"SELECT workspace_id, 1 AS n FROM {quote(table)} WHERE {condition}")  # noqa: S608
        return ";".join([function, *triggers, present])

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """The reverse of `create_sql`."""
        if schema_editor.connection.vendor != "postgresql":
            return None
        label = schema_editor.quote_value(model._meta.db_table)
        return (
            f"DROP FUNCTION {schema_editor.quote_name(self.name)}() CASCADE; DELETE FROM {TABLE} WHERE name = {label}"  # noqa: S608
        )

    def _condition(self, model: Any, schema_editor: Any) -> str:
        """As UniqueConstraint writes its own: columns without their table."""
        if self.condition is None:
            return "true"
        query = Query(model=model, alias_cols=False)
        where = query.build_where(self.condition)
        compiler = query.get_compiler(connection=schema_editor.connection)
        sql, params = where.as_sql(compiler, schema_editor.connection)
        return str(sql % tuple(schema_editor.quote_value(value) for value in params))

    def validate(
        self, model: type[Model], instance: Any, exclude: Collection[str] | None = None, using: str = DEFAULT_DB_ALIAS
    ) -> None:
        """Every row is fine."""


def counter_of(model: type[Model]) -> CountedRows | None:
    """The model's own, where one is kept."""
    if connection.vendor != "postgresql":
        return None
    return next((one for one in model._meta.constraints if isinstance(one, CountedRows)), None)


def total_sql(rows: QuerySet[Any], workspace_id: int) -> tuple[str, tuple[Any, ...]]:
    """SQL of how many there are: kept, where these are the rows of the workspace that are counted; else counted now."""
    bare = rows.order_by().values("pk").query.sql_with_params()
    if counter := counter_of(rows.model):
        counted = counter.counted(rows.model).filter(workspace_id=workspace_id)
        if counted.values("pk").query.sql_with_params() == bare:
            return TOTAL, (rows.model._meta.db_table, workspace_id)
    sql, params = bare
    return f"SELECT count(*) FROM ({sql}) AS rows", params  # noqa: S608


def total_of(rows: QuerySet[Any], workspace_id: int) -> int:
    """How many there are."""
    if counter_of(rows.model) is None:
        return rows.order_by().count()
    try:
        sql, params = total_sql(rows, workspace_id)
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        total: int = cursor.fetchone()[0]
    return total


def compact() -> dict[str, int]:
    """One line of many, atomically: whoever adds up meanwhile sees the ones or the other."""
    if connection.vendor != "postgresql":
        return {}
    with connection.cursor() as cursor:
        cursor.execute(COMPACT)
        return {"totals_compacted": cursor.rowcount}
