"""OpenAPI: what drf-spectacular cannot see by itself."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema


class SurfaceSchema(AutoSchema):
    """Operations grouped by surface; names made unique by it."""

    def get_tags(self) -> list[str]:
        """One tag a surface."""
        surface = getattr(self.view, "surface", None)
        return [surface.name] if surface else super().get_tags()

    def get_operation_id(self) -> str:
        """`core_sites_list`."""
        surface = getattr(self.view, "surface", None)
        base = super().get_operation_id()
        return f"{surface.name}_{base}" if surface else base


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
