"""Examples made of schemas: by the name of a field where it has a usual value, and else by its type."""

import re
from typing import Any

Schema = dict[str, Any]
WHEN, DAY, URL = "2026-03-02T09:30:00Z", "2026-03-02", "https://www.cini.example/tabaklar"
BY_NAME: dict[str, Any] = {
    "email": "ayse@cini.example",
    "company": "Çini Atölyesi",
    "contact": "Ayşe Yılmaz",
    "domain": "www.cini.example",
    "name": "Çini Atölyesi",
    "title": "Hand-painted plate",
    "slug": "hand-painted-plate",
    "body": "A plate from Kütahya, painted by hand.",
    "description": "A plate from Kütahya, painted by hand.",
    "sku": "PLATE-24",
    "sku_id": "PLATE-24",
    "language": "en",
    "locale": "tr_TR",
    "timezone": "Europe/Istanbul",
    "website": "https://www.cini.example",
    "url": URL,
    "status_url": "/jobs/job_7c1f/status",
    "prefix": "sk_live_4fK2",
    "key": "sk_live_4fK2…",
    "apiKey": "sk_live_4fK2…",
    "access_token": "eyJhbGciOi…",
    "token_type": "Bearer",
    "workspaceId": "12",
    "workspace_id": 12,
    "message": "Done.",
    "currency": "TRY",
    "from": 1,
    "to": 1,
    "total": 1,
    "per_page": 25,
    "page": 1,
    "current_page": 1,
    "last_page": 1,
    "score": 72,
    "requestId": "req_4fK2",
    "request_id": "req_4fK2",
    "phones": ["+902125550134"],
    "emails": ["ayse@cini.example"],
    "tags": ["ceramics"],
    "scopes": ["sites:read", "posts:write"],
    "permissions": ["generate_content"],
    "pictures": ["https://www.cini.example/plate.jpg"],
    "primary_picture": "https://www.cini.example/plate.jpg",
    "canonical_url": URL,
    "subject": "A question about your plates",
    "html": "<p>Dear {{ contact }}</p>",
    "address": "Çini Atölyesi",
}


def example(schema: Schema, components: dict[str, Schema], name: str = "", depth: int = 0) -> Any:
    """A value that the schema takes."""
    if "$ref" in schema:
        return example(components[schema["$ref"].rpartition("/")[2]], components, name, depth)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if options := schema.get("oneOf") or schema.get("anyOf") or schema.get("allOf"):
        return example(options[0], components, name, depth)
    kind = schema.get("type", "object")
    kind = kind if isinstance(kind, str) else kind[0]
    if kind == "object":
        return _object(schema, components, depth)
    if kind == "array":
        return _array(schema, components, name, depth)
    return _plain(schema, kind, name)


def _object(schema: Schema, components: dict[str, Schema], depth: int) -> Any:
    if depth > 6:
        return {}
    return {key: example(one, components, key, depth + 1) for key, one in schema.get("properties", {}).items()}


def _array(schema: Schema, components: dict[str, Schema], name: str, depth: int) -> Any:
    if isinstance(BY_NAME.get(name), list) and schema["items"].get("type") == "string":
        return BY_NAME[name]
    one = example(schema["items"], components, re.sub(r"s$", "", name), depth + 1)
    return [one] * schema.get("minItems", 1)


def _plain(schema: Schema, kind: str, name: str) -> Any:
    usual = BY_NAME.get(name)
    if kind == "string":
        return usual if isinstance(usual, str) and _fits(usual, schema) else _text(schema)
    if kind in {"integer", "number"}:
        least: Any = schema.get("minimum", schema.get("exclusiveMinimum", 0))
        most: Any = schema.get("maximum", 10**9)
        wanted: int = usual if isinstance(usual, int) else 1
        return min(max(wanted, least), most)
    return None if kind == "null" else True


def _fits(text: str, schema: Schema) -> bool:
    return (
        len(text) <= schema.get("maxLength", len(text))
        and "format" not in schema
        and not ("pattern" in schema and not re.search(schema["pattern"], text))
    ) or schema.get("format") in {"email", "uri"}


def _text(schema: Schema) -> str:
    known = {
        "date-time": WHEN,
        "date": DAY,
        "email": "ayse@cini.example",
        "uri": "https://agency.example/api/v1/sites?page=1",
        "uuid": "0b9f9a2e-5d0c-4b5e-9d6f-6d1d5c0f7a11",
        "binary": "…",
    }
    if schema.get("format") in known:
        return known[schema["format"]]
    for text in ("text", "hand-painted-plate", "12"):
        if _fits(text, schema):
            return text
    return ""
