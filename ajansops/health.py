"""Is it alive, is it ready, and what is configured. No call to an outside API."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from kombu import Connection
from kombu.exceptions import OperationalError as BrokerError
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.schema.envelopes import closed
from ajansops.api.views import Public, SurfaceView
from ajansops.kit.clock import iso_ms, now
from ajansops.version import VERSION

log = structlog.get_logger(__name__)
STARTED = time.monotonic()
Check = dict[str, Any]


def healthz(request: HttpRequest) -> HttpResponse:
    """Liveness: the process answers."""
    return HttpResponse("ok", content_type="text/plain")


def readyz(request: HttpRequest) -> HttpResponse:
    """Readiness: the database answers and has every migration."""
    try:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError:
        return JsonResponse({"ready": False, "reason": "database"}, status=503)
    if pending:
        return JsonResponse({"ready": False, "reason": "migrations", "pending": len(pending)}, status=503)
    return JsonResponse({"ready": True})


HEALTH = closed(  # in the schema
    ok={"type": "boolean"},
    status={"type": "string", "enum": ["healthy", "degraded"]},
    version={"type": "string"},
    env={"type": "string", "enum": ["production", "development"]},
    uptime={"type": "number"},
    checks={
        "type": "object",
        "additionalProperties": closed(ok={"type": "boolean"}, latencyMs={"type": "integer"}),
    },
    integrations={"type": "object", "additionalProperties": {"type": "boolean"}},
    readiness=closed(ready={"type": "integer"}, total={"type": "integer"}, percent={"type": "integer"}),
    timestamp={"type": "string", "format": "date-time"},
)


class HealthView(SurfaceView):
    """200 while the database and the configured broker answer, else 503. Public, so no versions of dependencies."""

    rights = {"get": Public}
    authentication_classes = []
    unlimited = True
    bare = True
    answers = {"get": {200: HEALTH, 503: HEALTH}}

    def get(self, request: Request) -> Response:
        """The union of the bodies that two references document; no envelope."""
        checks = {name: _timed(check) for name, check in _checks().items()}
        healthy = all(check["ok"] for check in checks.values())
        integrations = _integrations()
        ready = sum(integrations.values())
        body = {
            "ok": healthy,
            "status": "healthy" if healthy else "degraded",
            "version": VERSION,
            "env": "development" if settings.DEBUG else "production",
            "uptime": round(time.monotonic() - STARTED, 1),
            "checks": checks,
            "integrations": integrations,
            "readiness": {"ready": ready, "total": len(integrations), "percent": ready * 100 // len(integrations)},
            "timestamp": iso_ms(now()),
        }
        return Response(body, status=200 if healthy else 503)


def _timed(check: Callable[[], None]) -> Check:
    started = time.perf_counter()
    try:
        check()
    except (DatabaseError, BrokerError, OSError, ConnectionError) as error:
        log.warning("health_check_failed", error=str(error))
        return {"ok": False, "latencyMs": _ms(started)}
    return {"ok": True, "latencyMs": _ms(started)}


def _ms(started: float) -> int:
    return round((time.perf_counter() - started) * 1000)


def _checks() -> dict[str, Callable[[], None]]:
    checks = {"postgres" if connection.vendor == "postgresql" else connection.vendor: _database}
    for name, url in (("redis", settings.ENV.redis_url), ("broker", settings.ENV.celery_broker_url)):
        if url:
            checks[name] = partial(_reachable, url)
    return checks


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _reachable(url: str) -> None:
    with Connection(
        url, connect_timeout=1, transport_options={"socket_connect_timeout": 1, "socket_timeout": 1}
    ) as broker:
        broker.ensure_connection(max_retries=1, timeout=1)


def _integrations() -> dict[str, bool]:
    env = settings.ENV
    return {
        "stripe": bool(env.stripe_secret_key),
        "claude": bool(env.anthropic_api_key),
        "resend": bool(env.resend_api_key),
        "meta_ads": bool(env.meta_ads_token),
        "google_ads": bool(env.google_ads_token),
        "apify": bool(env.apify_token),
        "ollama": bool(env.ollama_url),
    }
