"""Telling workers that there is work. Messages may be lost or doubled: rows are the truth."""

from typing import Any

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def announce(task: str, **kwargs: Any) -> None:
    """Send `task` by name once the current transaction commits. A broker that is away costs latency, nothing else."""
    transaction.on_commit(lambda: _send(task, kwargs))


def _send(task: str, kwargs: dict[str, Any]) -> None:
    try:
        current_app.send_task(task, kwargs=kwargs, ignore_result=True, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("broker_unreachable", task=task, error=str(error))
