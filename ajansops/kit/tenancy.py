"""Whose a row is. Every model says so; a test fails for one that does not."""

from __future__ import annotations

from enum import Enum, auto
from typing import ClassVar, Self

from django.apps import apps
from django.db import connection, models

from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import Feature


class Tenancy(Enum):
    """`WORKSPACE` has a workspace_id; `CHILD` belongs to the tenant its model's `tenant_path` leads to."""

    WORKSPACE = auto()
    CHILD = auto()
    USER = auto()
    GLOBAL = auto()


class WorkspaceQuerySet(models.QuerySet):  # type: ignore[type-arg]  # the manager made from it binds the model
    """Where every read of tenant data starts."""

    def visible_to(self, actor: Actor) -> Self:
        """Rows of the actor's workspace; everything else does not exist."""
        path: str = getattr(self.model, "tenant_path", "workspace")
        return self.filter(**{f"{path}_id": actor.workspace_id})


def lock_workspace(workspace_id: int) -> None:
    """Before any row of it, until the transaction ends. By name: the kit knows no apps."""
    apps.get_model("accounts.Workspace").objects.lock(workspace_id)


def lock_workspace_soon(workspace_id: int, within_ms: int = 1000) -> None:
    """As `lock_workspace` for whoever has others to care for: the database's error when it is not free in time.

    It holds for all locks of the transaction.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{within_ms}ms"])
    lock_workspace(workspace_id)


class TimeStamped(models.Model):
    """When a row was made and last changed, UTC."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class WorkspaceOwned(TimeStamped):
    """A row of one workspace. Of a model with a `gauge` a plan allows so many: who makes one calls `admit` first."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE
    gauge: ClassVar[Feature | None] = None

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workspace_id: int

    class Meta:
        abstract = True
