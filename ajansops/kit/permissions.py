"""Every right there is, once: the Django permission that roles grant and the scope that keys carry."""

from enum import Enum


class Permission(Enum):
    """`codename` is what `user.has_perm` is asked; `scope` is what an API key needs. Alphabetical."""

    ADD_AGENT = ("jobs.add_agent", "agents:write")
    ADD_API_KEY = ("accounts.add_apikey", "api-keys:write")
    ADD_AUDIENCE = ("content.add_audience", "audiences:write")
    ADD_AUDIT = ("sites.add_audit", "audits:write")
    ADD_BRAND = ("content.add_brand", "brands:write")
    ADD_CHAT = ("sites.add_chat", "audits:write")
    ADD_EMAIL_TEMPLATE = ("leads.add_emailtemplate", "email-templates:write")
    ADD_INVITATION = ("accounts.add_invitation", "invitations:write")
    ADD_JOB = ("jobs.add_job", "jobs:write")
    ADD_LEAD = ("leads.add_lead", "leads:write")
    ADD_PERSONA = ("content.add_persona", "personas:write")
    ADD_POST = ("content.add_post", "posts:write")
    ADD_PRODUCT = ("content.add_product", "products:write")
    ADD_REPORT = ("sites.add_report", "seo:write")
    ADD_SITE = ("sites.add_site", "sites:write")
    ADD_SPECIAL_DAY = ("content.add_specialday", "special-days:write")
    ADD_USAGE = ("billing.add_usage", "entitlements:write")
    ADD_WEBHOOK = ("webhooks.add_endpoint", "webhooks:write")
    ADD_WORKSPACE = ("accounts.add_workspace", "workspaces:write")
    CHANGE_AGENT = ("jobs.change_agent", "agents:write")
    CHANGE_API_KEY = ("accounts.change_apikey", "api-keys:write")
    CHANGE_AUDIENCE = ("content.change_audience", "audiences:write")
    CHANGE_BRAND = ("content.change_brand", "brands:write")
    CHANGE_EMAIL_TEMPLATE = ("leads.change_emailtemplate", "email-templates:write")
    CHANGE_INSIGHT = ("sites.change_insight", "audits:write")
    CHANGE_JOB = ("jobs.change_job", "jobs:write")
    CHANGE_LEAD = ("leads.change_lead", "leads:write")
    CHANGE_MEMBER = ("accounts.change_membership", "members:write")
    CHANGE_PERSONA = ("content.change_persona", "personas:write")
    CHANGE_POST = ("content.change_post", "posts:write")
    CHANGE_PRODUCT = ("content.change_product", "products:write")
    CHANGE_SITE = ("sites.change_site", "sites:write")
    CHANGE_SPECIAL_DAY = ("content.change_specialday", "special-days:write")
    CHANGE_SUBSCRIPTION = ("billing.change_subscription", "billing:write")
    CHANGE_VARIANT = ("content.change_variant", "content:write")
    CHANGE_WEBHOOK = ("webhooks.change_endpoint", "webhooks:write")
    CHANGE_WORKSPACE = ("accounts.change_workspace", "workspaces:write")
    DELETE_AGENT = ("jobs.delete_agent", "agents:delete")
    DELETE_API_KEY = ("accounts.delete_apikey", "api-keys:delete")
    DELETE_AUDIENCE = ("content.delete_audience", "audiences:delete")
    DELETE_BRAND = ("content.delete_brand", "brands:delete")
    DELETE_EMAIL_TEMPLATE = ("leads.delete_emailtemplate", "email-templates:delete")
    DELETE_INVITATION = ("accounts.delete_invitation", "invitations:delete")
    DELETE_LEAD = ("leads.delete_lead", "leads:delete")
    DELETE_MEMBER = ("accounts.delete_membership", "members:delete")
    DELETE_PERSONA = ("content.delete_persona", "personas:delete")
    DELETE_POST = ("content.delete_post", "posts:delete")
    DELETE_PRODUCT = ("content.delete_product", "products:delete")
    DELETE_SITE = ("sites.delete_site", "sites:delete")
    DELETE_SPECIAL_DAY = ("content.delete_specialday", "special-days:delete")
    DELETE_WEBHOOK = ("webhooks.delete_endpoint", "webhooks:delete")
    DELETE_WORKSPACE = ("accounts.delete_workspace", "workspaces:delete")
    GENERATE_CONTENT = ("content.generate_content", "content:write")
    GENERATE_FEEDS = ("content.generate_feeds", "feeds:write")
    GENERATE_TAGS = ("content.generate_tags", "tags:write")
    GENERATE_TITLES = ("content.generate_titles", "titles:write")
    PUBLISH_POST = ("content.publish_post", "posts:publish")
    VIEW_ACTIVITY = ("accounts.view_activity", "activity:read")
    VIEW_AGENT = ("jobs.view_agent", "agents:read")
    VIEW_API_KEY = ("accounts.view_apikey", "api-keys:read")
    VIEW_AUDIENCE = ("content.view_audience", "audiences:read")
    VIEW_AUDIT = ("sites.view_audit", "audits:read")
    VIEW_BRAND = ("content.view_brand", "brands:read")
    VIEW_EMAIL_TEMPLATE = ("leads.view_emailtemplate", "email-templates:read")
    VIEW_INVITATION = ("accounts.view_invitation", "invitations:read")
    VIEW_JOB = ("jobs.view_job", "jobs:read")
    VIEW_LEAD = ("leads.view_lead", "leads:read")
    VIEW_MEMBER = ("accounts.view_membership", "members:read")
    VIEW_PERSONA = ("content.view_persona", "personas:read")
    VIEW_POST = ("content.view_post", "posts:read")
    VIEW_PRODUCT = ("content.view_product", "products:read")
    VIEW_REPORT = ("sites.view_report", "seo:read")
    VIEW_SITE = ("sites.view_site", "sites:read")
    VIEW_SPECIAL_DAY = ("content.view_specialday", "special-days:read")
    VIEW_USAGE = ("billing.view_usage", "entitlements:read")
    VIEW_SUBSCRIPTION = ("billing.view_subscription", "billing:read")
    VIEW_VARIANT = ("content.view_variant", "content:read")
    VIEW_WEBHOOK = ("webhooks.view_endpoint", "webhooks:read")
    VIEW_WORKSPACE = ("accounts.view_workspace", "workspaces:read")

    def __init__(self, codename: str, scope: str) -> None:
        self.codename = codename
        self.scope = scope


# The studio surface's names of rights, in its reference's order; anywhere a scope is expected they mean the scope.
STUDIO_SCOPES = {
    "generate_tags": "tags:write",
    "generate_content": "content:write",
    "generate_title": "titles:write",
    "generate_google_feed": "feeds:write",
    "view_analytics": "analytics:read",
    "manage_brands": "brands:write",
}


def scope_allows(granted: frozenset[str], wanted: str) -> bool:
    """Whether `posts:write` is in a grant such as `posts:*`, `*:write` or `*`. A wanted wildcard needs one as wide."""
    resource, _, action = wanted.partition(":")
    return not granted.isdisjoint({wanted, f"{resource}:*", f"*:{action}", "*"})
