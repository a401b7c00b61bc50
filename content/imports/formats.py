"""The formats of product files. To add one: a module with `fits` and `products`, and a line in `FORMATS`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from django.utils.translation import gettext

from ajansops.kit.errors import Invalid
from content.imports import plain, shopify
from content.imports.found import Found
from content.imports.table import MAX_BYTES, Row, decode, headers, key_of, read


class Format(Protocol):
    """A module that understands one kind of header."""

    NAME: str

    def fits(self, columns: Collection[str]) -> bool:
        """Whether these column keys are its header."""
        ...

    def products(self, header: Mapping[str, str], rows: Sequence[Row]) -> Iterable[Found]:
        """Every readable row becomes part of a product or a fault."""
        ...


FORMATS: tuple[Format, ...] = (shopify, plain)  # the first that fits


@dataclass(frozen=True, slots=True)
class ProductFile:
    """What a file holds. `rows` counts all below the header."""

    format: str
    rows: int
    blank: int
    found: list[Found]


def read_products(data: bytes) -> ProductFile:
    """Raises `Invalid` on `file` for one that is empty, too large, no CSV or has an unknown header."""
    if len(data) > MAX_BYTES:
        message = gettext("The file is larger than %(limit)d MiB.")
        raise Invalid(errors={"file": [message % {"limit": MAX_BYTES // 2**20}]})
    text = decode(data)
    known, delimiter = _recognise(text)
    table = read(text, delimiter)
    faults = [Found.bad(row.number, row.fault) for row in table.rows if row.fault]
    readable = [row for row in table.rows if not row.fault]
    found = sorted([*faults, *known.products(table.header, readable)], key=lambda one: one.row)
    return ProductFile(known.NAME, len(table.rows) + table.blank, table.blank, found)


def _recognise(text: str) -> tuple[Format, str]:
    for delimiter, names in headers(text):
        columns = {key_of(name) for name in names}
        for known in FORMATS:
            if known.fits(columns):
                return known, delimiter
    message = gettext("This is no product file that we know: a Shopify export, or a CSV with columns sku and title.")
    raise Invalid(errors={"file": [message]})
