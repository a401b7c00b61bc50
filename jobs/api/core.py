"""Jobs on the core surface."""

from typing import Any

from django.db.models import QuerySet

from ajansops.api.views import ListMixin, ReadViewSet, ResourceViewSet
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from jobs.api.serializers import JobItemSerializer, JobSerializer
from jobs.models import Job, JobItem


class JobViewSet(ReadViewSet):
    """Newest first; `?status=`, `?type=` and `?subject=` narrow."""

    model = Job
    output = JobSerializer
    noun = "Job"
    rights = {"list": Permission.VIEW_JOB, "retrieve": Permission.VIEW_JOB}

    def rows(self) -> QuerySet[Any]:
        """Filtered by what the query names."""
        rows = Job.objects.visible_to(self.actor).order_by("-created_at", "-id")
        named = {"status": "status", "type": "kind", "subject": "subject"}
        given = {field: self.request.query_params.get(name) for name, field in named.items()}
        return rows.filter(**{field: value for field, value in given.items() if value})


class JobItemViewSet(ListMixin, ResourceViewSet):
    """The items of one job; `?state=failed` for its errors."""

    model = JobItem
    output = JobItemSerializer
    rights = {"list": Permission.VIEW_JOB}

    def rows(self) -> QuerySet[Any]:
        """In the order they were added."""
        job = Job.objects.visible_to(self.actor).filter(pk=self.kwargs["pk"]).first()
        if job is None:
            raise NotFound
        state = self.request.query_params.get("state")
        return job.items.filter(state=state) if state else job.items.all()
