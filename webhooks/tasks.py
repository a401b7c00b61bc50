"""Celery's side: a message that says nothing but "look"."""

from typing import Any

from celery import shared_task

from webhooks.worker import DispatcherStep


@shared_task(name="webhooks.wake", ignore_result=True)
def wake(**_later_arguments: Any) -> None:
    """Runs in the worker's process, where the dispatcher lives."""
    DispatcherStep.wake()
