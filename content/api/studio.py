"""Content on the studio surface, each body as its reference shows it."""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.ai.contract import ContentType
from ajansops.api.pagination import WHOLE, Page
from ajansops.api.serializers import AnyId
from ajansops.api.targets import look_up
from ajansops.api.views import SurfaceView
from ajansops.kit.clock import iso_ms, now
from ajansops.kit.errors import NotFound
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import RETRIES
from content import kinds
from content.api.answers import (
    ContentQueuedSerializer,
    InventorySerializer,
    JobStatusSerializer,
    NothingQueuedSerializer,
    QueuedSerializer,
    TagsQueuedSerializer,
    VariantsSerializer,
)
from content.api.serializers import WantedBody, product_number
from content.api.wanted import wanted
from content.models import Product, Variant
from content.selectors import progress
from content.services.generation import Generation, start_generation
from jobs.models import Job
from jobs.windows import Room

MAX_LISTED = 1000  # products in a list that does not ask for a page
BATCH = 10  # products, as the reference's configuration says
SECONDS_A_BATCH = 20
DEFAULT_PERSONA = "SIMPLE_VISITOR"
# By content type: the list it stands in, and what its id is called.
LISTS = {
    "description": ("descriptionVariants", "productDescriptionId"),
    "title": ("titleVariants", "productTitleId"),
    "google_feed": ("googleFeedVariants", "productGoogleFeedId"),
}


class InventoryProducts(SurfaceView):
    """The workspace's products: the first thousand, or the page that `?page=` and `?per_page=` ask for."""

    rights = {"get": Permission.VIEW_PRODUCT}
    answers = {"get": {200: InventorySerializer}}
    queries = {"get": {"page": WHOLE, "per_page": WHOLE}}

    def get(self, request: Request) -> Response:
        """Oldest first."""
        started = time.monotonic()
        rows = Product.objects.visible_to(self.actor).live().order_by("pk")
        if {"page", "per_page"} & request.query_params.keys():
            page = Page(rows, request)
            products, total = [_product(row) for row in page.rows], page.total
        else:
            products, total = [_product(row) for row in rows[:MAX_LISTED]], rows.count()
        metadata = {
            "processing_time_ms": round((time.monotonic() - started) * 1000),
            "workspace_id": self.actor.workspace_id,
            "total_products": total,
            "data_optimized": True,
        }
        return self.reply({"products": products, "total_count": total, "_metadata": metadata})


class InventoryVariants(SurfaceView):
    """What was, or waits to be, written about one product."""

    rights = {"get": Permission.VIEW_VARIANT}
    answers = {"get": {200: VariantsSerializer}}

    def get(self, request: Request, product: str) -> Response:
        """By content type, oldest first."""
        row = Product.objects.visible_to(self.actor).live().filter(pk=product_number(product)).first()
        if row is None:
            raise NotFound
        lists: dict[str, list[Any]] = {name: [] for name, _ in LISTS.values()}
        for variant in row.variants.select_related("persona", "audience", "special_day").order_by("pk"):
            name, id_name = LISTS[variant.content_type]
            lists[name].append(_variant(variant, id_name))
        message = gettext("Retrieved all variants for product %(title)s") % {"title": row.title}
        head = {"success": True, "message": message, "inventoryProductId": row.pk, "productName": row.title}
        return self.reply({**head, "tags": row.tags, **lists, "retrievedAt": iso_ms(now())})


class StudioBody(WantedBody):
    """`workspace_id` is the caller's own, or `prod_12`, which selects that product."""

    workspace_id = AnyId(max_length=40, required=False)
    webhook_url = serializers.CharField(max_length=2048, allow_blank=True, default="")


