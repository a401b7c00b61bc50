"""The admin's sidebar: the work first, what it is made with after."""

from typing import Any

from django.urls import reverse_lazy


def _page(title: str, model: str, icon: str) -> dict[str, Any]:
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{model}_changelist")}


def _group(title: str, *pages: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": pages}


NAVIGATION = [
    _group(
        "Work",
        _page("Jobs", "jobs_job", "bolt"),
        _page("Job items", "jobs_jobitem", "checklist"),
        _page("Agents", "jobs_agent", "smart_toy"),
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
        "Agency",
        _page("Workspaces", "accounts_workspace", "business"),
        _page("People", "accounts_user", "badge"),
        _page("Members", "accounts_membership", "group"),
        _page("Invitations", "accounts_invitation", "mail"),
        _page("API keys", "accounts_apikey", "key"),
        _page("Subscriptions", "billing_subscription", "credit_card"),
        _page("Activity", "accounts_activity", "history"),
    ),
]
