"""What domain code raises. One table (`api.errors`) turns a kind into an HTTP status."""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, ClassVar

from django.utils.translation import gettext

FieldErrors = Mapping[str, Sequence[str]]


class Kind(Enum):
    """Why it did not work, in words that know no protocol."""

    MALFORMED = auto()
    INVALID = auto()
    UNAUTHENTICATED = auto()
    FORBIDDEN = auto()
    NOT_FOUND = auto()
    CONFLICT = auto()
    RATE_LIMITED = auto()
    NOT_CONFIGURED = auto()
    UPSTREAM = auto()
    TIMEOUT = auto()  # of somebody outside
    UNAVAILABLE = auto()


class DomainError(Exception):
    """Something went wrong."""

    # The docstring of each subclass is its default message, shown to people and translated by gettext.
    code: ClassVar[str]
    kind: ClassVar[Kind]

    def __init__(self, message: str | None = None, *, errors: FieldErrors | None = None, **data: Any) -> None:
        self.message = message or gettext((type(self).__doc__ or "").strip())
        self.errors = dict(errors or {})
        self.data = data
        super().__init__(self.message)


class Invalid(DomainError):
    """The given data was invalid."""

    code = "validation_failed"
    kind = Kind.INVALID


class NotFound(DomainError):
    """Resource not found."""

    code = "not_found"
    kind = Kind.NOT_FOUND


class AccessDenied(DomainError):
    """Insufficient permissions."""

    code = "access_denied"
    kind = Kind.FORBIDDEN


class Conflict(DomainError):
    """The value is already taken."""

    code = "conflict"
    kind = Kind.CONFLICT


class RateLimited(DomainError):
    """Too many requests."""

    code = "rate_limit_exceeded"
    kind = Kind.RATE_LIMITED


class UpstreamError(DomainError):
    """An outside service did not answer as it should."""

    code = "upstream_error"
    kind = Kind.UPSTREAM


class UpstreamTimeout(DomainError):
    """An outside service took too long to answer."""

    code = "upstream_timeout"
    kind = Kind.TIMEOUT
