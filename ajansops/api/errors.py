"""One table from what went wrong to a status, and one way out for every error of every surface."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404, HttpRequest, JsonResponse
from django.utils.translation import gettext
from rest_framework import exceptions as drf
from rest_framework.response import Response

from ajansops.api.surface import Problem, Surface
from ajansops.kit.clock import now
from ajansops.kit.entitlements import METERS, FeatureLimitReached
from ajansops.kit.errors import DomainError, Kind

log = structlog.get_logger(__name__)

STATUS = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.INVALID: 422,  # a surface may say 400
    Kind.RATE_LIMITED: 429,
    Kind.UPSTREAM: 502,
    Kind.TIMEOUT: 504,
    Kind.NOT_CONFIGURED: 503,
    Kind.UNAVAILABLE: 503,
}


class PayloadTooLarge(drf.APIException):
    """Raised by parsers."""

    status_code = 413
    default_code = "payload_too_large"


DRF_CODES: tuple[tuple[type[drf.APIException], str], ...] = (
    (drf.ParseError, "invalid_json"),
    (drf.NotAuthenticated, "unauthorized"),
    (drf.AuthenticationFailed, "unauthorized"),
    (drf.PermissionDenied, "access_denied"),
    (drf.NotFound, "not_found"),
    (drf.MethodNotAllowed, "method_not_allowed"),
    (drf.NotAcceptable, "not_acceptable"),
    (drf.UnsupportedMediaType, "unsupported_media_type"),
    (drf.Throttled, "rate_limit_exceeded"),
    (PayloadTooLarge, "payload_too_large"),
)

MESSAGES = {
    "unauthorized": "Invalid or missing API key.",
    "not_found": "Resource not found.",
    "method_not_allowed": "This method is not allowed here.",
    "server_error": "An unexpected error occurred.",
    "bad_request": "The request is malformed.",
    "access_denied": "Insufficient permissions.",
    "payload_too_large": "The request body is too large.",
    "unavailable": "The service is busy. Please try again.",
}
WORDED = frozenset({"unauthorized", "not_found", "method_not_allowed", "payload_too_large"})  # not as DRF does
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="ajansops"'}


# Of Django's errors the first that fits.
PLAIN: tuple[tuple[type[Exception], int, str], ...] = (
    (Http404, 404, "not_found"),
    (DjangoPermissionDenied, 403, "access_denied"),
    (RequestDataTooBig, 413, "payload_too_large"),
    (SuspiciousOperation, 400, "bad_request"),
)


def plain_problem(status: int, code: str, **data: Any) -> Problem:
    """One of the errors that need no explanation."""
    headers = CHALLENGE if status == 401 else {}
    return Problem(status, code, gettext(MESSAGES[code]), data=data, headers=headers)


def problem_of(error: Exception, request_id: str) -> Problem:
    """What `error` means on the wire, in canonical words. What is not foreseen is a 500 that says nothing."""
    match error:
        case DomainError():
            status = STATUS[error.kind]
            headers = dict(CHALLENGE) if status == 401 else {}
            if retry_after := error.data.get("retry_after") or _until_reset(error):
                headers["Retry-After"] = str(max(1, round(retry_after)))
            return Problem(status, error.code, error.message, error.errors, error.data, headers)
        case drf.ValidationError():
            return Problem(422, "validation_failed", gettext("The given data was invalid."), flat_errors(error.detail))
        case drf.APIException():
            return _of_drf(error)
        case OperationalError():  # locked, restarting, out of connections: it passes
            log.warning("database_busy", error=str(error))
            return replace(plain_problem(503, "unavailable"), headers={"Retry-After": "1"})
    for kind, status, code in PLAIN:
        if isinstance(error, kind):
            return plain_problem(status, code)
    return plain_problem(500, "server_error", request_id=request_id)


def _until_reset(error: DomainError) -> float:
    """Seconds until there are units of the meter again."""
    resets_at = error.resets_at if isinstance(error, FeatureLimitReached) else None
    return (resets_at - now()).total_seconds() if resets_at else 0


def _of_drf(error: drf.APIException) -> Problem:
    code = next((code for kind, code in DRF_CODES if isinstance(error, kind)), "bad_request")
    if code in WORDED:
        return plain_problem(error.status_code, code)
    return Problem(error.status_code, code, str(error.detail))


def flat_errors(detail: Any, path: str = "") -> dict[str, list[str]]:
    """DRF's nested detail as `{"pixel.sample_rate": ["…"]}`; errors of no field are under `non_field_errors`."""
    if isinstance(detail, Mapping):
        parts = [flat_errors(value, f"{path}.{key}" if path else str(key)) for key, value in detail.items()]
        return {key: texts for part in parts for key, texts in part.items()}
    if isinstance(detail, list) and any(isinstance(entry, Mapping | list) for entry in detail):
        return flat_errors({str(index): entry for index, entry in enumerate(detail) if entry}, path)
    texts = detail if isinstance(detail, list) else [detail]
    return {path or "non_field_errors": [str(text) for text in texts]}


def worded(problem: Problem, surface: Surface, request: HttpRequest) -> tuple[int, dict[str, Any]]:
    """Status and body of the problem on that surface."""
    if problem.code == FeatureLimitReached.code and problem.data["feature"] in METERS:
        problem = replace(problem, status=surface.spent_status)
    status = surface.invalid_status if problem.status == 422 and problem.code == "validation_failed" else problem.status
    return status, surface.word_error(problem, request)


def json_problem(problem: Problem, surface: Surface, request: HttpRequest) -> JsonResponse:
    """For errors outside DRF."""
    status, body = worded(problem, surface, request)
    return JsonResponse(body, status=status, headers=dict(problem.headers), json_dumps_params={"ensure_ascii": False})


def exception_handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's hook: every exception of every API view ends here."""
    view, request = context["view"], context["request"]
    problem = told(error, request)
    status, body = worded(problem, view.surface, request)
    return Response(body, status=status, headers=dict(problem.headers))


def told(error: Exception, request: Any) -> Problem:
    """As `problem_of`, and in the log if it is not the caller's doing."""
    problem = problem_of(error, getattr(request, "request_id", ""))
    if problem.status == 500:
        log.error("unhandled_error", exc_info=error, path=request.path)
    elif isinstance(error, DomainError) and error.kind in {Kind.UPSTREAM, Kind.TIMEOUT}:
        log.warning("upstream_error", code=error.code, error=str(error))
    return problem
