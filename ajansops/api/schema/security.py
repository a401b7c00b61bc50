"""Who may call: the credentials there are, and which of them an operation takes."""

from typing import Any

from ajansops.api.views import AnyCaller, Public, Right, SignedIn
from ajansops.kit.permissions import Permission

SCHEMES: dict[str, Any] = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key: `sk_live_…`, `sk_test_…`."},
    "basicKey": {"type": "http", "scheme": "basic", "description": "An API key as user name, without a password."},
    "session": {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "A browser that is signed in."},
    "studioToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "Of `/v1/auth/login`."},
    "stripeSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "Stripe-Signature",
        "description": "Of the body, by STRIPE_WEBHOOK_SECRET.",
    },
    "cronSecret": {"type": "http", "scheme": "bearer", "description": "The value of CRON_SECRET."},
}


def schemes_for(view: Any, right: Right | None) -> list[str]:
    """Names of the credentials, any of which is enough; none for everybody."""
    if view.scheme:
        return [view.scheme]
    if right is Public:
        return []
    if right is SignedIn:
        return ["session"]
    return ["apiKey", "basicKey", "session", *(["studioToken"] if view.surface.tokens else [])]


def needs(right: Right | None) -> str:
    """In words."""
    if isinstance(right, Permission):
        return f"Needs the scope `{right.scope}`."
    if right is SignedIn:
        return "For people who are signed in: no keys."
    return "Any credential." if right is AnyCaller else ""
