"""`user.has_perm(perm, obj)` from the role table, for the admin, tools and templates."""

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.db.models import Model

from accounts.roles import roles_allowing


class RoleBackend(AuthenticationBackend):
    """Signs in by e-mail and password; permissions come from memberships alone.

    The only backend: each further one would hash a wrong password once more.
    """

    def has_perm(self, user_obj: Any, perm: str, obj: Model | None = None) -> bool:
        """With an object: in its workspace. Without: in at least one."""
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        roles, allowing = user_obj.roles, roles_allowing(perm)
        if obj is not None:
            return roles.get(workspace_of(obj)) in allowing
        return any(role in allowing for role in roles.values())

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Whoever is in a workspace sees the apps; the rows are another question."""
        return user_obj.is_active and bool(user_obj.roles)


def workspace_of(row: Any) -> int | None:
    """The tenant of a row, over its parents; None for a row that has none."""
    if (workspace_id := getattr(row, "workspace_id", None)) is not None:
        return int(workspace_id)
    path = getattr(type(row), "tenant_path", None)
    if path is None:
        return None
    for step in path.split("__"):
        row = getattr(row, step)
    return int(row.pk)
