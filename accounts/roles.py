"""The role table: what each role may do, in Django's own permission names. Everybody asks here."""

from functools import cache

from django.db import models

from ajansops.kit.permissions import Permission


class Role(models.TextChoices):
    """From most to least."""

    OWNER = "OWNER"
    ADMIN = "ADMIN"
    EDITOR = "EDITOR"
    VIEWER = "VIEWER"


INVITABLE = [choice for choice in Role.choices if choice[0] != Role.OWNER]
RANK = {Role.VIEWER: 0, Role.EDITOR: 1, Role.ADMIN: 2, Role.OWNER: 3}

# The least role for an action on anything …
BY_ACTION = {
    "view": Role.VIEWER,
    "add": Role.EDITOR,
    "change": Role.EDITOR,
    "generate": Role.EDITOR,
    "delete": Role.ADMIN,
    "publish": Role.EDITOR,
}
# … and where one thing needs more.
BY_CODENAME = {
    "accounts.add_apikey": Role.ADMIN,
    "accounts.add_invitation": Role.ADMIN,
    "accounts.add_workspace": Role.VIEWER,  # a new one is nobody else's business
    "accounts.change_apikey": Role.ADMIN,
    "accounts.change_invitation": Role.ADMIN,
    "accounts.change_membership": Role.ADMIN,
    "accounts.change_workspace": Role.ADMIN,
    "accounts.delete_workspace": Role.OWNER,
    "accounts.view_activity": Role.ADMIN,
    "accounts.view_apikey": Role.ADMIN,
    "accounts.view_invitation": Role.ADMIN,
    "billing.change_subscription": Role.OWNER,
    "billing.view_invoice": Role.ADMIN,
    "billing.view_notice": Role.ADMIN,
    "billing.view_purchase": Role.ADMIN,
    "content.delete_post": Role.EDITOR,  # as the app reference has it
    "webhooks.add_endpoint": Role.ADMIN,
    "webhooks.change_delivery": Role.ADMIN,
    "webhooks.change_endpoint": Role.ADMIN,
    "webhooks.view_delivery": Role.ADMIN,
    "webhooks.view_endpoint": Role.ADMIN,
    "webhooks.view_event": Role.ADMIN,
    "webhooks.view_outbox": Role.ADMIN,
}


# Rows of other apps (Django's groups, allauth's addresses and devices) belong to no workspace, so no role reaches them.
APPS = frozenset({"accounts", "billing", "content", "jobs", "leads", "sites", "webhooks"})


def least_role(codename: str) -> Role | None:
    """The least role that has `sites.change_site`; None for what nobody has by role."""
    app, _, rest = codename.partition(".")
    if app not in APPS:
        return None
    return BY_CODENAME.get(codename) or BY_ACTION.get(rest.partition("_")[0])


def role_allows(role: Role, codename: str) -> bool:
    """Whether the role, or one below it, has the permission."""
    least = least_role(codename)
    return least is not None and RANK[role] >= RANK[least]


def roles_allowing(codename: str) -> list[Role]:
    """For filters over memberships."""
    return [role for role in Role if role_allows(role, codename)]


def at_most(role: str, other: str) -> bool:
    """Whether `role` is not above `other`. Unknown ones are above everything."""
    return role in RANK and other in RANK and RANK[Role(role)] <= RANK[Role(other)]


@cache
def codenames(role: Role) -> frozenset[str]:
    """All permissions of the role that the API knows."""
    return frozenset(p.codename for p in Permission if role_allows(role, p.codename))
