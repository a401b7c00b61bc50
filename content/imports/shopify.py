"""Shopify's product export: a product is one row and its further variants and pictures are rows below.

Columns: https://help.shopify.com/en/manual/products/import-export/using-csv
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from content.imports.found import Found
from content.imports.table import Row
from content.imports.values import distinct, several

NAME = "shopify"
OPTIONS = (1, 2, 3)
NO_OPTION = ("Title", ["Default Title"])  # Shopify's way to say that a product has no options


def fits(columns: Collection[str]) -> bool:
    """The body or an option beside handle and title: a plain file has neither."""
    return {"handle", "title"} <= set(columns) and not {"body (html)", "option1 name"}.isdisjoint(columns)


def products(header: Mapping[str, str], rows: Sequence[Row]) -> Iterator[Found]:
    """Rows with the same handle belong together, wherever they stand."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        handle = row.get("handle")
        if handle:
            groups.setdefault(handle, []).append(row)
        else:
            yield Found.bad(row.number, "The handle is missing.")
    for handle, group in groups.items():
        yield Found.good(group[0].number, _fields(handle, group))


def _fields(handle: str, group: Sequence[Row]) -> dict[str, Any]:
    return {
        "external_handle": handle,
        "sku": _first(group, "variant sku").lstrip("'") or handle,  # Excel's apostrophe keeps leading zeros
        "title": _first(group, "title"),
        "description": _first(group, "body (html)"),
        "categories": distinct([_first(group, "type")]),
        "tags": several(_first(group, "tags"), ","),
        "pictures": distinct([*_pictures(group), *_all(group, "variant image")]),
        "attributes": _attributes(group),
    }


def _attributes(group: Sequence[Row]) -> list[list[str]]:
    options = [(_first(group, f"option{n} name"), _all(group, f"option{n} value")) for n in OPTIONS]
    pairs = [("Vendor", [_first(group, "vendor")]), *options, ("Price", _all(group, "variant price"))]
    told = [(label, values) for label, values in pairs if label and any(values) and (label, values) != NO_OPTION]
    return [[label, ", ".join(values)] for label, values in told]


def _pictures(group: Sequence[Row]) -> list[str]:
    placed = [row for row in group if row.get("image src")]
    return [row.get("image src") for row in sorted(placed, key=_position)]


def _position(row: Row) -> int:
    text = row.get("image position")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _first(group: Sequence[Row], key: str) -> str:
    return next((row.get(key) for row in group if row.get(key)), "")


def _all(group: Sequence[Row], key: str) -> list[str]:
    return distinct(row.get(key) for row in group)
