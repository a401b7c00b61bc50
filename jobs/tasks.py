"""Celery's side: messages that say nothing but "look"."""

from typing import Any

from celery import shared_task

from jobs.periodic import run_due
from jobs.worker import EngineStep


@shared_task(name="jobs.wake", ignore_result=True)
def wake(**_later_arguments: Any) -> None:
    """Runs in the worker's process, where the engine lives."""
    EngineStep.wake()


@shared_task(name="ajansops.periodic", ignore_result=True)
def run_periodic(name: str, **_later_arguments: Any) -> None:
    """A slot of this task has begun, says beat."""
    run_due(name)