class Generate(SurfaceView, abstract=True):
    """Start a job of one kind."""

    kind: ClassVar[str]
    body: ClassVar[type[StudioBody]]
    answers: ClassVar[Any] = {"post": {202: QueuedSerializer, 200: NothingQueuedSerializer}}

    def ahead(self) -> None:
        """The name in the address is looked up."""
        look_up(self.request.data, "webhook_url")

    def post(self, request: Request) -> Response:
        """202 with the job; 200 with a warning when no product matches."""
        body = self.parsed(self.body)
        self._select(body)
        made = start_generation(self.actor, self.kind, wanted(self.actor, body, self.types(body)))
        if made.job is None:
            return self.reply(_nothing(made, self.warning() if not made.found else gettext("Nothing is missing")))
        return self.reply(_queued(made, made.job) | self.extras(made), status=202)

    def types(self, body: dict[str, Any]) -> Sequence[str]:
        """The content types the body asks for."""
        return ()

    def warning(self) -> str:
        """Why nothing was started."""
        return gettext("No products found for content generation")

    def extras(self, made: Generation) -> dict[str, Any]:
        """What this endpoint shows beside the others."""
        return {}

    def _select(self, body: dict[str, Any]) -> None:
        """Raises `NotFound` for a workspace that is not the caller's."""
        given = body.get("workspace_id", str(self.actor.workspace_id))
        if given.startswith("prod_"):
            body["product_ids"] = [product_number(given) or 0, *(body["product_ids"] or ())]
        elif given != str(self.actor.workspace_id):
            raise NotFound


def _types(default: ContentType, known: Sequence[str]) -> serializers.ListField:
    child = serializers.ChoiceField(list(known))
    return serializers.ListField(child=child, min_length=1, required=False, default=[default])


class ContentBody(StudioBody):
    """Any of the texts."""

    content_types = _types(ContentType.DESCRIPTION, list(ContentType))


class TitleBody(StudioBody):
    """Titles."""

    title_types = _types(ContentType.TITLE, [ContentType.TITLE])


class FeedBody(StudioBody):
    """Feed texts."""

    googlefeed_types = _types(ContentType.GOOGLE_FEED, [ContentType.GOOGLE_FEED])


class TagGenerationBody(StudioBody):
    """Tags."""

    mode = serializers.ChoiceField(["auto"], default="auto")


class GenerateContent(Generate):
    """Descriptions, or any of the texts."""

    rights = {"post": Permission.GENERATE_CONTENT}
    kind = kinds.CONTENT
    answers = {"post": {202: ContentQueuedSerializer, 200: NothingQueuedSerializer}}
    body = ContentBody

    def types(self, body: dict[str, Any]) -> Sequence[str]:
        """As named."""
        return list(body["content_types"])

    def extras(self, made: Generation) -> dict[str, Any]:
        """How it will be worked on."""
        return {"processing_config": {"mode": "background", "estimated_batches": _batches(made)}}


class GenerateTitle(Generate):
    """Titles."""

    rights = {"post": Permission.GENERATE_TITLES}
    kind = kinds.TITLE
    body = TitleBody

    def types(self, body: dict[str, Any]) -> Sequence[str]:
        """There is one."""
        return list(body["title_types"])


class GenerateFeed(Generate):
    """Texts for Google's feed."""

    rights = {"post": Permission.GENERATE_FEEDS}
    kind = kinds.GOOGLE_FEED
    body = FeedBody

    def types(self, body: dict[str, Any]) -> Sequence[str]:
        """There is one."""
        return list(body["googlefeed_types"])


class GenerateTags(Generate):
    """Tags from pictures."""

    rights = {"post": Permission.GENERATE_TAGS}
    kind = kinds.TAGS
    answers = {"post": {202: TagsQueuedSerializer, 200: NothingQueuedSerializer}}
    body = TagGenerationBody

    def warning(self) -> str:
        """As documented."""
        return gettext("No products found for tagging")

    def extras(self, made: Generation) -> dict[str, Any]:
        """As the documented answer for no products, with the real numbers."""
        config = {"mode": "background", "batch_size": BATCH, "estimated_batches": _batches(made)}
        return {
            "products_without_images": made.without_pictures,
            "results": [],
            "processing_config": config,
            "messages": [],
        }


