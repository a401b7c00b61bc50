"""Bases of serializers: what every row on the wire has in common."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ajansops.kit.clock import iso


class Moment(serializers.DateTimeField):
    """ISO 8601, UTC, to the second, with `Z`."""

    def to_representation(self, value: datetime) -> str | None:  # type: ignore[override]
        """None stays None."""
        return iso(value)


class Row(serializers.ModelSerializer[Any]):
    """A model's row with our times."""

    serializer_field_mapping = serializers.ModelSerializer.serializer_field_mapping | {
        field: Moment
        for field, made in serializers.ModelSerializer.serializer_field_mapping.items()
        if made is serializers.DateTimeField
    }


# What a library's field would take although it is something else: 5 as "5", "5" as 5, "yes" as true.
MEANT: tuple[tuple[Any, tuple[type, ...]], ...] = (
    (serializers.CharField, (str,)),
    (serializers.BooleanField, (bool,)),
    (serializers.IntegerField, (int, float)),
    (serializers.FloatField, (int, float)),
)


def _other(field: Any, value: Any) -> Any:
    """The error where JSON of another type was sent, by place in a list. What is no list is the list's own business."""
    if value is None or isinstance(field, AnyId):
        return None
    if isinstance(field, serializers.ListField):
        places = enumerate(value if isinstance(value, list) else [])
        return {place: error for place, one in places if (error := _other(field.child, one))} or None
    types = next((types for kind, types in MEANT if isinstance(field, kind)), None)
    return [str(field.error_messages["invalid"])] if types and type(value) not in types else None


@extend_schema_field({"type": ["integer", "string"]})
class AnyId(serializers.CharField):
    """12 or "12": an id that references show in both ways. As text."""


class Body(serializers.Serializer[Any]):
    """A request body. A field that is not declared is an error, and so is a value of another type: a mistake is not
    silently ignored or made to fit.
    """

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Of its fields, for a row that shows what is written."""
        return tuple(cls._declared_fields)

    def to_internal_value(self, data: Any) -> Any:
        """422 naming each unknown field, or each that is of another type."""
        if isinstance(data, dict):
            unknown = set(data) - set(self.fields)
            if unknown:
                message = gettext("This field is not known here.")
                raise serializers.ValidationError({name: [message] for name in sorted(unknown)})
            others = {name: _other(field, data.get(name)) for name, field in self.fields.items()}
            if wrong := {name: error for name, error in others.items() if error}:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)
