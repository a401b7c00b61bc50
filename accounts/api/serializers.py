"""How accounts look on the wire."""

from rest_framework import serializers

from accounts.models import Workspace
from ajansops.api.serializers import Row
from ajansops.kit.plans import plans


class WorkspaceSerializer(Row):
    """A workspace with the tier of its plan."""

    tier = serializers.SerializerMethodField()

    class Meta:
        model = Workspace
        fields = ("id", "name", "slug", "tier", "settings", "created_at", "updated_at")

    def get_tier(self, workspace: Workspace) -> str:
        """On the wire: free, starter, pro, agency, enterprise."""
        return plans().tiers([workspace.pk])[workspace.pk]
