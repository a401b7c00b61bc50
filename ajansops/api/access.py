"""One line of the log a request: who asked for which route, what came of it, how long it took.

It is on the path of every call, so it is made by hand and goes past the processors that a rare event can afford.
"""

import logging
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from ajansops.api.surface import Surface
from ajansops.kit.clock import now
from ajansops.logs import ACCESS, cleaned

log = logging.getLogger(ACCESS)
LONGEST = 200  # characters of a path that is none of ours


def tell(request: HttpRequest, response: HttpResponseBase, surface: Surface | None, milliseconds: float) -> None:
    """Route instead of path and nothing of the query: ids say little, and some pages have secrets in their address."""
    if not log.isEnabledFor(logging.INFO):
        return
    actor: Any = getattr(request, "auth", None)  # of the API; a page's visitor, where somebody asked who it is
    visitor = getattr(request, "_cached_user", None) if actor is None else None
    line = {
        "event": "request",
        "level": "info",
        "timestamp": now().isoformat(),
        "request_id": request.request_id,  # type: ignore[attr-defined]
        "method": request.method,
        "route": _route(request, surface),
        "status": response.status_code,
        "duration_ms": round(milliseconds, 1),
        "surface": surface.name if surface else None,
        "workspace_id": (actor.workspace_id or None) if actor else None,
        "user_id": actor.user_id if actor else visitor.pk if visitor else None,
        "api_key_id": actor.key_id if actor else None,
    }
    log.handle(logging.LogRecord(ACCESS, logging.INFO, __file__, 0, line, None, None))


def _route(request: HttpRequest, surface: Surface | None) -> str:
    """As in the URLconf. Below a surface's prefix also what is not there; of other places the first part."""
    route = request.resolver_match.route if request.resolver_match else ""
    if surface and f"/{route}" in ("/", *surface.prefixes, "/api/"):
        return cleaned(request.path[:LONGEST])
    if request.resolver_match:
        return f"/{route}"
    first, _, rest = request.path[1:LONGEST].partition("/")
    return cleaned(f"/{first}/…" if rest else f"/{first}")
