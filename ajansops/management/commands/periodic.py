"""`manage.py periodic list|run`: what runs again and again, when it last did, and how to have it now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from ajansops.kit.clock import iso, now
from ajansops.kit.periodic import Periodic, task, tasks
from ajansops.management.operators import OperatorCommand
from jobs.models import PeriodicRun
from jobs.periodic import run_now


class Command(OperatorCommand):
    help = "List the periodic tasks with their last run and next slot, or run one now, whatever its schedule says."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["list", "run"])
        parser.add_argument("name", metavar="NAME", nargs="?", help="of the task to run")
        super().add_arguments(parser)

    def act(self, *, action: str, name: str | None, **_options: Any) -> tuple[Any, str]:
        """A run that fails, or that is running already, is refused."""
        if action == "list":
            told = [_told(one) for one in tasks().values()]
            return told, "\n".join(_line(one) for one in told)
        if name is None:
            raise CommandError("Which? `manage.py periodic list` has the names.")
        return _run(task(name))


def _run(one: Periodic) -> tuple[Any, str]:
    ran = run_now(one)
    if ran is None:
        raise CommandError(f"{one.name} is running already.")
    if ran.error:
        raise CommandError(f"{one.name} failed: {ran.error}") from ran.error
    return {"name": one.name, "result": ran.result}, f"{one.name}: {ran.result}"


def _told(one: Periodic) -> dict[str, Any]:
    last = PeriodicRun.objects.filter(task=one.name).order_by("-slot").first()
    run = last and {
        "slot": iso(last.slot),
        "started_at": iso(last.started_at),
        "finished_at": iso(last.finished_at),
        "result": last.result,
        "error": last.error,
    }
    following = one.schedule.following(now())
    return {"name": one.name, "schedule": str(one.schedule), "next": iso(following), "last": run}


def _line(told: dict[str, Any]) -> str:
    last = told["last"]
    if last is None:
        state = "has never run"
    elif last["error"]:
        state = f"failed at {last['started_at']}: {last['error']['message']}"
    elif last["finished_at"]:
        state = f"ran at {last['started_at']}: {last['result']}"
    else:
        state = f"started at {last['started_at']}"
    return f"{told['name']:<18} {told['schedule']:<14} next {told['next']}  {state}"
