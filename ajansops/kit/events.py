"""What has happened, told in the transaction in which it did: either both are kept or neither.

What somebody did is published: for the log, and for the outside. What a job changes is told to the outside alone: in
the log it is the job. Listeners only write rows (the activity log, an outbox); nothing is sent from here.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Model

from ajansops.kit.actor import Actor
from ajansops.logs import SECRET

State = dict[str, Any]
Changes = Mapping[str, tuple[Any, Any]]
UNTOLD = frozenset({"id", "workspace_id", "created_at", "updated_at"})  # say nothing about what somebody did
SHOWN = 200  # characters of a value
HIDDEN = "•••"


@dataclass(frozen=True, slots=True)
class Event:
    """`type` is `resource.action`; `changes` are pairs of before and after, JSON values by field."""

    type: str
    actor: Actor
    subject: Model
    changes: Changes = field(default_factory=dict)


Listener = Callable[[Event], None]
Outlet = Callable[[Actor, str, Iterable[Model]], None]
_LISTENERS: list[Listener] = []
_OUTLETS: list[Outlet] = []


def listen(listener: Listener) -> None:
    """Called from `AppConfig.ready`."""
    _LISTENERS.append(listener)


def let_out(outlet: Outlet) -> None:
    """Called from `AppConfig.ready`: by whom the outside is told."""
    _OUTLETS.append(outlet)


def publish(actor: Actor, type: str, subject: Model, changes: Changes | None = None) -> None:
    """Tell everybody. Raises RuntimeError outside a transaction: the change could be kept without it.

    The outside comes after those who listen: the log locks the workspace.
    """
    _require_transaction(type)
    event = Event(type, actor, subject, changes or {})
    for listener in _LISTENERS:
        listener(event)
    tell(actor, type, [subject])


def tell(actor: Actor, type: str, subjects: Iterable[Model]) -> None:
    """Tell the outside alone that the same has happened to each of these rows of the actor's workspace.

    They are read only if somebody wants to know: give a queryset where they are not at hand.
    """
    _require_transaction(type)
    for outlet in _OUTLETS:
        outlet(actor, type, subjects)


def _require_transaction(type: str) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError(f"{type} was told outside a transaction.")


def snapshot(row: Model) -> State:
    """The row's own columns as JSON values."""
    values = {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}
    state: State = json.loads(json.dumps(values, cls=DjangoJSONEncoder))
    return state


def created(row: Model) -> Changes:
    """All that a new row says."""
    return difference(row, {}, snapshot(row))


def deleted(row: Model) -> Changes:
    """All that is gone with the row; call it before it is."""
    return difference(row, snapshot(row), {})


def changed(row: Model, before: State) -> Changes:
    """What is different since `before` was taken by `snapshot`."""
    return difference(row, before, snapshot(row))


def difference(row: Model, before: State, after: State) -> Changes:
    """Pairs by field. A model's `unlogged` fields are left out, and the values of its `personal` ones."""
    unlogged: frozenset[str] = getattr(row, "unlogged", frozenset())
    personal: frozenset[str] = getattr(row, "personal", frozenset())
    names = [name for name in before | after if name not in UNTOLD | unlogged]
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {
        name: _hidden(pair) if name in personal else (_short(pair[0]), _short(pair[1]))
        for name, pair in pairs.items()
        if (pair[0] or None) != (pair[1] or None)
    }


def _hidden(pair: tuple[Any, Any]) -> tuple[Any, Any]:
    return HIDDEN if pair[0] else None, HIDDEN if pair[1] else None


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if SECRET.search(text):
        return HIDDEN  # somebody put a key where a name belongs
    return value if len(text) <= SHOWN else f"{text[:SHOWN]}…"
