"""The core API: the canonical one. Its wire format, and its table of routes."""

from typing import Any

from django.http import HttpRequest
from django.urls import path, re_path

from accounts.api.core import (
    ActivityViewSet,
    ApiKeyViewSet,
    InvitationViewSet,
    LeakedKeyView,
    LeaveView,
    MemberViewSet,
    WorkspaceViewSet,
)
from ajansops.api.surface import JSON, Problem, Reply, Surface, register
from ajansops.api.views import COLLECTION, PATCH_ROW, READ, READ_ROW, ROW, UnknownPath
from billing.api.core import CheckView, SummaryView, UsageView
from billing.api.subscription import SubscriptionView
from content.api.core import GenerateView, ProductImportView, ProductViewSet, VariantViewSet
from content.api.posts import PostViewSet
from content.api.readers import AudienceViewSet, BrandViewSet, PersonaViewSet, SpecialDayViewSet
from jobs.api.core import AgentViewSet, JobItemViewSet, JobViewSet
from jobs.api.events import JobEventsView
from leads.api.core import CoreScrapeView, LeadViewSet, TemplateViewSet
from sites.api.audits import AuditViewSet, InsightViewSet
from sites.api.core import CoreSeoScrapeView, IssueViewSet, ReportViewSet, SiteViewSet, SubmitReportView
from webhooks.api.core import (
    DeliveryViewSet,
    EndpointViewSet,
    EventTypesView,
    JobSecretView,
    TryEndpointView,
)


def envelope(reply: Reply) -> JSON:
    """`data`, with `message` on writes and `meta` and `links` on lists."""
    parts: dict[str, Any] = {
        "message": reply.message or None,
        "data": reply.data,
        "meta": reply.meta,
        "links": reply.links,
    }
    return {key: value for key, value in parts.items() if value is not None or key == "data"}


def word_error(problem: Problem, request: HttpRequest) -> JSON:
    """`error` and `message`, the extras beside them, `errors` by field when something is invalid."""
    errors = {"errors": problem.errors} if problem.errors else {}
    return {"error": problem.code, "message": problem.message, **errors, **problem.data}


CORE = register(Surface("core", ("/api/v1/",), envelope, word_error, invalid_status=422, idempotent=True, lists=True))

INVITATION = READ_ROW | {"delete": "destroy"}

