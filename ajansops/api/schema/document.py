"""The whole document: the app surface's casing, shared components, tags and examples. Hooks of drf-spectacular."""

from typing import Any

from ajansops.api.casing import camelize
from ajansops.api.idempotency import HEADER
from ajansops.api.schema import envelopes, errors, security
from ajansops.api.schema.examples import example

Schema = dict[str, Any]
METHODS = frozenset({"get", "post", "put", "patch", "delete"})
REF = "#/components/schemas/"
RANGES = frozenset({2**15 - 1, 2**31 - 1, 2**63 - 1})
TAGS = {
    "core": "Every resource, for integrations with a key and for browser sessions: `/api/v1/`.",
    "studio": "Product content, with a key or a short-lived token of one: `/v1/`.",
    "app": "What the browser application uses, in camelCase and with ids as strings: `/api/`.",
    "insight": "Audits, chat and cron: `/api/audit/`, `/api/chat/`, `/api/cron`.",
}
NOT_CALLED = {"webhooks": "What endpoints are sent: `docs/webhooks.md`."}
PARAMETERS: dict[str, Schema] = {
    "Workspace": {
        "name": "X-Workspace-ID",
        "in": "header",
        "description": "Which workspace a signed-in person means; without it their current one. A key has its own.",
        "schema": {"type": "string"},
    },
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "description": "Of messages: `en`, `tr`, `hu`. Codes never change.",
        "schema": {"type": "string"},
    },
    "IdempotencyKey": {
        "name": HEADER,
        "in": "header",
        "description": "A repetition with the same key within 24 hours gets the first answer again.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[!-~](?:[ -~]*[!-~])?$"},
    },
}


def finish(result: Schema, **_: Any) -> Schema:
    """Last of the hooks: enums have their names already."""
    components = result["components"]
    _drop_ranges(components["schemas"])
    components["schemas"] |= errors.COMPONENTS | envelopes.COMPONENTS
    components["parameters"] = components.get("parameters", {}) | PARAMETERS
    components |= {"headers": errors.headers(), "securitySchemes": security.SCHEMES}
    components["responses"] = errors.responses([*TAGS])
    operations = [call for path in result["paths"].values() for method, call in path.items() if method in METHODS]
    for call in operations:
        if call["tags"] == ["app"]:
            _camelize(call, components["schemas"])
    for call in operations:
        _add_examples(call, components["schemas"])
    _drop_unused(result)
    result["tags"] = [{"name": name, "description": text} for name, text in (TAGS | NOT_CALLED).items()]
    return result


def _drop_ranges(schema: Any) -> None:
    """The bounds of a database's integers: they say nothing of the API, and each database has its own."""
    if isinstance(schema, list):
        for one in schema:
            _drop_ranges(one)
    elif isinstance(schema, dict):
        if schema.get("maximum") in RANGES:
            for name in ("maximum", "format"):
                schema.pop(name, None)
            if schema.get("minimum") != 0:
                schema.pop("minimum", None)
        for one in schema.values():
            _drop_ranges(one)


def _camelize(call: Schema, schemas: dict[str, Schema]) -> None:
    """References of the operation lead to copies in the surface's casing."""
    for media in _media(call):
        media["schema"] = _renamed(media["schema"], schemas)


def _renamed(schema: Any, schemas: dict[str, Schema], key: str = "") -> Any:
    if isinstance(schema, list):
        return [_renamed(one, schemas, key) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": REF + _copied(schema["$ref"].removeprefix(REF), schemas, key)}
    made = {name: _renamed(one, schemas, key) for name, one in schema.items() if name != "properties"}
    if "properties" in schema:
        made["properties"] = {_camel(name): _renamed(one, schemas, name) for name, one in schema["properties"].items()}
        made |= {"required": [_camel(name) for name in schema["required"]]} if "required" in schema else {}
    elif (key == "id" or key.endswith("_id")) and "type" in schema:
        made["type"] = _as_text(schema["type"])
        if made["type"] != schema["type"]:
            made = {name: one for name, one in made.items() if name not in {"minimum", "maximum", "format"}}
    return made


def _as_text(kinds: Any) -> Any:
    if isinstance(kinds, str):
        return "string" if kinds == "integer" else kinds
    texts = list(dict.fromkeys("string" if kind == "integer" else kind for kind in kinds))
    return texts if len(texts) > 1 else texts[0]


def _copied(name: str, schemas: dict[str, Schema], key: str) -> str:
    """The copy's name; what has no properties stays as it is."""
    schema = schemas[name]
    if "enum" in schema:
        return name
    copy = name if name.startswith("App") else f"App{name}"
    mark = schema.get("x-camel")
    if copy not in schemas or (copy == name and not mark):
        schemas[copy] = {"x-camel": True}  # a reference may lead back here
        schemas[copy] = _renamed(schema, schemas, key) | {"x-camel": True}
    return copy


def _camel(name: str) -> str:
    return next(iter(camelize({name: None})))


def _media(call: Schema) -> list[Schema]:
    """Of its body and its own answers."""
    holders = [call.get("requestBody", {}), *call["responses"].values()]
    return [media for holder in holders for media in holder.get("content", {}).values()]


def _add_examples(call: Schema, schemas: dict[str, Schema]) -> None:
    for media in _media(call):
        media.setdefault("example", example(media["schema"], schemas))


def _drop_unused(result: Schema) -> None:
    """Rows that are shown inside of others only, and responses that no operation has."""
    components = result["components"]
    used: set[str] = set()
    todo: list[Any] = [result["paths"], result["webhooks"]]
    while todo:
        one = todo.pop()
        if isinstance(one, list):
            todo += one
        elif isinstance(one, dict):
            ref = one.get("$ref")
            if isinstance(ref, str) and ref not in used:
                used.add(ref)
                kind, name = ref.split("/")[2:]
                todo.append(components[kind][name])
            todo += one.values()
    for kind in ("schemas", "responses", "headers", "parameters"):
        components[kind] = {
            name: {key: part for key, part in one.items() if key != "x-camel"}
            for name, one in sorted(components[kind].items())
            if f"#/components/{kind}/{name}" in used
        }
