"""Starting generation: which texts, for whom, and whether there is room for them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import product as every
from math import prod
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext

from accounts.models import Workspace
from ajansops.ai.contract import ContentType
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import Invalid, NotFound, RateLimited
from ajansops.kit.runners import NewItem
from content import kinds
from content.bulk import Axes, insert_variants
from content.models import Audience, Persona, Product, SpecialDay, Variant, VariantStatus
from content.selectors import quota_of
from jobs.models import Job
from jobs.services import start_job, too_many
from jobs.windows import Room, count_running, room

MAX_VARIANTS = 100_000  # of one job
Row = TypeVar("Row", bound=Model)
Slot = tuple[int, str, int | None, int | None, int | None]  # product, type, persona, audience, special day


class HourlyLimit(RateLimited):
    """Hourly rate limit exceeded"""

    code = "hourly_rate_limit_exceeded"


class DailyLimit(RateLimited):
    """Daily rate limit exceeded"""

    code = "daily_rate_limit_exceeded"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to generate. None selects all products, and all personas and audiences that are defined.

    Special days are only those that are named: they would multiply everything for an occasion months away.
    """

    locale: str
    content_types: Sequence[ContentType] = ()
    product_ids: Collection[int] | None = None
    persona_ids: Collection[int] | None = None
    audience_ids: Collection[int] | None = None
    special_day_ids: Collection[int] | None = None
    only_missing: bool = False
    webhook_url: str = ""  # is told when the job has ended


@dataclass(frozen=True, slots=True)
class Generation:
    """What came of it: a job, or none where there is nothing to do. `window` is what was left before it.

    Products are `found` as named, and `queued` where something is to be made for them.
    """

    job: Job | None
    window: Room
    found: int = 0
    queued: int = 0
    without_pictures: int = 0
    segments: int = 1
    interests: int = 1

    @property
    def units(self) -> int:
        """Variants to write, or products to tag."""
        return self.job.total if self.job else 0


@transaction.atomic
def start_generation(actor: Actor, kind: str, wanted: Wanted) -> Generation:
    """One job of a kind of `kinds.GENERATION`. Raises `RateLimited` when nothing is left of a window."""
    actor.require(kinds.GENERATION[kind])
    for content_type in wanted.content_types:
        actor.require(kinds.GENERATION[kinds.OF_TYPE[content_type]])
    left = check_room(actor)
    return _start(actor, kind, wanted, left)


@transaction.atomic
def start_generations(actor: Actor, wanted: Wanted, *, tags: bool = False) -> list[Job]:
    """One job a kind, all or none; together they count as one against the concurrent limit."""
    plans = [(kinds.OF_TYPE[one], replace(wanted, content_types=[one])) for one in dict.fromkeys(wanted.content_types)]
    plans += [(kinds.TAGS, replace(wanted, content_types=[]))] if tags else []
    for kind, _ in plans:
        actor.require(kinds.GENERATION[kind])
    left = check_room(actor)
    made = [_start(actor, kind, plan, left).job for kind, plan in plans]
    return [job for job in made if job is not None]


def check_room(actor: Actor) -> Room:
    """What is left, or the documented error when that is nothing. Submissions of a workspace wait for each other."""
    Workspace.objects.lock(actor.workspace_id)
    quota, moment = quota_of(actor.workspace_id), now()
    left = room(actor.workspace_id, kinds.METER, quota, moment)
    wait = (left.next_reset_at - moment).total_seconds()
    if not left.daily:
        message = gettext(
            "You have exceeded your daily rate limit of %(limit)s requests. "
            "Please wait until tomorrow or upgrade your plan."
        )
        raise DailyLimit(details=message % {"limit": quota.daily}, retry_after=wait)
    if not left.hourly:
        message = gettext(
            "You have exceeded your hourly rate limit of %(limit)s requests. "
            "Please wait until the next hour or upgrade your plan."
        )
        raise HourlyLimit(details=message % {"limit": quota.hourly}, retry_after=wait)
    if count_running(actor.workspace_id, kinds.METER, moment) >= quota.concurrent:
        raise too_many(quota)
    return left


