"""Writes of plain resources: rows that carry no rule beyond rights, uniqueness and their workspace."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import admit
from ajansops.kit.errors import Conflict, Invalid, NotFound
from ajansops.kit.events import State, changed, created, deleted, publish, snapshot
from ajansops.kit.permissions import Permission
from ajansops.kit.tenancy import lock_workspace


@dataclass(frozen=True, slots=True)
class Writer:
    """The services of one such model. `resource` names its events; `unique` is the field that is taken once.

    What one row alone must be is said by the model's `clean`, which the admin's forms ask too.
    """

    model: type[Any]
    resource: str
    add: Permission
    change: Permission
    delete: Permission
    unique: str = "name"

    @transaction.atomic
    def create(self, actor: Actor, **fields: Any) -> Any:
        """Raises `Conflict` naming the unique field, `Invalid` naming those that cannot be, `FeatureLimitReached`."""
        actor.require(self.add)
        lock_workspace(actor.workspace_id)
        if gauge := self.model.gauge:
            admit(actor, gauge)
        row = self.model(workspace_id=actor.workspace_id)
        self._save(actor, row, fields, {})
        publish(actor, f"{self.resource}.created", row, created(row))
        return row

    @transaction.atomic
    def update(self, actor: Actor, row: Any, **fields: Any) -> Any:
        """As `create`; what is not given stays, as it is now. `NotFound` when the row was deleted meanwhile."""
        actor.require(self.change, on=row)
        row = self.locked(actor, row)
        before = snapshot(row)
        self._save(actor, row, fields, before)
        publish(actor, f"{self.resource}.updated", row, changed(row, before))
        return row

    @transaction.atomic
    def remove(self, actor: Actor, row: Any) -> None:
        """With what belongs to it."""
        actor.require(self.delete, on=row)
        row = self.locked(actor, row)
        self.model.objects.filter(pk=row.pk).delete()
        publish(actor, f"{self.resource}.deleted", row, deleted(row))

    def cleaned(self, actor: Actor, row: Any, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields as they are kept, where that takes more than the row: it has the old ones still, or none yet."""
        return fields

    def before_save(self, actor: Actor, row: Any) -> None:
        """What else changes with the row, in the same transaction."""

    def after_save(self, row: Any, before: State) -> None:
        """What refers to the row; `before` is empty for a new one."""

    def refused(self, row: Any, error: IntegrityError) -> Exception:
        """What a constraint's refusal means."""
        return Conflict(errors={self.unique: [gettext("This value is already taken.")]})

    def locked(self, actor: Actor, row: Any) -> Any:
        """As it is now, and until the transaction ends. `NotFound` when it was deleted meanwhile."""
        lock_workspace(actor.workspace_id)
        found = self.model.objects.visible_to(actor).select_for_update().filter(pk=row.pk).first()
        if found is None:
            raise NotFound
        return found

    def _save(self, actor: Actor, row: Any, fields: dict[str, Any], before: State) -> None:
        for name, value in self.cleaned(actor, row, fields).items():
            setattr(row, name, value)
        _check(row)
        try:
            with transaction.atomic():
                self.before_save(actor, row)
                row.save()
                self.after_save(row, before)
        except IntegrityError as error:
            raise self.refused(row, error) from error


def _check(row: Any) -> None:
    try:
        row.clean()
    except ValidationError as error:
        raise Invalid(errors=error.message_dict) from error
