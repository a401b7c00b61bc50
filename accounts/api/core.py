"""Workspaces on the core surface."""

from django.db.models import QuerySet

from accounts.api.serializers import WorkspaceSerializer
from accounts.models import Workspace
from ajansops.api.views import ReadViewSet
from ajansops.kit.permissions import Permission


class WorkspaceViewSet(ReadViewSet):
    """A key sees its own; a person sees those they are in."""

    model = Workspace
    output = WorkspaceSerializer
    noun = "Workspace"
    rights = {"list": Permission.VIEW_WORKSPACE, "retrieve": Permission.VIEW_WORKSPACE}

    def rows(self) -> QuerySet[Workspace]:
        """Oldest first, as members know them."""
        rows: QuerySet[Workspace] = Workspace.objects.visible_to(self.actor).order_by("id")
        return rows