class JobStatusView(SurfaceView):
    """How far a job of the workspace is, of whatever kind."""

    rights = {"get": Permission.VIEW_JOB}
    answers = {"get": {200: JobStatusSerializer}}

    def get(self, request: Request, job: str) -> Response:
        """In products."""
        row = Job.objects.visible_to(self.actor).filter(pk=job).first()
        if row is None:
            raise NotFound
        return self.reply(_status(row))


def _product(row: Product) -> dict[str, Any]:
    return {
        "id": f"prod_{row.pk}",
        "sku_id": row.sku,
        "title": row.title,
        "description": row.description,
        "categories": row.categories,
        "pictures": row.pictures,
        "primary_picture": row.primary_picture,
        "tags": row.tags,
        "suggested_tags": row.suggested_tags,
        "workspace_id": row.workspace_id,
        "created_at": iso_ms(row.created_at),
        "updated_at": iso_ms(row.updated_at),
        "deleted": row.deleted_at is not None,
        "has_suggested_tags": bool(row.suggested_tags),
        "ready_for_tagging": bool(row.primary_picture),
    }


def _variant(row: Variant, id_name: str) -> dict[str, Any]:
    return {
        "uid": str(row.uid),
        id_name: row.product_id,
        "workspacePersonaId": row.persona_id or 0,
        "specialDayId": row.special_day_id or 0,
        "baseAudienceId": row.audience_id or 0,
        "body": row.body,
        "language": row.language,
        "status": row.status,
        "createdAt": iso_ms(row.created_at),
        "updatedAt": iso_ms(row.updated_at),
        "personaName": row.persona.name if row.persona else DEFAULT_PERSONA,
        "specialDayName": row.special_day.name if row.special_day else "",
        "audienceName": row.audience.name if row.audience else "",
    }


def _window(left: Room) -> dict[str, Any]:
    return {
        "hourly_remaining": left.hourly,
        "daily_remaining": left.daily,
        "next_reset_at": iso_ms(left.next_reset_at),
    }


def _batches(made: Generation) -> int:
    return -(-made.queued // BATCH)


def _queued(made: Generation, job: Job) -> dict[str, Any]:
    seconds = -(-made.units // BATCH) * SECONDS_A_BATCH
    return {
        "job_id": job.pk,
        "processing_mode": "async",
        "status": job.status,
        "estimated_completion": iso_ms(now() + timedelta(seconds=seconds)),
        "status_url": f"/jobs/{job.pk}/status",
        "products_found": made.found,
        "products_queued": made.queued,
        "rate_limit_info": _window(made.window),
        "rate_limit_estimate": {
            "total_variants_to_generate": made.units,
            "rate_limit_requests_needed": made.units,
            "segments_count": made.segments,
            "interests_count": made.interests,
        },
    }


def _nothing(made: Generation, warning: str) -> dict[str, Any]:
    return {
        "job_id": f"no_products_{int(now().timestamp() * 1000)}",
        "processing_mode": "sync",
        "products_found": made.found,
        "products_queued": 0,
        "products_without_images": 0,
        "results": [],
        "rate_limit_info": _window(made.window),
        "processing_config": {"mode": "none", "batch_size": 0, "estimated_batches": 0},
        "messages": [{"type": "warning", "message": warning}],
    }


def _status(job: Job) -> dict[str, Any]:
    done = progress(job)
    counts = {
        "total_products": done.total,
        "processed_products": done.processed,
        "success_products": done.processed - done.failed,
        "failed_products": done.failed,
        "percentage": job.percentage,
    }
    timing = {name: iso_ms(getattr(job, name)) for name in ("created_at", "started_at", "completed_at")}
    if job.resumes_at and job.resumes_at > now():
        timing["resumes_at"] = iso_ms(job.resumes_at)
    return {
        "job_id": job.pk,
        "job_type": job.kind,
        "status": job.status,
        "processing_mode": "async",
        "workspace_id": job.workspace_id,
        "brand_id": str(job.workspace_id),
        "progress": counts,
        "timing": timing,
        "configuration": {
            "processing_mode": "async",
            "batch_size": BATCH,
            "retry_limit": RETRIES,
            "webhook_configured": bool(job.webhook_url),
        },
    } | ({"error": job.error} if job.error else {})
