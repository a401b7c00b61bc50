"""Celery: wakes workers and runs the few periodic tasks. Nothing but latency depends on it."""

import os
from typing import Any

import structlog
from celery import Celery
from celery.signals import setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from ajansops.env import Env
from ajansops.kit.periodic import task, tasks

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")
log = structlog.get_logger(__name__)
TRANSPORT_ALIASES["files"] = "ajansops.filebroker:Transport"

TIMEOUT = {"socket_timeout": 2, "socket_connect_timeout": 2}


def broker_options(url: str, env: Env) -> dict[str, Any]:
    """So that a broker that hangs never hangs a request; and the folders of the embedded one."""
    if url.startswith("redis"):
        return TIMEOUT | {"visibility_timeout": 600, "unacked_restore_interval": 5, "unacked_restore_throttle": 1}
    if url.startswith("files"):
        folder = env.var_dir / "broker"
        return {
            "data_folder_in": str(folder / "queue"),
            "data_folder_out": str(folder / "queue"),
            "control_folder": str(folder / "control"),
            "processed_folder": str(folder / "processed"),
            "store_processed": True,  # kept beside the queue: moving to another file system would not be atomic
            "polling_interval": 0.1,
        }
    return {"connect_timeout": 2, "read_timeout": 2, "write_timeout": 2}


app = Celery("ajansops")
app.conf.update(
    broker_url=settings.BROKER_URL,
    broker_transport_options=broker_options(settings.BROKER_URL, settings.ENV),
    broker_connection_retry_on_startup=True,
    task_publish_retry=False,
    task_ignore_result=True,
    task_acks_late=True,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_schedule_filename=str(settings.VAR_DIR / "beat-schedule"),
)
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody listens here."""


app.steps["worker"].add("jobs.worker:EngineStep")


@app.task(name="ajansops.periodic", ignore_result=True)
def run_periodic(name: str, **_later_arguments: Any) -> None:
    """One of `kit.periodic`'s tasks."""
    did = task(name).run()
    log.info("periodic_done", task=name, **did)


def schedule() -> None:
    """Put every registered periodic task on beat's schedule; called once all apps are ready."""
    app.conf.beat_schedule = {
        name: {"task": "ajansops.periodic", "schedule": float(periodic.every_seconds), "kwargs": {"name": name}}
        for name, periodic in tasks().items()
    }
