"""What every answer carries: a request id and how long it took."""

import re
import time
from collections.abc import Callable
from importlib import import_module

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers

from ajansops.api import access
from ajansops.api.errors import json_problem, plain_problem, told
from ajansops.api.surface import Surface, surface_for
from ajansops.api.throttling import headers as limit_headers
from ajansops.kit.ids import request_id
from ajansops.logs import SECRET

SANE = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def carries_credential(request: HttpRequest) -> bool:
    """An API call with an Authorization header: no cookie of it is looked at, and what is about cookies and pages is
    left out (`ajansops.passing`).
    """
    return bool(request.carries_credential)  # type: ignore[attr-defined]


def _complete(response: HttpResponseBase) -> None:
    """What the middleware that was passed by would have said."""
    response.headers.setdefault("Content-Language", translation.get_language())
    patch_vary_headers(response, ("Accept-Language",))
    if isinstance(response, HttpResponse):
        response.headers.setdefault("Content-Length", str(len(response.content)))


class RequestContextMiddleware:
    """Outermost. Binds the request id to every log line of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        import_module(settings.ROOT_URLCONF)  # registers the surfaces, which the first request needs already

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if SANE.fullmatch(given) and not SECRET.search(given) else request_id()  # type: ignore[attr-defined]
        surface = surface_for(request.path)
        request.carries_credential = surface is not None and "HTTP_AUTHORIZATION" in request.META  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        if carries_credential(request):
            translation.activate(translation.get_language_from_request(request))
        response = self._refuse_host(request, surface) or self.get_response(request)
        if carries_credential(request):
            _complete(response)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        took = (time.perf_counter() - started) * 1000
        response["X-Duration-Ms"] = str(round(took))
        for name, value in limit_headers(request).items():
            response[name] = value
        if surface and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        access.tell(request, response, surface, took)
        return response

    def _refuse_host(self, request: HttpRequest, surface: Surface | None) -> HttpResponse | None:
        """A surface answers a host that is not ours in its own words, also while debugging."""
        if surface is None:
            return None
        try:
            request.get_host()
        except DisallowedHost:
            return json_problem(plain_problem(400, "bad_request"), surface, request)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A view outside DRF failed under a surface's prefix: in that surface's words, also while debugging."""
        surface = surface_for(request.path)
        return json_problem(told(error, request), surface, request) if surface else None
