"""Every right there is, once: the Django permission that roles grant and the scope that keys carry."""

from enum import Enum


class Permission(Enum):
    """`codename` is what `user.has_perm` is asked; `scope` is what an API key needs. Alphabetical."""

    ADD_JOB = ("jobs.add_job", "jobs:write")
    ADD_LEAD = ("leads.add_lead", "leads:write")
    ADD_PRODUCT = ("content.add_product", "products:write")
    ADD_REPORT = ("sites.add_report", "seo:write")
    ADD_SITE = ("sites.add_site", "sites:write")
    CHANGE_PRODUCT = ("content.change_product", "products:write")
    CHANGE_SITE = ("sites.change_site", "sites:write")
    CHANGE_VARIANT = ("content.change_variant", "content:write")
    DELETE_PRODUCT = ("content.delete_product", "products:delete")
    DELETE_SITE = ("sites.delete_site", "sites:delete")
    GENERATE_CONTENT = ("content.generate_content", "content:write")
    GENERATE_FEEDS = ("content.generate_feeds", "feeds:write")
    GENERATE_TAGS = ("content.generate_tags", "tags:write")
    GENERATE_TITLES = ("content.generate_titles", "titles:write")
    VIEW_JOB = ("jobs.view_job", "jobs:read")
    VIEW_LEAD = ("leads.view_lead", "leads:read")
    VIEW_PRODUCT = ("content.view_product", "products:read")
    VIEW_REPORT = ("sites.view_report", "seo:read")
    VIEW_SITE = ("sites.view_site", "sites:read")
    VIEW_VARIANT = ("content.view_variant", "content:read")
    VIEW_WORKSPACE = ("accounts.view_workspace", "workspaces:read")

    def __init__(self, codename: str, scope: str) -> None:
        self.codename = codename
        self.scope = scope


def scope_allows(granted: frozenset[str], wanted: str) -> bool:
    """Whether `posts:write` is in a grant such as `posts:*`, `*:write` or `*`."""
    resource, _, action = wanted.partition(":")
    return not granted.isdisjoint({wanted, f"{resource}:*", f"*:{action}", "*"})
