"""Django's own error pages, in the words of the surface that the path belongs to."""

from django.http import HttpRequest, HttpResponseBase
from django.views import defaults

from ajansops.api.errors import json_problem, plain_problem
from ajansops.api.surface import surface_for


def handler400(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Suspicious requests."""
    return _answer(request, 400, "bad_request") or defaults.bad_request(request, exception)


def handler403(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Refused outside DRF."""
    return _answer(request, 403, "access_denied") or defaults.permission_denied(request, exception)


def handler404(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """No route."""
    return _answer(request, 404, "not_found") or defaults.page_not_found(request, exception)


def handler500(request: HttpRequest) -> HttpResponseBase:
    """Something of ours broke."""
    request_id = getattr(request, "request_id", "")
    return _answer(request, 500, "server_error", request_id=request_id) or defaults.server_error(request)


def _answer(request: HttpRequest, status: int, code: str, **data: str) -> HttpResponseBase | None:
    surface = surface_for(request.path)
    return json_problem(plain_problem(status, code, **data), surface, request) if surface else None
