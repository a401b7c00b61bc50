"""Periodic tasks by name: beat, `/api/cron/<name>` and commands run the same functions. Each is idempotent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ajansops.kit.errors import NotFound
from ajansops.kit.slots import Schedule


@dataclass(frozen=True, slots=True)
class Periodic:
    """`run` answers with what it did, for people. `jobs.periodic` runs it, once in each slot of the schedule."""

    name: str
    schedule: Schedule
    run: Callable[[], dict[str, int]]


_TASKS: dict[str, Periodic] = {}


def register(task: Periodic) -> None:
    """Called from `AppConfig.ready`."""
    _TASKS[task.name] = task


def tasks() -> Mapping[str, Periodic]:
    """All of them."""
    return _TASKS


def task(name: str) -> Periodic:
    """Raises `NotFound`."""
    try:
        return _TASKS[name]
    except KeyError:
        raise NotFound from None
