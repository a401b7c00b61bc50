"""Celery: wakes workers, and beat tells them when a periodic task is due. Nothing but latency depends on it."""

import os
from datetime import datetime, timedelta
from typing import Any

from celery import Celery
from celery.schedules import BaseSchedule, schedstate
from celery.signals import setup_logging
from django.conf import settings
from kombu.transport import TRANSPORT_ALIASES

from ajansops.env import Env
from ajansops.kit.clock import now
from ajansops.kit.periodic import tasks
from ajansops.kit.slots import Schedule

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")
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
app.steps["worker"].add("jobs.worker:ClockStep")
app.steps["worker"].add("webhooks.worker:DispatcherStep")
app.steps["worker"].add("billing.worker:InboxStep")


class BeginOfSlot(BaseSchedule):
    """Beat speaks when a slot begins. That it ran, and that it runs once, is for the rows to say (`jobs.periodic`)."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self.schedule = schedule

    def is_due(self, last_run_at: datetime) -> Any:
        """Whether a slot has begun since, and the seconds until the next one does."""
        moment = now()
        return schedstate(self.schedule.current(moment) > last_run_at, self._left(moment).total_seconds())

    def remaining_estimate(self, last_run_at: datetime) -> timedelta:
        """Until the next slot."""
        return self._left(now())

    def _left(self, moment: datetime) -> timedelta:
        return self.schedule.following(moment) - moment

    def __eq__(self, other: object) -> bool:
        return isinstance(other, BeginOfSlot) and other.schedule == self.schedule

    def __hash__(self) -> int:
        return hash(self.schedule)


def schedule() -> None:
    """Put every registered periodic task on beat's schedule; called once all apps are ready."""
    app.conf.beat_schedule = {
        name: {"task": "ajansops.periodic", "schedule": BeginOfSlot(periodic.schedule), "kwargs": {"name": name}}
        for name, periodic in tasks().items()
    }
