"""The subscription on the core surface."""

from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.views import SurfaceView
from ajansops.kit.permissions import Permission
from billing.api.serializers import SubscriptionSerializer
from billing.selectors import subscription_of


class SubscriptionView(SurfaceView):
    """The caller's workspace has one, perhaps to the free plan."""

    rights = {"get": Permission.VIEW_SUBSCRIPTION}
    beside_plan = True
    answers = {"get": {200: SubscriptionSerializer}}

    def get(self, request: Request) -> Response:
        """The plan in force, how its payment stands, and its period."""
        return self.reply(SubscriptionSerializer(subscription_of(self.actor.workspace_id)).data)
