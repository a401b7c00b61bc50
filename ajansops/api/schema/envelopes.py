"""What a surface puts around what a view answers with."""

from typing import Any

Schema = dict[str, Any]
INT: Schema = {"type": "integer"}
MAYBE_INT: Schema = {"type": ["integer", "null"]}
URL: Schema = {"type": "string", "format": "uri"}
MAYBE_URL: Schema = {"type": ["string", "null"], "format": "uri"}
MESSAGE: Schema = {"type": "string"}


def closed(**properties: Schema) -> Schema:
    """An object with exactly these."""
    return {"type": "object", "properties": properties, "required": list(properties)}


PAGE_META = closed(
    current_page=INT, **{"from": MAYBE_INT}, last_page=INT, per_page=INT, to=MAYBE_INT, total={"type": "integer"}
)
CURSOR_META = closed(per_page=INT, next_cursor={"type": ["string", "null"]})
PAGE_LINKS = closed(first=URL, last=URL, prev=MAYBE_URL, next=MAYBE_URL)
CURSOR_LINKS = closed(next=MAYBE_URL)
COMPONENTS: dict[str, Schema] = {
    "PageMeta": PAGE_META,
    "CursorMeta": CURSOR_META,
    "PageLinks": PAGE_LINKS,
    "CursorLinks": CURSOR_LINKS,
}


def _either(*names: str) -> Schema:
    return {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]}


def listed(surface: str, item: Schema) -> Schema:
    """A page of rows."""
    rows = {"type": "array", "items": item}
    if surface == "app":
        return closed(success={"const": True, "type": "boolean"}, data=rows, meta=_either("PageMeta"))
    return closed(data=rows, meta=_either("PageMeta", "CursorMeta"), links=_either("PageLinks", "CursorLinks"))


def wrapped(surface: str, data: Schema, *, message: bool) -> Schema:
    """One answer. Insight's is wrapped by `beside`, studio's is none."""
    if surface == "app":
        return closed(success={"const": True, "type": "boolean"}, data=data)
    return closed(**({"message": MESSAGE} if message else {}), data=data)


def beside(data: Schema) -> Schema:
    """`ok` with the fields of the answer beside it."""
    return {
        **data,
        "properties": {"ok": {"const": True, "type": "boolean"}, **data.get("properties", {})},
        "required": ["ok", *data.get("required", [])],
    }
