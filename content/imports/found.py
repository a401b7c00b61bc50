"""What a product file says of one product, judged before anything is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Self

from content.models import SKU_LENGTH, TITLE_LENGTH

MAX_DESCRIPTION = 100_000  # characters
MAX_VALUE = 2_000  # of a picture's URL, a category, a tag, an attribute
MAX_HANDLE = 255


@dataclass(frozen=True, slots=True)
class Found:
    """Fields of a product that the file has columns for, or the reason why there is none. `row` is its first one."""

    row: int
    key: str
    fields: dict[str, Any] = field(default_factory=dict)
    fault: str = ""

    @classmethod
    def bad(cls, row: int, fault: str) -> Self:
        """A row that is reported instead of imported."""
        return cls(row, f"row {row}", fault=fault)

    @classmethod
    def good(cls, row: int, fields: dict[str, Any]) -> Self:
        """A product, unless something is missing or too long."""
        fault = fault_of(fields)
        return cls.bad(row, fault) if fault else cls(row, fields.get("external_handle") or fields["sku"], fields)


def fault_of(fields: dict[str, Any]) -> str:
    """Empty when the product can be stored."""
    limits = {
        "sku": SKU_LENGTH,
        "title": TITLE_LENGTH,
        "description": MAX_DESCRIPTION,
        "external_handle": MAX_HANDLE,
    }
    for name in ("sku", "title"):
        if not fields.get(name):
            return f"The {name} is missing."
    for name, limit in limits.items():
        if len(fields.get(name, "")) > limit:
            return f"The {name} is longer than {limit} characters."
    values = [*fields.get("categories", ()), *fields.get("pictures", ()), *fields.get("tags", ())]
    values += [part for pair in fields.get("attributes", ()) for part in pair]
    return f"A value is longer than {MAX_VALUE} characters." if any(len(v) > MAX_VALUE for v in values) else ""
