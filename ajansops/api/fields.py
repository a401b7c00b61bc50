"""Fields of request bodies that name rows: looked up among what the caller sees, so a foreign id is an unknown one."""

import math
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
CENTS = 2  # decimal places
AMOUNT = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,9})?")
DIGITS = re.compile(r"[0-9]{1,19}")  # of 2**63; no other script's, which int() would take
UNKNOWN = gettext_lazy("Does not exist.")
Rows = type[Model] | Callable[[Actor], QuerySet[Any]]


def row_number(data: Any, *, prefix: str = "") -> int | None:
    """12 or "12" as an id; None for what cannot be one."""
    if isinstance(data, str):
        text = data.removeprefix(prefix)
        data = int(text) if DIGITS.fullmatch(text) else None
    possible = type(data) is int and 0 < data < INT64  # True is an int too
    return data if possible else None


@extend_schema_field({"type": ["integer", "string"]})
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
        return row_number(data, prefix=self.prefix)

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


@extend_schema_field({"type": "number"})
class Money(serializers.DecimalField):
    """An amount with at most two decimal places; the field's name says in which currency.

    Read as the decimal that was written, kept and added as one. It is shown as a JSON number, as the published
    references show costs: a double writes the digits of up to 15 back as they were.
    """

    def __init__(self, *, max_digits: int = 10, **kwargs: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=CENTS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Digits, as a number or a text; no exponent and no other script's, which Decimal() would take."""
        if not AMOUNT.fullmatch(str(data)):
            self.fail("invalid")
        return super().to_internal_value(data)

    def to_representation(self, value: Any) -> float:  # type: ignore[override]
        """The number as it is written."""
        return float(value)


class Number(serializers.FloatField):
    """A number, or a text of its digits; float() takes truth values, and "nan", which no JSON can say again."""

    def to_internal_value(self, data: Any) -> float:
        """Finite."""
        number = super().to_internal_value(data)
        if isinstance(data, bool) or not math.isfinite(number):
            self.fail("invalid")
        return number


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
