"""Controlling jobs on the studio surface, as its reference shows it. Their status is content's: it counts products."""

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.serializers import Body
from ajansops.api.views import SurfaceView
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from jobs.api.answers import ControlledSerializer
from jobs.models import Job
from jobs.services import CONTROLS


def _said(action: str) -> str:
    """As documented."""
    return {
        "pause": gettext("Job paused successfully"),
        "resume": gettext("Job resumed successfully"),
        "cancel": gettext("Job cancelled successfully"),
    }[action]


class ControlBody(Body):
    """What to do."""

    action = serializers.ChoiceField(["pause", "resume", "cancel"])


class JobControlView(SurfaceView):
    """Pause, resume or cancel a job."""

    rights = {"put": Permission.CHANGE_JOB}
    bodies = {"put": ControlBody}
    answers = {"put": {200: ControlledSerializer}}
    faults = {"put": (409, 429)}

    def put(self, request: Request, job: str) -> Response:
        """409 INVALID_TRANSITION where its status does not allow that."""
        if not Job.objects.visible_to(self.actor).filter(pk=job).exists():
            raise NotFound  # whatever the body says
        action = self.parsed(ControlBody)["action"]
        made = CONTROLS[action](self.actor, job)
        body: dict[str, Any] = {
            "success": True,
            "job_id": made.job.pk,
            "action": action,
            "previous_status": made.previous,
            "current_status": made.job.status,
            "message": _said(action),
        }
        return self.reply(body)
