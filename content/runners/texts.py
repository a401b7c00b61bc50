"""One text of one product."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ajansops.ai.contract import Provider, Usage, WriteTask
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature
from ajansops.kit.events import tell
from ajansops.kit.runners import Item, ItemFailed, JobView, NewItem, News, Quota, Runner, Saved
from content.facts import write_task
from content.kinds import METER
from content.models import Brand, Variant, VariantRevision, VariantStatus
from content.policy import cleaned, complaints
from content.runners.usage import summed, usage_json
from content.selectors import quota_of
from jobs.models import ItemState, JobItem
from jobs.providers import Providers, paid_provider

MARK_AT_ONCE = 500
OFFLINE = "mock"  # on the wire; it quotes facts in whatever language the shop wrote them


@dataclass(frozen=True, slots=True)
class Text:
    """What a provider wrote and our rules let pass."""

    body: str
    provider: str
    usage: Usage


class TextRunner(Runner[WriteTask, Text]):
    """Write, check, at most one repair."""

    meter = METER
    feature = Feature.GENERATIONS

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._providers = Providers()

    def load(self, items: Sequence[Item]) -> Mapping[int, WriteTask]:
        """The tasks. A variant whose product was deleted is left out."""
        workspaces = {item.job.workspace_id for item in items}
        variants = (
            Variant.objects.of_live_products()
            .filter(pk__in=[item.payload["variant"] for item in items], workspace_id__in=workspaces)
            .select_related("product", "persona", "audience", "special_day")
            .in_bulk()
        )
        brands = {
            brand.workspace_id: brand for brand in Brand.objects.filter(workspace_id__in=workspaces, is_default=True)
        }
        found = [(item, variants.get(item.payload["variant"])) for item in items]
        return {
            item.id: write_task(variant, brands.get(variant.workspace_id))
            for item, variant in found
            if variant is not None and variant.workspace_id == item.job.workspace_id
        }

    async def work(self, item: Item, given: WriteTask) -> Text:
        """Raises `ItemFailed` when the repair try is wrong too."""
        provider = self._providers.get(test_mode=item.job.test_mode)
        text, faults = await _write(provider, given)
        if faults:
            again = replace(given, previous=text.body, complaints=faults)
            repaired, faults = await _write(provider, again)
            text = replace(repaired, usage=summed(text.usage, repaired.usage))
        if faults:
            raise ItemFailed(" ".join(faults))
        return text

    def save(self, item: Item, output: Text) -> Saved:
        """The text, and a line of its history."""
        pk, usage = item.payload["variant"], usage_json(output.usage)
        written = Variant.objects.filter(pk=pk, workspace_id=item.job.workspace_id).update(
            body=output.body,
            status=VariantStatus.GENERATED,
            error="",
            provider=output.provider,
            usage=usage,
            updated_at=now(),
        )
        if not written:
            raise ItemFailed("The variant was deleted while it was written.")
        VariantRevision.objects.create(variant_id=pk, body=output.body, provider=output.provider, job_id=item.job.id)
        result = {"variant": pk, "provider": output.provider, **usage}
        return Saved(result, news=[News("variant.generated", Variant, pk)])

    def drained(self, job: JobView) -> Sequence[NewItem]:
        """Tell the variants of failed items why. An item fails in many ways; here all of them are known.

        A text that was there before stays, with its status: a failed rewrite does not take it from the customer.
        """
        failed = JobItem.objects.filter(job_id=job.id, state=ItemState.FAILED)
        reasons = dict(failed.values_list("payload__variant", "error"))
        variants = list(Variant.objects.filter(pk__in=reasons, workspace_id=job.workspace_id))
        for variant in variants:
            variant.error = reasons[variant.pk]["message"]
            if not variant.body:
                variant.status = VariantStatus.FAILED
            variant.updated_at = now()
        Variant.objects.bulk_update(variants, ["error", "status", "updated_at"], batch_size=MARK_AT_ONCE)
        tell(job.actor, "variant.failed", variants)
        return ()

    def provider(self, *, test_mode: bool) -> str:
        """The configured one."""
        return paid_provider(test_mode=test_mode)

    def quota(self, workspace_id: int) -> Quota:
        """Of the workspace's plan."""
        return quota_of(workspace_id)

    async def aclose(self) -> None:
        """The provider's connections."""
        await self._providers.aclose()


async def _write(provider: Provider, task: WriteTask) -> tuple[Text, tuple[str, ...]]:
    """A try and what is wrong with it."""
    written = await provider.write(task)
    body = cleaned(task.content_type, written.text)
    faults = complaints(
        task.content_type,
        body,
        task.language,
        banned=task.voice.banned_words,
        required=task.voice.required_words,
        check_language=provider.name != OFFLINE,
    )
    return Text(body, provider.name, written.usage), faults
