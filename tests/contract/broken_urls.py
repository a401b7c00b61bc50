"""The product's addresses, and on each surface two that fail as they are told: one of DRF's and one of Django's."""

from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.views import METHODS, Public, SurfaceView
from ajansops.kit.errors import DomainError, Kind, RateLimited
from ajansops.surfaces.app import APP
from ajansops.surfaces.core import CORE
from ajansops.surfaces.insight import INSIGHT
from ajansops.surfaces.studio import STUDIO
from ajansops.urls import handler400, handler403, handler404, handler500
from ajansops.urls import urlpatterns as product

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

SECRET = "a-secret-in-a-trace"
RAISED: dict[str, Exception] = {
    "bug": RuntimeError(SECRET),
    "key": KeyError(SECRET),
    "recursion": RecursionError(SECRET),
    "suspicious": SuspiciousOperation(SECRET),
    "denied": PermissionDenied(SECRET),
    "missing": Http404(SECRET),
    "busy": OperationalError(SECRET),
    "limited": RateLimited(retry_after=7, limit=5, remaining=0, reset_at="2026-01-01T00:00:00Z"),
}


def kinds() -> dict[str, Exception]:
    """One error of each kind there is."""
    return {
        kind.name: type(
            kind.name.title(), (DomainError,), {"__doc__": "It failed.", "code": "it_failed", "kind": kind}
        )()
        for kind in Kind
    }


class Failing(SurfaceView):
    """`/fail/<how>`."""

    rights = dict.fromkeys(METHODS, Public)
    authentication_classes: list[Any] = []

    def get(self, request: Request, how: str) -> Response:
        raise (RAISED | kinds())[how]

    post = put = patch = delete = get


def failing(request: HttpRequest, how: str) -> HttpResponse:
    raise RAISED[how]


urlpatterns = [
    path("api/v1/fail/<str:how>", Failing.as_view(surface=CORE)),
    path("v1/fail/<str:how>", Failing.as_view(surface=STUDIO)),
    path("api/fail/<str:how>", Failing.as_view(surface=APP)),
    path("api/audit/fail/<str:how>", Failing.as_view(surface=INSIGHT)),
    path("api/v1/plain/<str:how>", failing),
    path("v1/plain/<str:how>", failing),
    path("api/plain/<str:how>", failing),
    path("api/audit/plain/<str:how>", failing),
    path("", include(product)),
]
