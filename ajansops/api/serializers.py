"""Bases of serializers: what every row on the wire has in common."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext
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


class Body(serializers.Serializer[Any]):
    """A request body. A field that is not declared is an error, so that a typing mistake is not silently ignored."""

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Of its fields, for a row that shows what is written."""
        return tuple(cls._declared_fields)

    def to_internal_value(self, data: Any) -> Any:
        """422 naming each unknown field."""
        if isinstance(data, dict):
            unknown = set(data) - set(self.fields)
            if unknown:
                message = gettext("This field is not known here.")
                raise serializers.ValidationError({name: [message] for name in sorted(unknown)})
        return super().to_internal_value(data)
