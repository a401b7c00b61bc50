"""Reads of content: what a workspace has and may make, and how far a job is with its products."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Q
from django.db.models.fields.json import KT

from accounts.models import Workspace
from ajansops.kit.counting import total_of
from ajansops.kit.runners import Quota
from billing.selectors import plan_of
from content.models import Post, Product
from jobs.models import ItemState, Job

ENV_NAMES = {"standard": "standard", "professional": "prof", "enterprise": "ent"}


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a job, in products. One is processed when nothing of it is left to do, and failed when some of it failed."""

    total: int
    processed: int
    failed: int


def quota_of(workspace_id: int) -> Quota:
    """By the studio part of the plan; settable by RATE_LIMIT_*."""
    name = ENV_NAMES[plan_of(workspace_id).studio]
    return Quota(*(getattr(settings.ENV, f"rate_limit_{name}_{what}") for what in ("hourly", "daily", "concurrent")))


def count_posts(workspace_id: int) -> int:
    """Whatever their status."""
    return total_of(Post.objects.filter(workspace_id=workspace_id), workspace_id)


def count_products(workspace_id: int) -> int:
    """Without the deleted ones."""
    return total_of(Product.objects.live().filter(workspace_id=workspace_id), workspace_id)


def locale_of(workspace_id: int) -> str:
    """The workspace's own language, such as tr-TR."""
    return str(Workspace.objects.get(pk=workspace_id).settings["locale"])


def progress(job: Job) -> Progress:
    """From the counters where an item is a product, else from the items, as long as they are kept."""
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
    return Progress(**counted) if counted["total"] else Progress(job.total, job.done + job.failed, job.failed)
