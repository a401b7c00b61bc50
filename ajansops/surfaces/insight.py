"""The insight API: audits, chat, billing and cron. Its wire format, and its table of routes."""

from django.http import HttpRequest
from django.urls import path

from ajansops.api.surface import JSON, Problem, Reply, Surface, register
from ajansops.api.throttling import INSIGHT_ELSE
from ajansops.cron import CronListView, CronRunView
from billing.api.insight import CheckoutView, PortalView
from billing.api.webhook import StripeWebhookView
from sites.api.insight import AuditRunView, ChatInsightView

CODES = {
    "access_denied": "forbidden",
    "rate_limit_exceeded": "rate_limited",
    "server_error": "internal_error",
    "validation_failed": "missing_fields",
}


def envelope(reply: Reply) -> JSON:
    """`ok` with the fields beside it."""
    return {"ok": True, **reply.data}


def word_error(problem: Problem, request: HttpRequest) -> JSON:
    """`error` and `message`, the extras beside them; `retryAfter` in seconds."""
    extras = dict(problem.data)
    wait = {"retryAfter": extras.pop("retry_after")} if "retry_after" in extras else {}
    extras = wait if problem.status == 429 else extras | wait
    errors = {"errors": problem.errors} if problem.errors else {}
    return {"error": INSIGHT.code(problem), "message": problem.message, **errors, **extras}


PREFIXES = ("/api/audit/", "/api/chat/", "/api/billing/", "/api/cron")
INSIGHT = register(Surface("insight", PREFIXES, envelope, word_error, by_address=INSIGHT_ELSE, codes=CODES))

urlpatterns = [
    path("billing/checkout", CheckoutView.as_view(surface=INSIGHT)),
    path("billing/portal", PortalView.as_view(surface=INSIGHT)),
    path("billing/webhook", StripeWebhookView.as_view(surface=INSIGHT)),
    path("audit/run", AuditRunView.as_view(surface=INSIGHT)),
    path("chat/insight", ChatInsightView.as_view(surface=INSIGHT)),
    path("cron", CronListView.as_view(surface=INSIGHT)),
    path("cron/<str:name>", CronRunView.as_view(surface=INSIGHT)),
]
