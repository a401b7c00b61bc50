"""What can go wrong: one body a surface, and for each operation the statuses that its declarations allow."""

from typing import Any

from ajansops.api.authentication import SAFE
from ajansops.api.surface import Surface

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}
BY_FIELD: Schema = {"type": "object", "additionalProperties": {"type": "array", "items": TEXT}}
MEANINGS = {
    400: "The request is malformed, or names no workspace.",
    401: "No credential, or one that is not valid.",
    403: "The credential does not allow this.",
    404: "There is no such thing in the workspace.",
    406: "No such representation.",
    409: "It contradicts what is there, or its first request is still in flight.",
    413: "The body is too large.",
    415: "Not a media type that is read here.",
    422: "The data was invalid, or the idempotency key belongs to another request.",
    429: "Too many requests, or a limit of the plan is reached.",
    500: "An unexpected error.",
    502: "An outside service failed.",
    503: "Busy, or not configured.",
    504: "An outside service did not answer in time.",
}
CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "access_denied",
    404: "not_found",
    406: "not_acceptable",
    409: "conflict",
    413: "payload_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "rate_limit_exceeded",
    500: "server_error",
    502: "upstream_error",
    503: "unavailable",
    504: "upstream_timeout",
}
DEMANDED = {401: "WWW-Authenticate", 429: "Retry-After"}


def _object(required: tuple[str, ...], **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": True}


COMPONENTS: dict[str, Schema] = {
    "CoreError": _object(("error", "message"), error=TEXT, message=TEXT, request_id=TEXT),
    "CoreValidationError": _object(("error", "message"), error=TEXT, message=TEXT, errors=BY_FIELD),
    "AppError": _object(("error", "code", "message"), error=TEXT, code=TEXT, message=TEXT, errors=BY_FIELD),
    "InsightError": _object(
        ("error", "message"), error=TEXT, message=TEXT, errors=BY_FIELD, retryAfter={"type": "integer", "minimum": 0}
    ),
    "StudioError": _object(
        ("error",),
        error=_object(
            ("code", "message", "details", "timestamp", "path"),
            code=TEXT | {"pattern": "^[A-Z0-9_]+$"},
            message=TEXT,
            details=TEXT,
            timestamp=TEXT | {"format": "date-time"},
            path=TEXT,
            request_id=TEXT,
        ),
    ),
}


def statuses(view: Any, method: str, action: str, *, known: bool) -> list[int]:
    """Of the operation, by what it is: anything may be asked of a wrong host, in a wrong language, or while busy."""
    surface: Surface = view.surface
    found = {400, 406, 500, 503, surface.invalid_status} | set(view.faults.get(action, ()))
    found |= {401, 403, 404} if known else set()  # a person may name a workspace that is not theirs
    found |= {401} if view.scheme else set()
    found |= {413, 415} if method not in SAFE else set()  # a body is read whether it is needed or not
    found |= {404} if "pk" in view.kwargs else set()
    if known and surface.idempotent and method not in SAFE:
        found |= {409, 422}
    if not view.unlimited or view.scheme:
        found.add(429)
    return sorted(found)


def body_of(surface: str, status: int) -> str:
    """The component's name."""
    return "CoreValidationError" if (surface, status) == ("core", 422) else f"{surface.title()}Error"


def name_of(surface: str, status: int) -> str:
    """Of the shared response."""
    return f"{surface.title()}{status}"


def responses(surfaces: list[str]) -> dict[str, Any]:
    """Every shared response."""
    return {name_of(surface, status): _response(surface, status) for surface in surfaces for status in MEANINGS}


def _response(surface: str, status: int) -> Schema:
    schema = {"$ref": f"#/components/schemas/{body_of(surface, status)}"}
    names = ["X-Request-ID", "X-Duration-Ms", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"]
    names += [DEMANDED[status]] if status in DEMANDED else ["Retry-After"] if status in {409, 503} else []
    return {
        "description": MEANINGS[status],
        "headers": {name: header_ref(name, required=name == DEMANDED.get(status)) for name in names},
        "content": {"application/json": {"schema": schema, "example": _example(surface, status)}},
    }


def _example(surface: str, status: int) -> Schema:
    code, message = CODES[status], MEANINGS[status]
    if surface == "studio":
        inner = {"code": code.upper(), "message": message, "details": message}
        return {"error": inner | {"timestamp": "2026-03-02T09:30:00.000Z", "path": "/v1/content/generate"}}
    if surface == "app":
        return {"error": code.replace("_", " ").title(), "code": code, "message": message}
    return {"error": code, "message": message}


def header_ref(name: str, *, required: bool = True) -> Schema:
    """One of the shared headers; components have it twice where not every answer carries it."""
    always = required or name not in OPTIONAL
    return {"$ref": f"#/components/headers/{name if always else name + '-Optional'}"}


LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
OPTIONAL = frozenset({*LIMITS, "Retry-After", "Idempotent-Replayed"})
NUMBER: Schema = {"type": "integer", "minimum": 0}
HEADERS: dict[str, tuple[str, Schema]] = {
    "X-Request-ID": ("The id of this call, as in the logs.", TEXT),
    "X-Duration-Ms": ("How long it took.", NUMBER),
    "X-RateLimit-Limit": ("Calls a minute.", NUMBER),
    "X-RateLimit-Remaining": ("What is left of them.", NUMBER),
    "X-RateLimit-Reset": ("When all are there again, in seconds since 1970.", NUMBER),
    "Retry-After": ("Seconds to wait.", NUMBER),
    "WWW-Authenticate": ("How to come in.", TEXT),
    "Idempotent-Replayed": ("This is the answer to an earlier request.", {"type": "string", "enum": ["true"]}),
}


def headers() -> dict[str, Any]:
    """The shared headers."""
    made = {name: _header(name, required=True) for name in HEADERS}
    return made | {f"{name}-Optional": _header(name, required=False) for name in OPTIONAL}


def _header(name: str, *, required: bool) -> Schema:
    text, schema = HEADERS[name]
    return {"description": text, "required": required, "schema": schema}
