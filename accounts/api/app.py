"""Accounts on the app surface."""

from django.http import HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import InvitationBody, InvitationSerializer
from accounts.models import User
from accounts.services import exports, invitations
from ajansops.api.authentication import require_own_pages
from ajansops.api.views import SignedIn, SurfaceView
from ajansops.kit.clock import now
from ajansops.kit.permissions import Permission


class InviteView(SurfaceView):
    """Invite somebody."""

    rights = {"post": Permission.ADD_INVITATION}
    body = InvitationBody
    answers = {"post": {201: InvitationSerializer}}

    def post(self, request: Request) -> Response:
        """201 with the invitation, never with its link: that goes to the address alone."""
        row = invitations.invite(self.actor, **self.parsed(InvitationBody))
        assert self.surface is not None
        return self.reply(self.surface.encode(InvitationSerializer(row).data), status=201)


class ExportView(SurfaceView):
    """Everything that is held about the person who asks."""

    rights = {"get": SignedIn}
    needs_workspace = False
    beside_plan = True  # a person's right, whatever their workspace pays for
    bare = True
    answers = {"get": {200: {"type": "object", "additionalProperties": {}}}}

    def get(self, request: Request) -> HttpResponseBase:
        """One JSON document as a file, written while it is read."""
        require_own_pages(request._request)  # noqa: SLF001  # else another site could use up the three an hour
        user = User.objects.get(pk=self.person_id)
        document = exports.export_account(self.actor, user)
        answer = StreamingHttpResponse(document, content_type="application/json")
        answer["Content-Disposition"] = f'attachment; filename="ajansops-account-{now():%Y-%m-%d}.json"'
        answer["X-Accel-Buffering"] = "no"
        return answer
