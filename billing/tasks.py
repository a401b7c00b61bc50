"""Celery's side: a message that says nothing but "look"."""

from typing import Any

from celery import shared_task

from billing.worker import InboxStep


@shared_task(name="billing.wake", ignore_result=True)
def wake(**_later_arguments: Any) -> None:
    """Runs in the worker's process, where the inbox's loop lives."""
    InboxStep.wake()
