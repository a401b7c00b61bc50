"""One operation, from what its view declares."""

import re
from typing import Any

from django.db import models
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from ajansops.api.authentication import SAFE
from ajansops.api.filters import Number, dates, status
from ajansops.api.lists import columns_of, sortable_columns
from ajansops.api.pagination import MAX_PER_PAGE, PER_PAGE, WHOLE
from ajansops.api.parsers import FORM
from ajansops.api.schema import envelopes, errors, security
from ajansops.api.serializers import Body, Row
from ajansops.kit.permissions import Permission

Schema = dict[str, Any]
WRITES = frozenset({"create", "update", "partial_update"})
PAGING = [
    OpenApiParameter("page", WHOLE, description="From 1."),
    OpenApiParameter("per_page", WHOLE, description=f"{PER_PAGE}; more than {MAX_PER_PAGE} are {MAX_PER_PAGE}."),
]
NOTHING: Schema = {"type": "string", "maxLength": 0}  # as if it had not been sent
TEXTS: Schema = {"type": "array", "items": {"type": "string"}}


def one_of(names: list[str], *, signed: bool = False) -> Schema:
    """Some of the names with commas between them, or nothing."""
    word = ("-?" if signed else "") + "(?:" + "|".join(names) + ")"
    return {"type": "string", "pattern": f"^(?:{word}(?:,{word})*)?$"}


