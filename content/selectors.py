"""Reads of generation: what is left of the windows, and how far a job is with its products."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.fields.json import KT

from accounts.models import Workspace
from ajansops.kit.clock import now
from billing.selectors import plan_of
from content.kinds import GENERATION
from jobs.models import ItemState, Job, JobItem, JobStatus

ENV_NAMES = {"standard": "standard", "professional": "prof", "enterprise": "ent"}
RUNNING = (JobStatus.QUEUED, JobStatus.PROCESSING)


@dataclass(frozen=True, slots=True)
class Limits:
    """Units an hour and a day, and generation jobs at a time."""

    hourly: int
    daily: int
    concurrent: int


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of this calendar hour and day, UTC. One unit is one generated variant or tagged product."""

    limits: Limits
    hourly_remaining: int
    daily_remaining: int
    next_reset_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a job, in products. One is processed when nothing of it is left to do, and failed when some of it failed."""

    total: int
    processed: int
    failed: int


def limits_of(workspace_id: int) -> Limits:
    """By the studio part of the plan; settable by RATE_LIMIT_*."""
    name = ENV_NAMES[plan_of(workspace_id).studio]
    return Limits(*(getattr(settings.ENV, f"rate_limit_{name}_{what}") for what in ("hourly", "daily", "concurrent")))


def window(workspace_id: int) -> Window:
    """At this moment. The units are counted where they were made, so they cannot drift."""
    limits, moment = limits_of(workspace_id), now()
    hour = moment.replace(minute=0, second=0, microsecond=0)
    day = hour.replace(hour=0)
    done = JobItem.objects.filter(
        job__workspace_id=workspace_id, job__kind__in=GENERATION, state=ItemState.DONE, finished_at__gte=day
    ).aggregate(day=Count("pk"), hour=Count("pk", filter=Q(finished_at__gte=hour)))
    daily = max(0, limits.daily - done["day"])
    return Window(
        limits,
        hourly_remaining=min(daily, max(0, limits.hourly - done["hour"])),
        daily_remaining=daily,
        next_reset_at=hour + timedelta(hours=1) if daily else day + timedelta(days=1),
    )


def running_jobs(workspace_id: int) -> int:
    """Generation jobs that count against the concurrent limit: paused ones do not."""
    return Job.objects.filter(workspace_id=workspace_id, kind__in=GENERATION, status__in=RUNNING).count()


def locale_of(workspace_id: int) -> str:
    """The workspace's own language, such as tr-TR."""
    return str(Workspace.objects.get(pk=workspace_id).settings["locale"])


def progress(job: Job) -> Progress:
    """From the counters where an item is a product, else from the items."""
    if job.configuration.get("products", job.total) == job.total:
        return Progress(job.total, job.done + job.failed, job.failed)
    products = (
        job.items.order_by()
        .values(of=KT("payload__product"))
        .annotate(
            open=Count("pk", filter=Q(state__in=[ItemState.PENDING, ItemState.RUNNING])),
            bad=Count("pk", filter=Q(state=ItemState.FAILED)),
        )
    )
    counted = products.aggregate(
        total=Count("of"), processed=Count("of", filter=Q(open=0)), failed=Count("of", filter=Q(open=0, bad__gt=0))
    )
    return Progress(**counted)
