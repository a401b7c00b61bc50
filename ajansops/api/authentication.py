"""From a request to an actor. Authorization wins over a cookie; a cookie from another site is refused."""

import base64
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from ajansops.kit.actor import Actor
from ajansops.kit.errors import AccessDenied, DomainError, Kind
from ajansops.kit.identity import Unauthorized, identity

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
WORKSPACE_HEADER = "X-Workspace-ID"


class CsrfFailed(AccessDenied):
    """This request comes from another site."""

    code = "csrf_failed"


class TwoCredentials(DomainError):
    """Send one Authorization header."""

    code = "bad_request"
    kind = Kind.MALFORMED


class Caller:
    """`request.user` of an API request: somebody. The rights are in `request.auth`, the actor."""

    is_authenticated = True
    is_anonymous = False

    def __init__(self, actor: Actor) -> None:
        self.pk = actor.user_id or f"key:{actor.key_id}"
        self.actor = actor


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sk_…`, or Basic with the key as user name; on some surfaces a token instead of a key."""

    def authenticate(self, request: Request) -> tuple[Caller, Actor] | None:
        """None when there is no Authorization header at all, so that the session is asked next."""
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        if "," in header:  # what a server makes of two headers; no credential of ours has a comma
            raise TwoCredentials
        credential = _credential_in(header)
        known = identity()
        is_token = credential.count(".") == 2 and _view(request).surface.tokens
        find = known.actor_for_token if is_token else known.actor_for_key
        actor = find(credential, workspace=request.headers.get(WORKSPACE_HEADER), request_id=_request_id(request))
        return Caller(actor), actor

    def authenticate_header(self, request: Request) -> str:
        """The challenge that makes DRF answer 401 rather than 403."""
        return 'Bearer realm="ajansops"'


class SessionAuthentication(BaseAuthentication):
    """The cookie of django-allauth, checked against forgery by where the browser says the request comes from."""

    def authenticate(self, request: Request) -> tuple[Caller, Actor] | None:
        """None when nobody is signed in."""
        user = getattr(request._request, "user", None)  # noqa: SLF001  # DRF's request.user would recurse into us
        if user is None or not user.is_authenticated or not user.is_active:
            return None
        refuse_other_sites(request._request)  # noqa: SLF001
        view = _view(request)
        actor = identity().actor_for_user(
            user.pk,
            workspace=view.workspace_named(request),
            request_id=_request_id(request),
            required=view.needs_workspace,
        )
        return Caller(actor), actor


def refuse_other_sites(request: HttpRequest) -> None:
    """Raise `CsrfFailed` for an unsafe request that a browser sends from elsewhere; no header means no browser."""
    if request.method not in SAFE:
        require_own_pages(request)


def require_own_pages(request: HttpRequest) -> None:
    """As `refuse_other_sites`, for every method: for reads that are limited, too."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None and site not in {"same-origin", "none"}:
        raise CsrfFailed
    if origin is not None and origin not in _own_origins(request):
        raise CsrfFailed


def _own_origins(request: HttpRequest) -> set[str]:
    public = urlsplit(settings.ENV.public_url)
    return {f"{request.scheme}://{request.get_host()}", f"{public.scheme}://{public.netloc}"}


def _credential_in(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("ascii").partition(":")[0]
        except ValueError as error:
            raise Unauthorized from error
    raise Unauthorized(gettext("Use the Bearer or Basic scheme."))


def _view(request: Request) -> Any:
    return (request.parser_context or {})["view"]


def _request_id(request: Request) -> str:
    return str(getattr(request, "request_id", ""))
