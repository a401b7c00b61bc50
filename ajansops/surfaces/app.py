"""The app API of the browser application. Its wire format, and its table of routes."""

from typing import Any

from django.http import HttpRequest
from django.urls import path, re_path

from accounts.api.app import ExportView, InviteView
from ajansops.api.casing import camelize, snakify
from ajansops.api.surface import JSON, Problem, Reply, Surface, register
from ajansops.api.views import COLLECTION, ROW, UnknownPath
from ajansops.health import HealthView
from content.api.app import AppPostViewSet, BulkView
from leads.api.app import AppScrapeView
from sites.api.app import AppSeoScrapeView
from sites.api.core import SiteViewSet

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}


def envelope(reply: Reply) -> JSON:
    """`success` and `data`."""
    return {"success": True, "data": reply.data} | ({"meta": camelize(reply.meta)} if reply.meta else {})


def word_error(problem: Problem, request: HttpRequest) -> JSON:
    """A title as `error`, the code and the message beside it."""
    status = APP.invalid_status if problem.code == "validation_failed" else problem.status
    errors = {"errors": camelize(problem.errors)} if problem.errors else {}
    extras: dict[str, Any] = camelize(dict(problem.data))
    if "requestId" in extras:  # of a fault of ours: called the same everywhere, for whoever has to find it
        extras["request_id"] = extras.pop("requestId")
    return {"error": TITLES.get(status, "Error"), "code": problem.code, "message": problem.message, **errors, **extras}


APP = register(
    Surface(
        "app",
        ("/api/",),
        envelope,
        word_error,
        deleted_status=200,
        spent_status=429,
        idempotent=True,
        encode=camelize,
        decode=snakify,
    )
)

urlpatterns = [
    path("health", HealthView.as_view(surface=APP)),
    path("users/invite", InviteView.as_view(surface=APP)),
    path("account/export", ExportView.as_view(surface=APP)),
    path("leads/scrape", AppScrapeView.as_view(surface=APP)),
    path("sites", SiteViewSet.as_view(COLLECTION, surface=APP)),
    path("sites/<str:pk>", SiteViewSet.as_view(ROW, surface=APP)),
    path("content/bulk", BulkView.as_view(surface=APP)),
    path("content/<str:site>/<str:pk>", AppPostViewSet.as_view(ROW, surface=APP)),
    path("seo/scrape", AppSeoScrapeView.as_view(surface=APP)),
    re_path(r"", UnknownPath.as_view(surface=APP)),
]
