"""What a form would check, for callers that have none."""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db.models import Model

from ajansops.kit.errors import Invalid

Row = TypeVar("Row", bound=Model)


def checked(row: Row) -> Row:
    """The row, if each of its fields may be saved. Raises `Invalid` naming those that may not."""
    try:
        row.clean_fields()
    except ValidationError as error:
        raise Invalid(errors=error.message_dict) from error
    return row
