"""Middleware of cookies and pages, which a call with a credential of its own passes by: it has neither.

They are Django's own; together they cost such a call more than its work does.
"""

from typing import Any

from django.contrib.auth import middleware as auth
from django.contrib.messages import middleware as messages
from django.contrib.sessions import middleware as sessions
from django.http import HttpRequest
from django.middleware import common, locale

from ajansops.api.middleware import carries_credential


class Passing:
    """In front of a middleware: what it would do is left out for such a call."""

    get_response: Any

    def __call__(self, request: HttpRequest) -> Any:
        """In both modes: where Django runs asynchronously both are coroutines."""
        if carries_credential(request):
            return self.get_response(request)
        return super().__call__(request)  # type: ignore[misc]


class AuthenticationMiddleware(Passing, auth.AuthenticationMiddleware):
    """`request.user`: by the session."""


class CommonMiddleware(Passing, common.CommonMiddleware):
    """Slashes and lengths."""


class LocaleMiddleware(Passing, locale.LocaleMiddleware):
    """The language by cookie or browser; the API's own is in `api.middleware`."""


class MessageMiddleware(Passing, messages.MessageMiddleware):
    """What the next page tells."""


class SessionMiddleware(Passing, sessions.SessionMiddleware):
    """The cookie."""
