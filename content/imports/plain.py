"""A CSV of one row a product: sku, title, description, categories, tags, pictures; any other column is an attribute."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from content.imports.found import Found
from content.imports.table import Row
from content.imports.values import several, urls

NAME = "plain"
PICTURES = ("picture", "pictures", "image", "images")
LISTS = {"categories": ("categories", "category"), "tags": ("tags", "tag")}
KNOWN = {"sku", "handle", "title", "description", *PICTURES, *LISTS["categories"], *LISTS["tags"]}


def fits(columns: Collection[str]) -> bool:
    """A title, and something to know the product by when the file comes again."""
    return "title" in columns and not {"sku", "handle"}.isdisjoint(columns)


def products(header: Mapping[str, str], rows: Sequence[Row]) -> Iterator[Found]:
    """The first row of a SKU counts; a second one is reported."""
    first: dict[str, int] = {}
    for row in rows:
        found = Found.good(row.number, _fields(header, row))
        if found.key in first:
            found = Found.bad(row.number, f"Row {first[found.key]} has the same SKU or handle.")
        first[found.key] = row.number
        yield found


def _fields(header: Mapping[str, str], row: Row) -> dict[str, Any]:
    """Only what the file has columns for, so that importing prices does not erase descriptions."""
    fields: dict[str, Any] = {"sku": row.get("sku", "handle"), "title": row.get("title")}
    if row.get("handle"):
        fields["external_handle"] = row.get("handle")
    if "description" in header:
        fields["description"] = row.get("description")
    for name, columns in LISTS.items():
        if not header.keys().isdisjoint(columns):
            fields[name] = several(row.get(*columns), ",;|")
    if not header.keys().isdisjoint(PICTURES):
        fields["pictures"] = urls(" ".join(row.get(column) for column in PICTURES))
    if others := [key for key in header if key not in KNOWN]:
        fields["attributes"] = [[header[key], row.get(key)] for key in others if row.get(key)]
    return fields