class SurfaceSchema(AutoSchema):
    """Operations grouped and named by surface; resources wrapped in its envelope."""

    view: Any  # a SurfaceView

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """With what all operations of a surface share."""
        operation = super().get_operation(*args, **kwargs)
        if operation is None:
            return None
        right = self.view.rights.get(self._action())
        operation["security"] = [{name: []} for name in security.schemes_for(self.view, right)]
        words = [operation.get("description", ""), security.needs(right)]
        operation["description"] = "\n\n".join(word for word in words if word)
        if isinstance(right, Permission):
            operation["x-required-scope"] = right.scope
        operation["parameters"] = [*operation.get("parameters", []), *self._headers_sent()]
        return operation

    def map_parsers(self) -> list[str]:
        """Without the type that curl calls what it sends: it is taken, not recommended."""
        return [media_type for media_type in super().map_parsers() if media_type != FORM]

    def get_auth(self) -> list[Any]:
        """See `security`."""
        return []

    def get_tags(self) -> list[str]:
        """One tag a surface."""
        return [self.view.surface.name]

    def get_operation_id(self) -> str:
        """`core_sites_list`, `studio_content_generate_post`."""
        surface = self.view.surface
        path = self.path.removeprefix(surface.prefixes[0] if len(surface.prefixes) == 1 else "/api/")
        parameter = "" if hasattr(self.view, "action") else r"\1"  # an action says already that there is one
        words = re.sub(r"[^a-z0-9]+", "_", re.sub(r"\{(.*?)\}", parameter, path)).strip("_")
        return f"{surface.name}_{words}_{self._action()}"

    def get_override_parameters(self) -> list[Any]:
        """Pages, and what else the list understands."""
        action = self._action()
        found = [OpenApiParameter(name, schema) for name, schema in self.view.queries.get(action, {}).items()]
        if not self.view.surface.lists or not hasattr(self.view, "output"):
            return found + (PAGING if action == "list" else [])
        if action == "list":
            return found + PAGING + self._list_parameters()
        return found + (self._shaping(self.view.detail_output or self.view.output) if action == "retrieve" else [])

    def _list_parameters(self) -> list[OpenApiParameter]:
        """From what the view declares, as `api.lists` reads it."""
        view = self.view
        sortable = sorted(sortable_columns(view.model, columns_of(view.model, view.output)))
        sort = OpenApiParameter("sort", one_of(sortable, signed=True), description="Comma-separated, `-` descends.")
        cursor = OpenApiParameter(
            "cursor", OpenApiTypes.STR, description="Walk without totals: empty to start, then `meta.next_cursor`."
        )
        narrow = {**dates(view.model), **status(view.model), **view.filters}
        filters = [
            OpenApiParameter(name, _filter_schema(one, name in dates(view.model))) for name, one in narrow.items()
        ]
        return [cursor, sort, *self._shaping(view.output), *filters]

    def _shaping(self, output: Any) -> list[OpenApiParameter]:
        names = sorted(columns_of(self.view.model, output).names | self.view.includes.keys())
        text = "Comma-separated. The rows then have these alone, whatever is required below."
        fields = OpenApiParameter("fields", one_of(names), description=text)
        includes = sorted(self.view.includes)
        return [fields, OpenApiParameter("include", one_of(includes))] if includes else [fields]

    def _headers_sent(self) -> list[Schema]:
        names = ["AcceptLanguage"]
        if self._known():
            names += ["Workspace"]
            names += ["IdempotencyKey"] if self._repeats() else []
        return [{"$ref": f"#/components/parameters/{name}"} for name in names]

    def get_request_serializer(self) -> Any:
        """`input` of a resource, `body` of other views; nothing for an action without a body."""
        action = self._action()
        if action in self.view.bodies:
            return self.view.bodies[action]
        if action in WRITES:
            changing = action != "create" and getattr(self.view, "change_input", None)
            return changing or getattr(self.view, "input", None)
        return getattr(self.view, "body", None) if self.method in {"POST", "PUT", "PATCH"} else None

    def get_response_serializers(self) -> Any:
        """Not asked: `_get_response_bodies` is ours."""
        return OpenApiTypes.OBJECT

    def _get_request_body(self, direction: Any = "request") -> Any:
        if self.get_request_serializer() is None:
            return None
        return super()._get_request_body(direction)  # type: ignore[no-untyped-call]

    def _get_response_bodies(self, direction: Any = "response") -> Any:
        """What it answers with, and what can go wrong."""
        made = {str(code): self._answer(code, answer) for code, answer in self._answers().items()}
        wrong = errors.statuses(self.view, self.method, self._action(), known=self._known())
        wrong = wrong if "{" not in self.path else sorted({*wrong, 404})
        surface = self.view.surface.name
        refs = {str(code): {"$ref": f"#/components/responses/{errors.name_of(surface, code)}"} for code in wrong}
        return refs | made

    def _answers(self) -> dict[int, Any]:
        """Status to serializer, list of one, media type with schema, or None."""
        action = self._action()
        if action in self.view.answers:
            return dict(self.view.answers[action])
        if action == "destroy" or (self.method == "DELETE" and not hasattr(self.view, "output")):
            return {self.view.surface.deleted_status: None}
        output = getattr(self.view, "output", None)
        if action == "retrieve" and getattr(self.view, "detail_output", None):
            output = self.view.detail_output
        return {201 if action == "create" else 200: output}

    def _answer(self, code: int, answer: Any) -> Schema:
        names = ["X-Request-ID", "X-Duration-Ms", *([] if self.view.unlimited else errors.LIMITS)]
        made = {name: errors.header_ref(name) for name in names}
        if self._known() and self._repeats():
            made["Idempotent-Replayed"] = errors.header_ref("Idempotent-Replayed", required=False)
        described: Schema = {"description": "As asked." if code < 300 else "Not well.", "headers": made}
        if code == 204:
            return described | {"description": "Gone." if self.method == "DELETE" else "Nothing more."}
        if isinstance(answer, str):  # a media type
            return described | {"content": {answer: {"schema": {"type": "string"}}}}
        return described | {"content": {"application/json": {"schema": self._enveloped(answer)}}}

    def _repeats(self) -> bool:
        return self.view.surface.idempotent and self.method not in SAFE

    def _enveloped(self, answer: Any) -> Schema:
        surface, many = self.view.surface.name, isinstance(answer, list)
        output = answer[0] if many else answer
        inner: Schema = {"type": "null"} if output is None else self._schema_of(output)
        bare = self.view.bare or surface == "studio"
        if self._action() == "list" and not bare:
            return self._component(output, "Page", envelopes.listed(surface, self._with_includes(inner, output)))
        if output is not None and self._action() == "retrieve":
            inner = self._with_includes(inner, output)
        data = {"type": "array", "items": inner} if many else inner
        if bare:
            return data
        if surface == "insight":
            return self._component(output, "Reply", envelopes.beside(self._resolved(inner)))
        kind = ("Many" if many else "") + ("Reply" if self.method == "GET" else "Written")
        return self._component(output, kind, envelopes.wrapped(surface, data, message=self.method != "GET"))

    def _schema_of(self, output: Any) -> Schema:
        if isinstance(output, dict):
            return output
        component = self.resolve_serializer(output, "response")
        return dict(component.ref)

    def _resolved(self, schema: Schema) -> Schema:
        name = schema.get("$ref", "").rpartition("/")[2]
        return next((dict(c.schema) for (key, _), c in self.registry._components.items() if key == name), schema)  # noqa: SLF001

    def _with_includes(self, inner: Schema, output: Any) -> Schema:
        """A row with the related ones that may be asked for."""
        includes = self.view.includes if self.view.surface.lists else {}
        if not includes:
            return inner
        row = self._resolved(inner)
        related = {name: _or_null(self._schema_of(include.output())) for name, include in includes.items()}
        return self._component(output, "Full", row | {"properties": row["properties"] | related})

    def _component(self, output: Any, kind: str, schema: Schema) -> Schema:
        """Shared by every operation that answers so."""
        known = getattr(output, "__name__", "Nothing" if output is None else self.get_operation_id().title())
        name = f"{self.view.surface.name.title()}{known.removesuffix('Serializer').replace('_', '')}{kind}"
        component = ResolvedComponent(name, ResolvedComponent.SCHEMA, schema, object=name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return dict(component.ref)

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Any:
        """Rows show every field, null where the column may be; bodies take no other fields."""
        schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        made = serializer() if isinstance(serializer, type) else serializer
        if isinstance(made, Body) and direction == "request":
            schema["additionalProperties"] = False
        if direction == "response":
            if isinstance(made, Row):
                optional = getattr(getattr(made, "Meta", None), "optional", ())
                schema["required"] = [name for name in schema["properties"] if name not in optional]
            self._shape(made, schema["properties"])
        return schema

    def _shape(self, serializer: Any, properties: dict[str, Schema]) -> None:
        """JSON columns as `Meta.shapes` says, and else as their default: a list is one of texts."""
        meta = getattr(serializer, "Meta", None)
        shapes, model = getattr(meta, "shapes", {}), getattr(meta, "model", None)
        columns = {name: f for f in model._meta.concrete_fields for name in (f.name, f.attname)} if model else {}
        for name, told in properties.items():
            field = serializer.fields[name]
            column = columns.get(field.source)
            shape = self._schema_of(shapes[name]) if name in shapes else _of_json(field, column) or told
            properties[name] = _or_null(shape) if column is not None and column.null else _writable(shape)

    def _known(self) -> bool:
        """Whether somebody has to be known."""
        found = security.schemes_for(self.view, self.view.rights.get(self._action()))
        return bool(found) and not self.view.scheme

    def _action(self) -> str:
        return getattr(self.view, "action", None) or (self.method or "").lower()


def _of_json(field: Any, column: Any) -> Schema | None:
    if not (isinstance(column, models.JSONField) and isinstance(field, serializers.JSONField)):
        return None
    return TEXTS if column.default is list else {"type": "object", "additionalProperties": {}}


def _writable(schema: Schema) -> Schema:
    """Answers and bodies are components apart, so that nothing has to be marked."""
    return {key: value for key, value in schema.items() if key != "readOnly"}


def _or_null(schema: Schema) -> Schema:
    """Null as well."""
    schema = _writable(schema)
    if "$ref" in schema or "oneOf" in schema or "allOf" in schema:
        options = schema.get("oneOf", [schema])
        return {"oneOf": options if {"type": "null"} in options else [*options, {"type": "null"}]}
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    nullable: Schema = schema | ({"type": [*kinds, "null"]} if kinds and "null" not in kinds else {})
    return nullable | ({"enum": [*schema["enum"], None]} if "enum" in schema and None not in schema["enum"] else {})


def _filter_schema(one: Any, moment: bool) -> Schema:
    if moment:
        return {"anyOf": [{"type": "string", "format": "date-time"}, NOTHING]}
    if isinstance(one, Number):
        return {"type": "string", "description": "An id."}
    return {"type": "string", "enum": [*one.values, ""]} if hasattr(one, "values") else {"type": "string"}
