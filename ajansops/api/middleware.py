"""What every answer carries: a request id and how long it took."""

import re
import time
from collections.abc import Callable
from importlib import import_module

import structlog
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from ajansops.api.errors import json_problem, plain_problem
from ajansops.api.surface import surface_for
from ajansops.api.throttling import headers as limit_headers
from ajansops.kit.ids import request_id
from ajansops.logs import SECRET

SANE = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
log = structlog.get_logger(__name__)


class RequestContextMiddleware:
    """Outermost. Binds the request id to every log line of the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        import_module(settings.ROOT_URLCONF)  # registers the surfaces, which the first request needs already

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        started = time.perf_counter()
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if SANE.fullmatch(given) and not SECRET.search(given) else request_id()  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request.request_id)  # type: ignore[attr-defined]
        response = self._refuse_host(request) or self.get_response(request)
        response["X-Request-ID"] = request.request_id  # type: ignore[attr-defined]
        response["X-Duration-Ms"] = str(round((time.perf_counter() - started) * 1000))
        for name, value in limit_headers(request).items():
            response[name] = value
        if surface_for(request.path) and "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response

    def _refuse_host(self, request: HttpRequest) -> HttpResponse | None:
        """A surface answers a host that is not ours in its own words, also while debugging."""
        surface = surface_for(request.path)
        if surface is None:
            return None
        try:
            request.get_host()
        except DisallowedHost:
            return json_problem(plain_problem(400, "bad_request"), surface, request)
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A view outside DRF failed under a surface's prefix: that surface's 500, also while debugging."""
        surface = surface_for(request.path)
        if surface is None:
            return None
        log.error("unhandled_error", exc_info=error, path=request.path)
        problem = plain_problem(500, "server_error", request_id=request.request_id)  # type: ignore[attr-defined]
        return json_problem(problem, surface, request)