urlpatterns = [
    path("workspaces", WorkspaceViewSet.as_view(COLLECTION, surface=CORE)),
    path("workspaces/<str:pk>", WorkspaceViewSet.as_view(PATCH_ROW, surface=CORE)),
    path("api-keys", ApiKeyViewSet.as_view(COLLECTION, surface=CORE)),
    path("api-keys/revoke-leaked", LeakedKeyView.as_view(surface=CORE)),
    path("api-keys/<str:pk>", ApiKeyViewSet.as_view(PATCH_ROW, surface=CORE)),
    path("api-keys/<str:pk>/rotate", ApiKeyViewSet.as_view({"post": "rotate"}, surface=CORE)),
    path("members", MemberViewSet.as_view(READ, surface=CORE)),
    path("members/me", LeaveView.as_view(surface=CORE)),
    path("members/<str:pk>", MemberViewSet.as_view(PATCH_ROW, surface=CORE)),
    path("invitations", InvitationViewSet.as_view(COLLECTION, surface=CORE)),
    path("invitations/<str:pk>", InvitationViewSet.as_view(INVITATION, surface=CORE)),
    path("invitations/<str:pk>/resend", InvitationViewSet.as_view({"post": "resend"}, surface=CORE)),
    path("activity", ActivityViewSet.as_view(READ, surface=CORE)),
    path("activity/<str:pk>", ActivityViewSet.as_view(READ_ROW, surface=CORE)),
    path("subscription", SubscriptionView.as_view(surface=CORE)),
    path("jobs", JobViewSet.as_view(READ, surface=CORE)),
    path("jobs/<str:pk>", JobViewSet.as_view(READ_ROW, surface=CORE)),
    path("jobs/<str:pk>/events", JobEventsView.as_view(surface=CORE)),
    path("jobs/<str:pk>/items", JobItemViewSet.as_view(READ, surface=CORE)),
    path("jobs/<str:pk>/pause", JobViewSet.as_view({"post": "pause"}, surface=CORE)),
    path("jobs/<str:pk>/resume", JobViewSet.as_view({"post": "resume"}, surface=CORE)),
    path("jobs/<str:pk>/cancel", JobViewSet.as_view({"post": "cancel"}, surface=CORE)),
    path("leads", LeadViewSet.as_view(COLLECTION, surface=CORE)),
    path("leads/scrape", CoreScrapeView.as_view(surface=CORE)),
    path("leads/<str:pk>", LeadViewSet.as_view(ROW, surface=CORE)),
    path("email-templates", TemplateViewSet.as_view(COLLECTION, surface=CORE)),
    path("email-templates/<str:pk>", TemplateViewSet.as_view(ROW, surface=CORE)),
    path("agents", AgentViewSet.as_view(COLLECTION, surface=CORE)),
    path("agents/<str:pk>", AgentViewSet.as_view(ROW, surface=CORE)),
    path("sites", SiteViewSet.as_view(COLLECTION, surface=CORE)),
    path("sites/<str:pk>", SiteViewSet.as_view(ROW, surface=CORE)),
    path("audits", AuditViewSet.as_view(READ, surface=CORE)),
    path("audits/<str:pk>", AuditViewSet.as_view(READ_ROW, surface=CORE)),
    path("insights", InsightViewSet.as_view(READ, surface=CORE)),
    path("insights/<str:pk>", InsightViewSet.as_view(READ_ROW | {"patch": "partial_update"}, surface=CORE)),
    path("seo/report", SubmitReportView.as_view(surface=CORE)),
    path("seo/reports", ReportViewSet.as_view(READ, surface=CORE)),
    path("seo/reports/<str:pk>", ReportViewSet.as_view(READ_ROW, surface=CORE)),
    path("seo/issues/<str:workspace_id>", IssueViewSet.as_view(READ, surface=CORE)),
    path("seo/scrape", CoreSeoScrapeView.as_view(surface=CORE)),
    path("products", ProductViewSet.as_view(COLLECTION, surface=CORE)),
    path("products/import", ProductImportView.as_view(surface=CORE)),
    path("products/<str:pk>", ProductViewSet.as_view(ROW, surface=CORE)),
    path("products/<str:pk>/tags/approve", ProductViewSet.as_view({"post": "approve"}, surface=CORE)),
    path("products/<str:pk>/tags/reject", ProductViewSet.as_view({"post": "reject"}, surface=CORE)),
    path("products/<str:product>/variants", VariantViewSet.as_view(READ, surface=CORE)),
    path("variants", VariantViewSet.as_view(READ, surface=CORE)),
    path("variants/<str:pk>", VariantViewSet.as_view(READ_ROW, surface=CORE)),
    path("variants/<str:pk>/approve", VariantViewSet.as_view({"post": "approve"}, surface=CORE)),
    path("variants/<str:pk>/reject", VariantViewSet.as_view({"post": "reject"}, surface=CORE)),
    path("personas", PersonaViewSet.as_view(COLLECTION, surface=CORE)),
    path("personas/<str:pk>", PersonaViewSet.as_view(ROW, surface=CORE)),
    path("audiences", AudienceViewSet.as_view(COLLECTION, surface=CORE)),
    path("audiences/<str:pk>", AudienceViewSet.as_view(ROW, surface=CORE)),
    path("special-days", SpecialDayViewSet.as_view(COLLECTION, surface=CORE)),
    path("special-days/<str:pk>", SpecialDayViewSet.as_view(ROW, surface=CORE)),
    path("brands", BrandViewSet.as_view(COLLECTION, surface=CORE)),
    path("brands/<str:pk>", BrandViewSet.as_view(ROW, surface=CORE)),
    path("posts", PostViewSet.as_view(COLLECTION, surface=CORE)),
    path("posts/<str:pk>", PostViewSet.as_view(ROW, surface=CORE)),
    path("posts/<str:pk>/publish", PostViewSet.as_view({"post": "publish"}, surface=CORE)),
    path("posts/<str:pk>/unpublish", PostViewSet.as_view({"post": "unpublish"}, surface=CORE)),
    path("posts/<str:pk>/archive", PostViewSet.as_view({"post": "archive"}, surface=CORE)),
    path("posts/<str:pk>/schedule", PostViewSet.as_view({"post": "schedule"}, surface=CORE)),
    path("webhooks", EndpointViewSet.as_view(COLLECTION, surface=CORE)),
    path("webhooks/events", EventTypesView.as_view(surface=CORE)),
    path("webhooks/jobs/rotate-secret", JobSecretView.as_view(surface=CORE)),
    path("webhooks/<str:pk>", EndpointViewSet.as_view(PATCH_ROW, surface=CORE)),
    path("webhooks/<str:pk>/test", TryEndpointView.as_view(surface=CORE)),
    path("webhooks/<str:pk>/rotate-secret", EndpointViewSet.as_view({"post": "rotate_secret"}, surface=CORE)),
    path("webhooks/<str:pk>/replay", EndpointViewSet.as_view({"post": "replay"}, surface=CORE)),
    path("webhooks/<str:webhook>/deliveries", DeliveryViewSet.as_view(READ, surface=CORE)),
    path("webhooks/<str:webhook>/deliveries/<str:pk>/retry", DeliveryViewSet.as_view({"post": "retry"}, surface=CORE)),
    path(
        "webhooks/<str:webhook>/deliveries/<str:pk>/redeliver",
        DeliveryViewSet.as_view({"post": "redeliver"}, surface=CORE),
    ),
    path("entitlements/check", CheckView.as_view(surface=CORE)),
    path("entitlements/usage", UsageView.as_view(surface=CORE)),
    path("entitlements/summary", SummaryView.as_view(surface=CORE)),
    path("content/generate", GenerateView.as_view(surface=CORE)),
    re_path(r"", UnknownPath.as_view(surface=CORE)),
]
