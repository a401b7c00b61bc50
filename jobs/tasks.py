"""Celery's side: a message that says nothing but "look"."""

from typing import Any

from celery import shared_task

from jobs.worker import current_engine


@shared_task(name="jobs.wake", ignore_result=True)
def wake(**_later_arguments: Any) -> None:
    """Runs in the worker's process, where the engine lives."""
    if engine := current_engine():
        engine.wake()
