"""Fields of request bodies that name rows: looked up among what the caller sees, so a foreign id is an unknown one."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import Model, QuerySet
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ajansops.kit.actor import Actor

MAX_NAMED = 1000  # ids in one list
INT64 = 2**63
DIGITS = re.compile(r"[0-9]{1,19}")  # of 2**63; no other script's, which int() would take
UNKNOWN = gettext_lazy("Does not exist.")
Rows = type[Model] | Callable[[Actor], QuerySet[Any]]


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}]})
class WorkspaceRelatedField(serializers.Field[Any, Any, Any, Any]):
    """12 or "12" as a row of the caller's workspace; with `prefix`, "prod_12" too.

    `rows` is a model, or what makes a queryset of an actor. Whatever names no row that the caller sees is one error in
    one wording, be it malformed, unknown or foreign.
    """

    default_error_messages = {"does_not_exist": UNKNOWN}

    def __init__(self, rows: Rows, *, prefix: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.rows, self.prefix = rows, prefix

    def visible(self) -> QuerySet[Any]:
        """What the caller of the view can name."""
        actor: Actor = self.context["view"].actor
        if isinstance(self.rows, type):
            rows: QuerySet[Any] = self.rows.objects.visible_to(actor)  # type: ignore[attr-defined]
            return rows
        return self.rows(actor)

    def number(self, data: Any) -> int | None:
        """The id in `data`; None for what cannot be one."""
        if isinstance(data, str):
            text = data.removeprefix(self.prefix)
            data = int(text) if DIGITS.fullmatch(text) else None
        possible = type(data) is int and 0 < data < INT64  # True is an int too
        return data if possible else None

    def known(self, numbers: Iterable[int | None]) -> set[int]:
        """Those that are there: one query."""
        wanted = {number for number in numbers if number is not None}
        return set(self.visible().filter(pk__in=wanted).order_by().values_list("pk", flat=True)) if wanted else set()

    def to_internal_value(self, data: Any) -> Any:
        """The row."""
        number = self.number(data)
        row = None if number is None else self.visible().filter(pk=number).first()
        if row is None:
            self.fail("does_not_exist")
        return row

    def to_representation(self, value: Any) -> Any:
        """Its id."""
        return value.pk


class WorkspaceRelatedIds(serializers.ListField):
    """A list of ids, as ids: the services that take many look at columns of their own choice."""

    child: WorkspaceRelatedField

    def __init__(self, rows: Rows, *, prefix: str = "", max_length: int = MAX_NAMED, **kwargs: Any) -> None:
        super().__init__(child=WorkspaceRelatedField(rows, prefix=prefix), max_length=max_length, **kwargs)

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        """One query for all of them, and none for more than are allowed: a body could hold half a million."""
        if self.max_length is not None and len(data) > self.max_length:
            return data  # the length is refused next
        numbers = [self.child.number(one) for one in data]
        known = self.child.known(numbers)
        errors = {place: [str(UNKNOWN)] for place, number in enumerate(numbers) if number not in known}
        if errors:
            raise serializers.ValidationError(errors)  # type: ignore[arg-type]  # as ListField does, by place
        return numbers
