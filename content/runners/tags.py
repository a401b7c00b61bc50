"""Suggested tags of one product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ajansops.ai.contract import Image, Tagged, TagTask
from ajansops.ai.offline.pictures import BadPicture
from ajansops.kit.entitlements import Feature
from ajansops.kit.net import Client, Limits, NetError, open_client
from ajansops.kit.runners import JSON, Item, ItemFailed, News, Quota, Runner, Saved
from content.facts import tag_task, without
from content.kinds import METER, TAGS
from content.models import Product
from content.runners.usage import usage_json
from content.selectors import quota_of
from jobs.providers import Providers, paid_provider

# A picture that is slow or huge costs its product the picture, not the job its time.
PICTURE_LIMITS = Limits(total_seconds=10, max_body=10 * 2**20)


@dataclass(frozen=True, slots=True)
class Subject:
    """What there is to tag by."""

    task: TagTask
    picture: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Tags, who made them, and why the picture did not help; empty when it did."""

    tagged: Tagged
    provider: str
    no_picture: str


class TagRunner(Runner[Subject, Suggestion]):
    """From the picture and the text; from the text alone where the picture cannot be had."""

    kind = TAGS
    meter = METER
    feature = Feature.GENERATIONS

    def __init__(self) -> None:
        self._providers = Providers()
        self._client: Client | None = None

    def load(self, items: Sequence[Item]) -> Mapping[int, Subject]:
        """A product that was deleted is left out."""
        ids = {item.payload["product"] for item in items}
        workspaces = {item.job.workspace_id for item in items}
        products = Product.objects.live().filter(workspace_id__in=workspaces).in_bulk(ids)
        found = [(item, products.get(item.payload["product"])) for item in items]
        return {
            item.id: Subject(tag_task(product, item.job.configuration["language"]), product.primary_picture)
            for item, product in found
            if product is not None and product.workspace_id == item.job.workspace_id
        }

    async def work(self, item: Item, given: Subject) -> Suggestion:
        """A picture that is missing or broken is no reason to try again: the text says enough."""
        provider = self._providers.get(test_mode=item.job.test_mode)
        image, reason = await self._picture(given.picture)
        try:
            tagged = await provider.tag(replace(given.task, image=image))
        except BadPicture as error:
            reason = error.message
            tagged = await provider.tag(given.task)
        return Suggestion(tagged, provider.name, reason)

    def save(self, item: Item, output: Suggestion) -> Saved:
        """In place of earlier suggestions, less what the product has as a tag."""
        rows = Product.objects.live().filter(pk=item.payload["product"], workspace_id=item.job.workspace_id)
        product = rows.select_for_update().first()
        if product is None:
            raise ItemFailed("The product was deleted while it was tagged.")
        suggested = without(output.tagged.tags, product.tags)
        news = []
        if suggested != product.suggested_tags:
            product.suggested_tags = suggested
            product.save(update_fields=["suggested_tags", "updated_at"])
            news = [News("product.updated", Product, product.pk)]
        told: JSON = {"picture": "used"}
        if output.no_picture:
            told = {"picture": "not_available", "reason": output.no_picture}
        usage = usage_json(output.tagged.usage)
        return Saved({"provider": output.provider, "tags": suggested, **told, **usage}, news=news)

    def provider(self, *, test_mode: bool) -> str:
        """The configured one."""
        return paid_provider(test_mode=test_mode)

    def quota(self, workspace_id: int) -> Quota:
        """Of the workspace's plan."""
        return quota_of(workspace_id)

    async def aclose(self) -> None:
        """The next engine opens its own."""
        await self._providers.aclose()
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _picture(self, url: str) -> tuple[Image | None, str]:
        """The image, or the reason why there is none."""
        if not url:
            return None, "The product has no picture."
        try:
            answer = await self._fetcher().get(url, headers={"accept": "image/*"}, limits=PICTURE_LIMITS)
        except NetError as error:
            return None, error.message
        if answer.status != 200:
            return None, f"The address answered with status {answer.status}."
        if not answer.media_type.startswith("image/"):
            return None, "What the address answered is no picture."
        return Image(answer.body, answer.media_type), ""

    def _fetcher(self) -> Client:
        if self._client is None:
            self._client = open_client()
        return self._client
