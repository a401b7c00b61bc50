"""Writes of plain resources: rows that carry no rule beyond rights, uniqueness and their workspace."""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.errors import Conflict
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.permissions import Permission
from ajansops.kit.tenancy import lock_workspace


@dataclass(frozen=True, slots=True)
class Writer:
    """The services of one such model. `resource` names its events; `unique` is the field that is taken once."""

    model: type[Any]
    resource: str
    add: Permission
    change: Permission
    delete: Permission
    unique: str = "name"

    @transaction.atomic
    def create(self, actor: Actor, **fields: Any) -> Any:
        """Raises `Conflict` naming the unique field."""
        actor.require(self.add)
        lock_workspace(actor.workspace_id)
        row = self.model(workspace_id=actor.workspace_id, **fields)
        self._save(row)
        publish(actor, f"{self.resource}.created", row, created(row))
        return row

    @transaction.atomic
    def update(self, actor: Actor, row: Any, **fields: Any) -> Any:
        """As `create`; what is not given stays."""
        actor.require(self.change, on=row)
        lock_workspace(actor.workspace_id)
        before = snapshot(row)
        for name, value in fields.items():
            setattr(row, name, value)
        self._save(row)
        publish(actor, f"{self.resource}.updated", row, changed(row, before))
        return row

    @transaction.atomic
    def remove(self, actor: Actor, row: Any) -> None:
        """With what belongs to it."""
        actor.require(self.delete, on=row)
        lock_workspace(actor.workspace_id)
        self.model.objects.filter(pk=row.pk).delete()
        publish(actor, f"{self.resource}.deleted", row, deleted(row))

    def _save(self, row: Any) -> None:
        try:
            with transaction.atomic():
                self.before_save(row)
                row.save()
        except IntegrityError as error:
            raise Conflict(errors={self.unique: [gettext("This value is already taken.")]}) from error

    def before_save(self, row: Any) -> None:
        """What else changes with the row, in the same transaction."""
