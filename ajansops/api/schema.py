"""OpenAPI from what views declare: `output`, `input` and the surface's envelope. Views declare nothing twice."""

import re
from functools import cache
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from ajansops.api.filters import dates, status
from ajansops.api.lists import columns_of, sortable_columns
from ajansops.api.pagination import MAX_PER_PAGE, PER_PAGE

WRITES = frozenset({"create", "update", "partial_update"})
PAGING = [
    OpenApiParameter("page", OpenApiTypes.INT, description="From 1."),
    OpenApiParameter("per_page", OpenApiTypes.INT, description=f"{PER_PAGE}, at most {MAX_PER_PAGE}."),
]


class SurfaceSchema(AutoSchema):
    """Operations grouped and named by surface; resources wrapped in its envelope."""

    view: Any  # a SurfaceView

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
        if self._action() != "list":
            return []
        return PAGING + (self._list_parameters() if self.view.surface.lists else [])

    def _list_parameters(self) -> list[OpenApiParameter]:
        """From what the view declares, as `api.lists` reads it."""
        view = self.view
        columns = columns_of(view.model, view.output)
        texts = {
            "cursor": "Walk without totals: empty to start, then `meta.next_cursor`.",
            "sort": f"Comma-separated, `-` for descending: {', '.join(sorted(sortable_columns(view.model, columns)))}.",
            "fields": f"Comma-separated, only these: {', '.join(sorted(columns.names))}.",
        } | ({"include": f"Comma-separated: {', '.join(sorted(view.includes))}."} if view.includes else {})
        names = {**dates(view.model), **status(view.model), **view.filters}
        return [OpenApiParameter(name, OpenApiTypes.STR, description=texts.get(name, "")) for name in [*texts, *names]]

    def get_request_serializer(self) -> Any:
        """`input` of a resource, `body` of other views; nothing for an action without a body."""
        if self._action() in WRITES:
            changing = self._action() != "create" and getattr(self.view, "change_input", None)
            return changing or getattr(self.view, "input", None)
        return getattr(self.view, "body", None) if self.method in {"POST", "PUT", "PATCH"} else None

    def get_response_serializers(self) -> Any:
        """The envelope around `output`; views whose body is their own are any object."""
        output = getattr(self.view, "output", None)
        action = self._action()
        if output is None:
            return OpenApiTypes.OBJECT
        if action == "destroy":
            return {self.view.surface.deleted_status: None}
        kind = "Page" if action == "list" else "Reply" if self.method == "GET" else "Written"
        return {201 if action == "create" else 200: enveloped(self.view.surface.name, output, kind)}

    def _action(self) -> str:
        return getattr(self.view, "action", None) or (self.method or "").lower()


@cache  # the same component for every operation that answers with it
def enveloped(surface: str, output: type[serializers.BaseSerializer[Any]], kind: str) -> Any:
    """`output` in the surface's envelope."""
    fields: dict[str, Any] = {"data": output(many=kind == "Page")}
    if surface == "app":
        fields["success"] = serializers.BooleanField()
    elif kind == "Page":
        fields |= {"meta": serializers.DictField(), "links": serializers.DictField()}
    elif kind == "Written":
        fields["message"] = serializers.CharField()
    return inline_serializer(f"{surface.title()}{output.__name__.removesuffix('Serializer')}{kind}", fields)


class KeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """API keys."""

    target_class = "ajansops.api.authentication.KeyAuthentication"
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """Bearer."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "sk_live_…"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Browser sessions."""

    target_class = "ajansops.api.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
