"""What a tenant's table may point to: rows of the same tenant, held by the database below every view and service."""

from collections.abc import Collection, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.backends.ddl_references import Columns, Statement, Table
from django.db.models import BaseConstraint, ForeignKey, Model
from django.utils.translation import gettext_lazy

FOREIGN_KEY = (
    "ALTER TABLE %(table)s ADD CONSTRAINT %(name)s FOREIGN KEY (%(columns)s) "
    "REFERENCES %(to_table)s (%(to_columns)s) DEFERRABLE INITIALLY DEFERRED"
)
DROP = "ALTER TABLE %(table)s DROP CONSTRAINT %(name)s"


class SameWorkspace(BaseConstraint):
    """The row that the foreign key `field` leads to is of the row's own workspace; none is fine too.

    On PostgreSQL a second foreign key, over workspace and id, so the parent needs a UniqueConstraint of the two, made
    before this. It costs an insert one more look into that index. SQLite cannot add a foreign key to a table: there
    only `validate` and the services hold the rule.
    """

    default_violation_error_message = gettext_lazy("This belongs to another workspace.")

    def __init__(
        self, field: str, *, name: str, violation_error_code: str | None = None, violation_error_message: Any = None
    ) -> None:
        super().__init__(
            name=name, violation_error_code=violation_error_code, violation_error_message=violation_error_message
        )
        self.field = field

    def __repr__(self) -> str:
        return f"<{type(self).__qualname__}: field={self.field!r} name={self.name!r}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SameWorkspace):
            return NotImplemented
        return self.deconstruct() == other.deconstruct()

    def __hash__(self) -> int:
        return hash((self.field, self.name))

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """For migrations."""
        path, _, options = super().deconstruct()
        return path, (self.field,), options

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        """Nothing inside CREATE TABLE: the parent may come later in the same migration."""
        if (statement := self.create_sql(model, schema_editor)) is not None:
            schema_editor.deferred_sql.append(statement)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        """As a statement that the schema editor drops or renames along with its tables; None but on PostgreSQL."""
        if not _enforced(schema_editor):
            return None
        relation, quote = self._relation(model), schema_editor.quote_name
        to: type[Model] = relation.related_model
        columns = [_workspace_column(model), relation.column]
        to_columns = [_workspace_column(to), relation.target_field.column]
        return Statement(
            FOREIGN_KEY,
            table=Table(model._meta.db_table, quote),
            name=quote(self.name),
            columns=Columns(model._meta.db_table, columns, quote),
            to_table=Table(to._meta.db_table, quote),
            to_columns=Columns(to._meta.db_table, to_columns, quote),
        )

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        """The reverse of `create_sql`."""
        if not _enforced(schema_editor):
            return None
        quote = schema_editor.quote_name
        return Statement(DROP, table=Table(model._meta.db_table, quote), name=quote(self.name))

    def validate(
        self,
        model: type[Model],
        instance: Any,
        exclude: Collection[str] | None = None,
        using: str = DEFAULT_DB_ALIAS,
    ) -> None:
        """Raise ValidationError naming the field. Costs a query; forms call it, services do not."""
        relation = self._relation(model)
        value = getattr(instance, relation.attname)
        if value is None or instance.workspace_id is None or self.field in (exclude or ()):
            return
        same = {relation.target_field.attname: value, "workspace_id": instance.workspace_id}
        if not relation.related_model._base_manager.using(using).filter(**same).exists():
            code = self.violation_error_code or "other_workspace"
            error = ValidationError(self.get_violation_error_message(), code=code)
            raise ValidationError({self.field: error})

    def _relation(self, model: type[Model]) -> Any:
        relation = model._meta.get_field(self.field)
        assert isinstance(relation, ForeignKey), f"{model.__name__}.{self.field} is no foreign key"
        return relation


def _enforced(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


def _workspace_column(model: type[Model]) -> str:
    workspace = model._meta.get_field("workspace")
    assert isinstance(workspace, ForeignKey)
    return workspace.column
