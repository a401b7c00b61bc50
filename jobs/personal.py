"""Personal data of jobs: who started them."""

from collections.abc import Iterable

from ajansops.kit.personal import JSON, PersonalData, kept
from jobs.models import Job


def _jobs(user_id: int) -> Iterable[JSON]:
    fields = ("id", "workspace_id", "kind", "status", "created_at", "completed_at", "request_id")
    return Job.objects.filter(user=user_id).order_by("created_at").values(*fields).iterator()


ENTRIES = (PersonalData("jobs.Job", "jobs", "Jobs they started, by id. They stay: they name nobody.", _jobs, kept),)
