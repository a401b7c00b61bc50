"""The admin's sidebar: the work first, what it is made with after."""

from typing import Any

from django.urls import reverse_lazy


def _page(title: str, model: str, icon: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


def _group(title: str, *pages: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": pages}


FOR_SUPERUSERS = {"permission": lambda request: request.user.is_superuser}

NAVIGATION = [
    _group(
        "Work",
        _page("Jobs", "jobs_job", "bolt"),
        _page("Job items", "jobs_jobitem", "checklist"),
        _page("Agents", "jobs_agent", "smart_toy"),
        _page("Periodic runs", "jobs_periodicrun", "schedule") | FOR_SUPERUSERS,
        _page("Pauses of providers", "jobs_providerpause", "pause_circle") | FOR_SUPERUSERS,
    ),
    _group(
        "Content",
        _page("Posts", "content_post", "newsmode"),
        _page("Products", "content_product", "inventory_2"),
        _page("Texts", "content_variant", "article"),
        _page("Personas", "content_persona", "person"),
        _page("Audiences", "content_audience", "groups"),
        _page("Special days", "content_specialday", "event"),
        _page("Brands", "content_brand", "sell"),
    ),
    _group(
        "Sites",
        _page("Sites", "sites_site", "language"),
        _page("SEO reports", "sites_report", "monitoring"),
        _page("Issues", "sites_issue", "report"),
        _page("Crawled pages", "sites_crawledpage", "description"),
        _page("Audits", "sites_audit", "query_stats"),
        _page("Insights", "sites_insight", "lightbulb"),
        _page("Chats", "sites_chat", "forum"),
    ),
    _group(
        "Outreach",
        _page("Leads", "leads_lead", "contacts"),
        _page("E-mail templates", "leads_emailtemplate", "drafts"),
    ),
    _group(
        "Webhooks",
        _page("Endpoints", "webhooks_endpoint", "webhook"),
        _page("Deliveries", "webhooks_delivery", "outgoing_mail"),
        _page("Events", "webhooks_event", "campaign"),
    ),
    _group(
        "Agency",
        _page("Workspaces", "accounts_workspace", "business"),
        _page("People", "accounts_user", "badge"),
        _page("Members", "accounts_membership", "group"),
        _page("Invitations", "accounts_invitation", "mail"),
        _page("API keys", "accounts_apikey", "key"),
        _page("Activity", "accounts_activity", "history"),
    ),
    _group(
        "Billing",
        _page("Subscriptions", "billing_subscription", "credit_card"),
        _page("Invoices", "billing_invoice", "receipt_long"),
        _page("Purchases", "billing_purchase", "shopping_bag"),
        _page("Boosts", "billing_boost", "rocket_launch"),
        _page("Mails", "billing_notice", "mail"),
        _page("Plan limits", "billing_planlimit", "tune") | FOR_SUPERUSERS,
        _page("Referrals", "billing_referral", "handshake") | FOR_SUPERUSERS,
        _page("Stripe events", "billing_stripeevent", "inbox") | FOR_SUPERUSERS,
        _page("Revenue", "billing_monthlyrevenue", "finance") | FOR_SUPERUSERS,
    ),
]
