"""Jobs and agents on the core surface."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.filters import Exact, OneOf, Search
from ajansops.api.views import CrudViewSet, ListMixin, ReadViewSet, ResourceViewSet, crud
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from jobs.api.serializers import AgentBody, AgentSerializer, JobItemSerializer, JobSerializer
from jobs.models import Agent, ItemState, Job, JobItem
from jobs.services import AGENTS, cancel_job, pause_job, resume_job


class JobViewSet(ReadViewSet):
    """Newest first; `?status=`, `?type=` and `?subject=` narrow."""

    model = Job
    output = JobSerializer
    filters = {"type": Exact("kind"), "subject": Exact("subject")}
    noun = "Job"
    rights = {
        "list": Permission.VIEW_JOB,
        "retrieve": Permission.VIEW_JOB,
        **dict.fromkeys(("pause", "resume", "cancel"), Permission.CHANGE_JOB),
    }
    faults = {"pause": (409,), "resume": (409, 429), "cancel": (409,)}

    def rows(self) -> QuerySet[Any]:
        """By time: their ids do not follow it."""
        return Job.objects.visible_to(self.actor).order_by("-created_at", "-id")

    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Nothing of it starts any more; what is in flight ends. 409 unless it is queued or processing."""
        return self.reply(self.show(pause_job(self.actor, pk).job), message=gettext("Job paused."))

    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """It goes on. 409 unless it is paused, 429 when as many run as may."""
        return self.reply(self.show(resume_job(self.actor, pk).job), message=gettext("Job resumed."))

    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """For good; what is in flight ends. 409 when it has ended already."""
        return self.reply(self.show(cancel_job(self.actor, pk).job), message=gettext("Job cancelled."))


class JobItemViewSet(ListMixin, ResourceViewSet):
    """The items of one job; `?state=failed` for its errors."""

    model = JobItem
    output = JobItemSerializer
    filters = {"state": OneOf("state", ItemState.values), "search": Search(("key",))}
    rights = {"list": Permission.VIEW_JOB}

    def rows(self) -> QuerySet[Any]:
        """In the order they were added."""
        job = Job.objects.visible_to(self.actor).filter(pk=self.kwargs["pk"]).first()
        if job is None:
            raise NotFound
        return job.items.order_by("id")


class AgentViewSet(CrudViewSet):
    """What models are to do by themselves."""

    model, output, input, noun = Agent, AgentSerializer, AgentBody, "Agent"
    create_row, change_row, remove_row = AGENTS.create, AGENTS.update, AGENTS.remove
    filters = {"search": Search(("name",))}
    rights = crud(Permission.VIEW_AGENT, Permission.ADD_AGENT, Permission.CHANGE_AGENT, Permission.DELETE_AGENT)