def _start(actor: Actor, kind: str, wanted: Wanted, left: Room) -> Generation:
    products: QuerySet[Product] = Product.objects.visible_to(actor).live().order_by("pk")
    if wanted.product_ids is not None:
        products = _named(products, wanted.product_ids)
    if kind == kinds.TAGS:
        return _start_tags(actor, wanted, products, left)
    return _start_texts(actor, kind, wanted, products, left)


def _start_tags(actor: Actor, wanted: Wanted, products: QuerySet[Product], left: Room) -> Generation:
    rows = list(products.values_list("pk", "primary_picture", "suggested_tags"))
    meant = [(pk, picture) for pk, picture, suggested in rows if not (wanted.only_missing and suggested)]
    if not meant:
        return Generation(None, left, len(rows))
    items = [NewItem(f"prod_{pk}", {"product": pk}) for pk, _ in meant]
    configuration = {"language": wanted.locale, "products": len(items)}
    job = start_job(actor, kinds.TAGS, items, configuration=configuration, webhook_url=wanted.webhook_url)
    return Generation(job, left, len(rows), len(items), sum(not picture for _, picture in meant))


def _start_texts(actor: Actor, kind: str, wanted: Wanted, products: QuerySet[Product], left: Room) -> Generation:
    personas = _readers(Persona.objects.visible_to(actor), wanted.persona_ids)
    audiences = _readers(Audience.objects.visible_to(actor), wanted.audience_ids)
    days = _readers(SpecialDay.objects.visible_to(actor), wanted.special_day_ids or None, default_all=False)
    types = [one.value for one in dict.fromkeys(wanted.content_types)]
    axes = Axes(list(products.values_list("pk", flat=True)), types, personas, audiences, days)
    if prod(map(len, axes)) > MAX_VARIANTS:
        message = gettext("One job generates at most %(limit)d variants. Name fewer products.")
        raise Invalid(errors={"product_ids": [message % {"limit": MAX_VARIANTS}]})
    variants = _variants(actor, wanted, products, axes)
    if not variants:
        return Generation(None, left, len(axes.products))
    items = [NewItem(_key(slot), {"product": slot[0], "variant": pk}) for slot, pk in variants.items()]
    queued = len({slot[0] for slot in variants})
    configuration = {
        "content_types": types,
        "language": wanted.locale,
        "products": queued,
        "segments_count": len(personas),
        "interests_count": len(audiences),
    }
    job = start_job(actor, kind, items, configuration=configuration, webhook_url=wanted.webhook_url)
    return Generation(job, left, len(axes.products), queued, segments=len(personas), interests=len(audiences))


def _variants(actor: Actor, wanted: Wanted, products: QuerySet[Product], axes: Axes) -> dict[Slot, int]:
    """The rows of the slots, made where there is none. What was written stays in sight until it is written again."""
    insert_variants(actor.workspace_id, wanted.locale, axes)
    rows = Variant.objects.visible_to(actor).filter(
        product__in=products.order_by(), content_type__in=axes.types, language=wanted.locale
    )
    if wanted.only_missing:
        rows = rows.unwritten()
    fields = ("product_id", "content_type", "persona_id", "audience_id", "special_day_id")
    found = {row[:5]: row[5:] for row in rows.values_list(*fields, "pk", "status")}
    chosen = {slot: found[slot] for slot in every(*axes) if slot in found}
    failed = [pk for pk, status in chosen.values() if status == VariantStatus.FAILED]
    Variant.objects.filter(pk__in=failed).update(status=VariantStatus.WAITING, error="", updated_at=now())
    return {slot: pk for slot, (pk, _) in chosen.items()}


def _key(slot: Slot) -> str:
    product, content_type, *readers = slot
    return "/".join([f"prod_{product}", content_type, *(str(one or 0) for one in readers)])


def _readers(rows: QuerySet[Any], ids: Collection[int] | None, *, default_all: bool = True) -> list[int | None]:
    """Ids of the rows meant; [None], the reader nobody described, when there are none."""
    if ids:
        rows = _named(rows, ids)
    elif not default_all:
        return [None]
    return list(rows.order_by("pk").values_list("pk", flat=True)) or [None]


def _named(rows: QuerySet[Row], ids: Collection[int]) -> QuerySet[Row]:
    """Those rows; `NotFound` unless every one of them is there."""
    named = rows.filter(Q(pk__in=set(ids)))
    if named.count() != len(set(ids)):
        raise NotFound
    return named
