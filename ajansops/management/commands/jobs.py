"""`manage.py jobs`: what runs, how far it is, and control of it."""

import sys
import time
from argparse import ArgumentParser
from contextlib import nullcontext
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet

from accounts.actors import operator
from ajansops.demo.display import display
from ajansops.kit.clock import iso
from ajansops.management.operators import OperatorCommand, workspace_called
from jobs.api.serializers import JobItemSerializer, JobSerializer
from jobs.models import ItemState, Job, JobStatus
from jobs.services import CONTROLS

FAILED_SHOWN = 10
LOOKS_SECONDS = 0.5  # between two looks at a job that is waited for
UNSUCCESSFUL, TOO_LATE = 1, 3  # exit statuses; 2 is a wrong usage
WAITABLE = ("show", "resume", "requeue")
HELP = {
    "show": "one job with its counts and the first items that failed",
    "pause": "start no more items; those in flight end",
    "resume": "go on with a paused job",
    "cancel": "end a job; items in flight still end and count",
    "requeue": "try again what failed, and go on with a cancelled job",
}


class Command(OperatorCommand):
    help = (
        "List, show, pause, resume, cancel and requeue jobs. Exit status 1 when refused, and with --wait when the job "
        "failed or was cancelled; 3 when --timeout came first."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="newest first")
        listing.add_argument("--workspace", metavar="SLUG")
        listing.add_argument("--status", choices=JobStatus.values)
        listing.add_argument("--kind")
        listing.add_argument("--limit", type=_positive, default=20)
        super().add_arguments(listing)
        for action, says in HELP.items():
            one = actions.add_parser(action, help=says)
            one.add_argument("job", metavar="ID")
            if action in WAITABLE:
                one.add_argument("--wait", action="store_true", help="follow it to its end")
                one.add_argument("--timeout", type=_positive, metavar="SECONDS", help="of --wait: exit status 3 then")
            super().add_arguments(one)

    def act(self, *, action: str, **options: Any) -> tuple[Any, str]:
        """What is shown is as core shows it."""
        if action == "list":
            return _list(**options)
        job = _called(options["job"])
        head = ""
        if action != "show":
            made = CONTROLS[action](operator(job.workspace_id), job.pk)
            head = f"{job.pk} was {made.previous} and is {made.job.status}."
        if options.get("wait"):
            self._follow(job, options["timeout"], shown=not options["json"])
        elif head:
            return _data(_called(job.pk)), head
        return _shown(_called(job.pk))

    def execute(self, *args: Any, **options: Any) -> Any:
        """With `--wait` the exit status says how the job has ended."""
        said = super().execute(*args, **options)
        if options.get("wait") and _called(options["job"]).status != JobStatus.COMPLETED:
            sys.exit(UNSUCCESSFUL)
        return said

    def _follow(self, job: Job, timeout: float | None, *, shown: bool) -> None:
        """Raises `CommandError` when it has not ended in time; a paused job is waited for like any other."""
        deadline = time.monotonic() + timeout if timeout else None
        with display("failed") if shown else nullcontext() as board:
            while True:
                job = _called(job.pk)
                if board:
                    board.show(job.pk, _data(job))
                if job.is_final:
                    return
                if deadline and time.monotonic() >= deadline:
                    raise CommandError(f"{job.pk} is still {job.status} after {timeout:g} s.", returncode=TOO_LATE)
                time.sleep(LOOKS_SECONDS)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


_positive.__name__ = "positive number"  # as argparse words its error


def _called(job_id: str) -> Job:
    job: Job | None = Job.objects.select_related("workspace").filter(pk=job_id).first()
    if job is None:
        raise CommandError(f"There is no job {job_id!r}.")
    return job


def _list(*, workspace: str | None, status: str | None, kind: str | None, limit: int, **_: Any) -> tuple[Any, str]:
    rows: QuerySet[Job] = Job.objects.select_related("workspace").order_by("-created_at", "-id")
    if workspace:
        rows = rows.filter(workspace=workspace_called(workspace))
    if status:
        rows = rows.filter(status=status)
    if kind:
        rows = rows.filter(kind=kind)
    jobs = list(rows[:limit])
    lines = [f"{job.pk:<44} {job.workspace.slug:<16} {_state(job)}" for job in jobs]
    return [_data(job) for job in jobs], "\n".join(lines) or "No jobs."


def _shown(job: Job) -> tuple[Any, str]:
    failed = list(job.items.filter(state=ItemState.FAILED).order_by("id")[:FAILED_SHOWN])
    data = _data(job) | {"failed_items": [dict(JobItemSerializer(item).data) for item in failed]}
    lines = [
        f"{job.pk}  {job.kind}, {job.workspace.slug}",
        _state(job),
        *(f"{name:<10} {iso(moment)}" for name, moment in _moments(job).items() if moment),
        *([f"error      {_reason(job.error)}"] if job.error else []),
        *([f"Failed, the first {len(failed)} of {job.failed}:"] if failed else []),
        *(f"  {item.key}: {_reason(item.error)}" for item in failed),
    ]
    return data, "\n".join(lines)


def _data(job: Job) -> dict[str, Any]:
    return {**JobSerializer(job).data, "workspace": job.workspace.slug}


def _state(job: Job) -> str:
    failed = f", {job.failed} failed" if job.failed else ""
    waits = f", waits until {iso(job.resumes_at)}" if job.resumes_at and not job.is_final else ""
    return f"{job.status}, {job.done + job.failed} of {job.total}{failed}{waits}"


def _moments(job: Job) -> dict[str, Any]:
    return {"created": job.created_at, "started": job.started_at, "completed": job.completed_at}


def _reason(error: dict[str, Any] | None) -> str:
    return str((error or {}).get("message", ""))
