"""What every answer tells the browser it may do with it: Content-Security-Policy and Permissions-Policy.

Cross-Origin-Opener-Policy, Referrer-Policy and nosniff come from Django's SecurityMiddleware.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

Policy = dict[str, str]

STRICT: Policy = {
    "default-src": "'self'",
    "img-src": "'self' data:",  # the QR code of an authenticator
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
DATA: Policy = {"default-src": "'none'", "frame-ancestors": "'none'"}
# unfold is made with Alpine, which evaluates attributes; its templates and our reports carry style attributes.
ADMIN: Policy = STRICT | {
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
}
# Swagger UI styles its elements one by one; its script is a file of its own (the split view).
DOCS: Policy = STRICT | {"style-src": "'self' 'unsafe-inline'"}
LOOSER: tuple[tuple[str, Policy], ...] = (("/admin/", ADMIN), ("/api/docs/", DOCS))
# Django's own pages while debugging carry their style and script in themselves.
TRACEBACK: Policy = STRICT | {"script-src": "'self' 'unsafe-inline'", "style-src": "'self' 'unsafe-inline'"}

PERMISSIONS = ", ".join(
    [
        *(f"{name}=()" for name in ("camera", "geolocation", "microphone", "payment", "usb")),
        *(f"{name}=(self)" for name in ("publickey-credentials-create", "publickey-credentials-get")),
    ]
)


class PageHeadersMiddleware:
    """A view that knows better sets the header itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", worded(policy_for(request.path, response)))
        response.headers.setdefault("Permissions-Policy", PERMISSIONS)
        return response


def policy_for(path: str, response: HttpResponseBase) -> Policy:
    """By what it is first (data is never a page), then by where it stands."""
    if "json" in response.headers.get("Content-Type", ""):
        return DATA
    if settings.DEBUG and response.status_code in {404, 500}:
        return TRACEBACK
    return next((policy for prefix, policy in LOOSER if path.startswith(prefix)), STRICT)


def worded(policy: Policy) -> str:
    """As the header's value."""
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())
