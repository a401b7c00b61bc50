"""The studio API of product content. Its wire format, and its table of routes."""

from typing import Any

from django.http import HttpRequest
from django.urls import path, re_path

from accounts.api.studio import KeysView, KeyView, LoginView, MeView
from ajansops.api.surface import JSON, Problem, Reply, Surface, register
from ajansops.api.views import UnknownPath
from ajansops.kit.clock import iso_ms, now
from content.api.studio import (
    GenerateContent,
    GenerateFeed,
    GenerateTags,
    GenerateTitle,
    InventoryProducts,
    InventoryVariants,
    JobStatusView,
)
from jobs.api.studio import JobControlView

BY_STATUS = {
    400: "BAD_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    409: "CONFLICT",
    429: "TOO_MANY_REQUESTS",
    500: "INTERNAL_SERVER_ERROR",
}
GENERAL = frozenset(
    {
        "validation_failed",
        "bad_request",
        "unauthorized",
        "access_denied",
        "not_found",
        "conflict",
        "rate_limit_exceeded",
        "server_error",
    }
)

EXTRAS = ("request_id", "feature", "upgrade_url")  # of an error's data


def envelope(reply: Reply) -> Any:
    """None: each endpoint answers as its reference documents it."""
    return reply.data


def word_error(problem: Problem, request: HttpRequest) -> JSON:
    """One object with an upper-case code: the general one of the status, or a more specific one."""
    status = STUDIO.invalid_status if problem.code == "validation_failed" else problem.status
    code = BY_STATUS.get(status) if problem.code in GENERAL else None
    fields = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in problem.errors.items())
    body = {
        "code": code or problem.code.upper(),
        "message": problem.message,
        "details": problem.data.get("details") or fields or problem.message,
        "timestamp": iso_ms(now()),
        "path": request.path,
    }
    return {"error": body | {name: problem.data[name] for name in EXTRAS if name in problem.data}}


STUDIO = register(Surface("studio", ("/v1/",), envelope, word_error, deleted_status=200, idempotent=True, tokens=True))

urlpatterns = [
    path("auth/login", LoginView.as_view(surface=STUDIO)),
    path("auth/me", MeView.as_view(surface=STUDIO)),
    path("api-keys", KeysView.as_view(surface=STUDIO)),
    path("api-keys/<str:key>", KeyView.as_view(surface=STUDIO)),
    path("inventory/products", InventoryProducts.as_view(surface=STUDIO)),
    path("inventory/variants/<str:product>", InventoryVariants.as_view(surface=STUDIO)),
    path("content/generate", GenerateContent.as_view(surface=STUDIO)),
    path("content/generate-title", GenerateTitle.as_view(surface=STUDIO)),
    path("content/generate-google-feed", GenerateFeed.as_view(surface=STUDIO)),
    path("tags/generate", GenerateTags.as_view(surface=STUDIO)),
    path("jobs/<str:job>/status", JobStatusView.as_view(surface=STUDIO)),
    path("jobs/<str:job>/control", JobControlView.as_view(surface=STUDIO)),
    re_path(r"", UnknownPath.as_view(surface=STUDIO)),
]
