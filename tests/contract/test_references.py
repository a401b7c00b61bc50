"""What the four references print works as printed. Ids, keys and days are replaced; nothing else is.

`DONE` has each documented request with the status and the shape of its answer: every documented name is there with its
documented type, and there may be more. `PENDING` has what is not built yet, with its issue: it is the surface's 404.
When it no longer is, the row moves up.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import resolve

from ajansops.api.views import UnknownPath
from ajansops.kit.clock import now
from tests.conftest import Api
from tests.contract.errors import told
from tests.contract.matrix import AUDITED
from tests.contract.worlds import Tenant, undone

DAY = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
ELLIPSIS: Any = {}  # `{...}` and `…` in a reference: an object of whatever
NEXT_YEAR = f"{now().year + 1}-01-01T00:00:00Z"
LATER = "2026-01-15T10:30:00Z"

PAGE = {"current_page": 1, "from": 1, "last_page": 10, "per_page": 25, "to": 25, "total": 250}
LINKS = {"first": "https://…", "last": "https://…", "prev": None, "next": None}
WORKSPACE = {"id": 1, "name": "Acme", "slug": "acme", "tier": "business", "created_at": LATER, "updated_at": LATER}
KEY = {
    "id": 1,
    "name": "Production API Key",
    "prefix": "sk_live_abc",
    "scopes": ["posts:read"],
    "rate_limit_tier": "pro",
    "last_used_at": None,
    "expires_at": None,
    "created_at": LATER,
}
VARIANT = {
    "uid": "e64bbcd6-3560-497c-8bff-7090c1d24dc7",
    "workspacePersonaId": 66,
    "specialDayId": 0,
    "baseAudienceId": 1761,
    "body": "",
    "language": "en-US",
    "status": "WAITING",
    "createdAt": "2025-09-22T15:26:09.602Z",
    "updatedAt": "2025-09-22T15:26:09.602Z",
    "personaName": "SIMPLE_VISITOR",
    "specialDayName": "",
    "audienceName": "test",
}
QUEUED = {
    "job_id": "content_123_1695384000_abc123",
    "processing_mode": "async",
    "status": "queued",
    "estimated_completion": "2025-09-22T16:02:41.189Z",
    "status_url": "/jobs/content_123_1695384000_abc123/status",
    "products_found": 17,
    "products_queued": 17,
    "rate_limit_info": {"hourly_remaining": 85, "daily_remaining": 450, "next_reset_at": "2025-09-22T17:00:00.000Z"},
    "rate_limit_estimate": {
        "total_variants_to_generate": 51,
        "rate_limit_requests_needed": 51,
        "segments_count": 3,
        "interests_count": 1,
    },
}


@dataclass(frozen=True)
class Example:
    """One request of a reference, and the answer it prints; None where it prints none."""

    surface: str
    method: str
    path: str
    status: int
    body: Any = None
    answer: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.surface} {self.method} {self.path}"


HOOK = {
    "id": 1,
    "url": "https://your-app.com/webhooks",
    "events": ["post.created", "post.updated"],
    "is_active": True,
    "success_count": 150,
    "failure_count": 2,
    "last_delivery_at": LATER,
    "created_at": LATER,
}
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW_HOOK = {"id": 2, "url": HOOK["url"], "events": ["post.created"], "secret": SECRET, "is_active": True}
RETRYING = {
    "id": 2,
    "event_id": "evt_xyz789",
    "event_type": "post.updated",
    "status": "retrying",
    "response_code": 500,
    "attempt": 2,
    "next_retry_at": LATER,
    "created_at": LATER,
}

DONE = [
    Example("core", "GET", "/api/v1/webhooks", 200, answer={"data": [HOOK]}),
    Example("core", "GET", "/api/v1/webhooks/{webhook}", 200, answer={"data": HOOK | {"consecutive_failures": 0}}),
    Example(
        "core",
        "POST",
        "/api/v1/webhooks",
        201,
        {"url": HOOK["url"], "events": ["post.created", "post.updated", "post.deleted"], "secret": SECRET},
        {"message": "Webhook endpoint created successfully.", "data": NEW_HOOK | {"created_at": LATER}},
    ),
    Example(
        "core",
        "PATCH",
        "/api/v1/webhooks/{webhook}",
        200,
        {"url": "https://new-url.com/webhooks", "events": ["post.*"], "is_active": True},
    ),
    Example("core", "DELETE", "/api/v1/webhooks/{webhook}", 204),
    Example("core", "POST", "/api/v1/webhooks/{webhook}/test", 200),
    Example(
        "core",
        "GET",
        "/api/v1/webhooks/{webhook}/deliveries?status=retrying&page=1&per_page=20",
        200,
        answer={"data": [RETRYING], "meta": PAGE, "links": LINKS},
    ),
    Example(
        "core",
        "POST",
        "/api/v1/webhooks/{webhook}/deliveries/{delivery}/retry",
        200,
        answer={"message": "Delivery queued for retry.", "data": {"id": 2, "status": "pending", "attempt": 3}},
    ),
    Example("core", "GET", "/api/v1/workspaces", 200, answer={"data": [WORKSPACE], "meta": PAGE, "links": LINKS}),
    Example(
        "core",
        "GET",
        "/api/v1/workspaces/{workspace}",
        200,
        answer={"data": WORKSPACE | {"settings": {"timezone": "UTC", "locale": "en_GB"}}},
    ),
    Example(
        "core",
        "POST",
        "/api/v1/workspaces",
        201,
        {"name": "New Workspace", "slug": "new-workspace", "tier": "pro"},
        {
            "message": "Workspace created successfully.",
            "data": {"id": 2, "name": "New Workspace", "slug": "new-workspace", "tier": "pro", "created_at": LATER},
        },
    ),
    Example(
        "core",
        "PATCH",
        "/api/v1/workspaces/{workspace}",
        200,
        {"name": "Updated Name", "settings": {"timezone": "Europe/London"}},
        {"message": "Workspace updated successfully.", "data": WORKSPACE},
    ),
    Example("core", "DELETE", "/api/v1/workspaces/{workspace}", 204),
    Example("core", "GET", "/api/v1/api-keys", 200, answer={"data": [KEY]}),
    Example("core", "GET", "/api/v1/api-keys/{api_key}", 200, answer={"data": KEY}),
    Example(
        "core",
        "POST",
        "/api/v1/api-keys",
        201,
        {
            "name": "Mobile App Key",
            "scopes": ["posts:read", "users:read"],
            "rate_limit_tier": "pro",
            "expires_at": NEXT_YEAR,
        },
        {
            "message": "API key created successfully.",
            "data": {
                "id": 2,
                "name": "Mobile App Key",
                "key": "sk_live_abc123def456ghi789...",
                "scopes": ["posts:read", "users:read"],
                "rate_limit_tier": "pro",
                "expires_at": NEXT_YEAR,
                "created_at": LATER,
            },
        },
    ),
    Example(
        "core",
        "POST",
        "/api/v1/api-keys/{api_key}/rotate",
        200,
        {"grace_period_hours": 24},
        {
            "message": "API key rotated successfully.",
            "data": {
                "id": 3,
                "name": "Mobile App Key",
                "key": "sk_live_new123key456...",
                "scopes": ["posts:read"],
                "grace_period_ends_at": LATER,
            },
        },
    ),
    Example("core", "DELETE", "/api/v1/api-keys/{api_key}", 204),
    Example(
        "core",
        "POST",
        "/api/v1/seo/report",
        201,
        {
            "url": "https://example.com/page",
            "scores": {"performance": 85, "accessibility": 92, "best_practices": 88, "seo": 95},
            "issues": [{"type": "missing_alt", "severity": "warning", "element": "img.hero-image"}],
        },
        {"data": ELLIPSIS},
    ),
    Example(
        "core",
        "GET",
        "/api/v1/seo/issues/{workspace}",
        200,
        answer={
            "data": [
                {
                    "id": 1,
                    "url": "https://example.com/page",
                    "issue_type": "missing_alt",
                    "severity": "warning",
                    "details": ELLIPSIS,
                    "created_at": LATER,
                }
            ]
        },
    ),
    Example(
        "studio",
        "POST",
        "/v1/auth/login",
        200,
        {"apiKey": "{key}", "workspaceId": "{workspace}"},
        {
            "access_token": "eyJ...",
            "token_type": "Bearer",
            "expires_in": 86400,
            "workspace": {"id": 123, "name": "My Workspace"},
            "permissions": ["generate_tags"],
            "rateLimit": "professional",
        },
    ),
    Example(  # limits are None: the tenant has none, tests/billing/test_entitlements.py has those of a plan
        "core",
        "GET",
        "/api/v1/entitlements/check?feature=posts",
        200,
        answer={"allowed": True, "feature": "posts", "current_usage": 45, "limit": None, "available": None},
    ),
    Example(
        "core",
        "POST",
        "/api/v1/entitlements/usage",
        200,
        {"feature": "api_calls", "quantity": 1, "metadata": {"endpoint": "/api/v1/posts"}},
        {"recorded": True, "feature": "api_calls", "current_usage": 5001, "limit": None},
    ),
    Example(
        "core",
        "GET",
        "/api/v1/entitlements/summary",
        200,
        answer={
            "data": {
                "workspace_id": 1,
                "tier": "pro",
                "entitlements": {
                    "posts": {"used": 45, "limit": None, "available": None, "percentage": 4.5},
                    "api_calls": {
                        "used": 5001,
                        "limit": None,
                        "available": None,
                        "percentage": 50.01,
                        "reset_at": "2026-02-01T00:00:00Z",
                    },
                    "storage": {
                        "used": 1073741824,
                        "limit": None,
                        "available": None,
                        "percentage": 20.0,
                        "unit": "bytes",
                    },
                },
            }
        },
    ),
    Example("studio", "GET", "/v1/auth/me", 200),
    Example("studio", "GET", "/v1/api-keys", 200),
    Example(
        "studio",
        "POST",
        "/v1/api-keys",
        201,
        {
            "name": "Production API Key",
            "permissions": ["generate_content", "view_analytics"],
            "rateLimit": "professional",
            "workspaceId": "{workspace}",
        },
    ),
    Example("studio", "DELETE", "/v1/api-keys/{api_key}", 200),
    Example(
        "studio",
        "GET",
        "/v1/inventory/products",
        200,
        answer={
            "products": [
                {
                    "id": "prod_123",
                    "sku_id": "SKU-001",
                    "title": "Premium Leather Bag",
                    "description": "<p>High-quality leather handbag</p>",
                    "categories": ["Fashion"],
                    "pictures": ["image1.jpg"],
                    "primary_picture": "image1.jpg",
                    "tags": ["leather"],
                    "suggested_tags": ["luxury"],
                    "workspace_id": 123,
                    "created_at": "2025-09-22T10:00:00Z",
                    "updated_at": "2025-09-22T10:00:00Z",
                    "deleted": False,
                    "has_suggested_tags": True,
                    "ready_for_tagging": True,
                }
            ],
            "total_count": 57,
            "_metadata": {
                "processing_time_ms": 1311,
                "workspace_id": 123,
                "total_products": 57,
                "data_optimized": True,
            },
        },
    ),
    Example(
        "studio",
        "GET",
        "/v1/inventory/variants/{product}",
        200,
        answer={
            "success": True,
            "message": "Retrieved all variants for product Unisex T-shirt",
            "inventoryProductId": 13302,
            "productName": "Unisex T-shirt",
            "tags": ["rahat kesim"],
            "descriptionVariants": [VARIANT | {"productDescriptionId": 10890}],
            "titleVariants": [VARIANT | {"productTitleId": 10890}],
            "googleFeedVariants": [VARIANT | {"productGoogleFeedId": 10840}],
            "retrievedAt": "2025-09-22T18:35:05.329Z",
        },
    ),
    Example(
        "studio",
        "POST",
        "/v1/content/generate",
        202,
        {"workspace_id": "{workspace}", "content_types": ["description"], "language": "tr-TR"},
        QUEUED | {"processing_config": {"mode": "background", "estimated_batches": 3}},
    ),
    Example(
        "studio",
        "POST",
        "/v1/content/generate-title",
        202,
        {"workspace_id": "prod_{product}", "language": "tr-TR", "title_types": ["title"]},
        QUEUED,
    ),
    Example(
        "studio",
        "POST",
        "/v1/content/generate-google-feed",
        202,
        {"workspace_id": "prod_{product}", "language": "tr-TR", "googlefeed_types": ["google_feed"]},
        QUEUED,
    ),
    Example(
        "studio",
        "POST",
        "/v1/tags/generate",
        202,
        {"workspace_id": "{workspace}", "mode": "auto"},
        {
            "job_id": "tags_1758297482555",
            "processing_mode": "async",
            "products_found": 0,
            "products_queued": 0,
            "products_without_images": 0,
            "results": [],
            "rate_limit_info": QUEUED["rate_limit_info"],
            "processing_config": {"mode": "none", "batch_size": 0, "estimated_batches": 0},
            "messages": [],
        },
    ),
    Example(
        "studio",
        "GET",
        "/v1/jobs/{job}/status",
        200,
        answer={
            "job_id": "content_69_1758277165018_jq0u5i",
            "job_type": "content",
            "status": "completed",
            "processing_mode": "async",
            "workspace_id": 69,
            "brand_id": "69",
            "progress": {
                "total_products": 18,
                "processed_products": 18,
                "success_products": 18,
                "failed_products": 0,
                "percentage": 100,
            },
            "timing": {"created_at": "2025-09-19T10:19:25.018Z", "started_at": LATER, "completed_at": LATER},
            "configuration": {
                "processing_mode": "async",
                "batch_size": 10,
                "retry_limit": 3,
                "webhook_configured": False,
            },
        },
    ),
    Example(
        "studio",
        "PUT",
        "/v1/jobs/{running_job}/control",
        200,
        {"action": "pause"},
        {
            "success": True,
            "job_id": "content_123_1695384000_abc123",
            "action": "pause",
            "previous_status": "processing",
            "current_status": "paused",
            "message": "Job paused successfully",
        },
    ),
    Example("app", "GET", "/api/sites", 200, answer={"success": True, "data": []}),
    Example(
        "app",
        "POST",
        "/api/sites",
        201,
        {
            "name": "Örnek Site",
            "domain": "example.com",
            "techStack": "nextjs",
            "apifyKeywords": ["seo keyword"],
            "leadSearchTerms": ["istanbul restoran"],
        },
        {
            "success": True,
            "data": {
                "id": "1",
                "name": "Örnek Site",
                "domain": "example.com",
                "techStack": "nextjs",
                "apifyKeywords": ["seo keyword"],
                "leadSearchTerms": ["istanbul restoran"],
            },
        },
    ),
    Example("app", "PATCH", "/api/sites/{site}", 200, {"name": "Örnek"}, {"success": True, "data": {"id": "1"}}),
    Example("app", "DELETE", "/api/sites/{site}", 200, answer={"success": True}),
    Example(
        "app",
        "POST",
        "/api/content/bulk",
        200,
        {"action": "publish", "items": [{"siteId": "{site}", "postId": "{post}"}]},
        {"success": True, "data": ELLIPSIS},
        {"content_type": "application/x-www-form-urlencoded"},  # as curl calls what -d sends
    ),
    Example("app", "PATCH", "/api/content/{site}/{post}", 200, {"title": "A"}, {"success": True, "data": {"id": "1"}}),
    Example("app", "DELETE", "/api/content/{site}/{post}", 200, answer={"success": True}),
    Example("app", "POST", "/api/leads/scrape", 202, {"siteId": "{site}"}, {"success": True, "data": ELLIPSIS}),
    Example(
        "app",
        "GET",
        "/api/leads/scrape",
        200,
        answer={
            "success": True,
            "data": {
                "running": False,
                "lastScrapedAt": LATER,
                "totalLeads": 280,
                "lastRun": {"action": "scrape.lead.success", "at": LATER},
            },
        },
    ),
    Example("app", "POST", "/api/seo/scrape", 202, {"siteId": "{site}"}, {"success": True, "data": ELLIPSIS}),
    Example("app", "GET", "/api/seo/scrape", 200, answer={"success": True, "data": {"running": False}}),
    Example(
        "app",
        "POST",
        "/api/users/invite",
        201,
        {"email": "somebody@example.org", "role": "EDITOR", "name": "Somebody"},
        {"success": True, "data": ELLIPSIS},
    ),
    Example("app", "GET", "/api/account/export", 200),
    Example(
        "app",
        "GET",
        "/api/health",
        200,
        answer={
            "ok": True,
            "status": "healthy",
            "version": "0.1.0",
            "env": "production",
            "uptime": 18420.5,
            "checks": {},
            "integrations": {"stripe": True, "claude": True, "resend": True},
            "readiness": {"ready": 6, "total": 6, "percent": 100},
            "timestamp": "2026-05-25T19:48:11.221Z",
        },
    ),
    Example(
        "insight",
        "POST",
        "/api/audit/run",
        200,
        {"context": {**AUDITED, "workspace": {"name": "Vitaflex", "currency": "HUF"}}},
        {
            "ok": True,
            "mode": "claude",
            "output": {"executive_summary": "…", "account_health_score": 78, "insights": [ELLIPSIS]},
            "usage": {
                "promptTokens": 12483,
                "cachedTokens": 11200,
                "completionTokens": 2174,
                "costUsd": 0.018,
                "elapsedMs": 24180,
            },
        },
    ),
    Example(
        "insight",
        "POST",
        "/api/chat/insight",
        200,
        {
            "insight": {"id": "…", "severity": "high", "metricEvidence": {"metric": "cpm", "value": 12.4}},
            "messages": [{"role": "user", "content": "Miért magas a CPM?"}],
        },
    ),
]

# Surface, method, path, and which issue builds it.
PENDING = """
core    GET    /api/v1/pixel/config                      later
core    POST   /api/v1/pixel/track                       later
core    GET    /api/v1/mcp/servers                       later
core    GET    /api/v1/mcp/servers/filesystem            later
core    GET    /api/v1/mcp/servers/filesystem/tools      later
core    POST   /api/v1/mcp/tools/call                    later
core    GET    /api/v1/mcp/resources/file:///a/b         later
app     POST   /api/agents/{agent}/run                   later
app     POST   /api/emails/send                          later
app     POST   /api/webhooks/email                       later
"""


def filled(value: Any, tenant: Tenant) -> Any:
    """With real ids. A number that the reference prints as one stays one."""
    if isinstance(value, dict):
        return {name: filled(entry, tenant) for name, entry in value.items()}
    if isinstance(value, list):
        return [filled(entry, tenant) for entry in value]
    if value == "{key}":
        return tenant.key("*")
    return value.format(**tenant.ids) if isinstance(value, str) and re.search(r"\{\w+\}", value) else value


def unlike(documented: Any, given: Any, path: str = "answer") -> list[str]:
    """Where the answer lacks a documented name, or has another type there."""
    match documented:
        case None:
            return []
        case dict():
            if not isinstance(given, dict):
                return [f"{path} is no object"]
            missing = [f"{path}.{name} is missing" for name in documented if name not in given]
            inside = [
                unlike(entry, given[name], f"{path}.{name}") for name, entry in documented.items() if name in given
            ]
            return missing + [line for lines in inside for line in lines]
        case list():
            if not isinstance(given, list):
                return [f"{path} is no list"]
            pairs = [(documented[0], entry) for entry in given] if documented else []
            return [line for number, pair in enumerate(pairs) for line in unlike(*pair, f"{path}[{number}]")]
        case str() if re.fullmatch(DAY, documented):
            same = given is None or (isinstance(given, str) and re.fullmatch(DAY, given))
        case float():
            same = type(given) in {int, float}
        case _:
            same = type(given) is type(documented)
    same = same and (not path.endswith((".message", ".token_type")) or "Retrieved" in documented or given == documented)
    return [] if same else [f"{path} is {given!r} rather than like {documented!r}"]


def caller(example: Example, tenant: Tenant) -> Api:
    """With the credential that the reference names."""
    if example.surface == "core":
        return Api(key=tenant.key("*"))
    if example.surface == "studio":
        return Api(key=tenant.token(tenant.key("*")))
    return tenant.session("OWNER")


@pytest.mark.parametrize("example", DONE, ids=str)
def test_a_documented_request_is_answered_as_documented(world, example):
    tenant = world.acme
    with undone():
        path = example.path.format(**tenant.ids)
        answer = caller(example, tenant).call(example.method, path, filled(example.body, tenant), **example.headers)
        said = answer.getvalue()
    assert answer.status_code == example.status, said
    if example.answer is not None:
        assert not unlike(example.answer, json.loads(said))
    assert answer["X-Request-ID"]


@pytest.mark.parametrize("line", PENDING.split("\n")[1:-1], ids=lambda line: " ".join(line.split()[1:3]))
def test_what_is_not_built_yet_is_the_surfaces_404(world, line):
    surface, method, path, issue = line.split()
    assert issue in {"6", "7", "later"}
    path = path.format(**world.acme.ids)
    found = resolve(path.partition("?")[0]).func.cls
    assert issubclass(found, UnknownPath), f"{found.__name__} answers it: move it to DONE"
    with undone():
        told(caller(Example(surface, method, path, 404), world.acme).call(method, path, {}), surface, 404, "not_found")


def test_what_curl_calls_a_form_is_json_from_no_browser(world):
    """The printed line for bulk has no Content-Type."""
    tenant = world.acme
    body = {"action": "publish", "items": [{"siteId": str(tenant.ids["site"]), "postId": str(tenant.ids["post"])}]}
    form = {"content_type": "application/x-www-form-urlencoded"}
    owner = tenant.session("OWNER")
    for headers in ({"Origin": "http://testserver"}, {"Sec-Fetch-Site": "same-origin"}):
        with undone():
            told(owner.call("POST", "/api/content/bulk", body, **form, **headers), "app", 415, "unsupported_media_type")
    with undone():
        told(owner.call("POST", "/api/content/bulk", "{", **form), "app", 400, "invalid_json")
        told(owner.call("POST", "/api/content/bulk", "action=publish", **form), "app", 415, "unsupported_media_type")
