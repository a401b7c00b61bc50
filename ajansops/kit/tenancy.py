"""Whose a row is. Every model says so; a test fails for one that does not."""

from __future__ import annotations

from enum import Enum, auto
from typing import ClassVar, Self

from django.apps import apps
from django.db import models

from ajansops.kit.actor import Actor


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


class TimeStamped(models.Model):
    """When a row was made and last changed, UTC."""

    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class WorkspaceOwned(TimeStamped):
    """A row of one workspace."""

    tenancy: ClassVar[Tenancy] = Tenancy.WORKSPACE

    workspace = models.ForeignKey("accounts.Workspace", on_delete=models.CASCADE, related_name="+")
    workspace_id: int

    class Meta:
        abstract = True
