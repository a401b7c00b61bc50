"""The job kind `audit`: one item, one question to the provider, one audit stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ajansops.ai.contract import AuditTask
from ajansops.kit.entitlements import Feature
from ajansops.kit.language import Language
from ajansops.kit.runners import Item, Runner, Saved
from jobs.providers import Providers, paid_provider
from sites.audits.context import Context
from sites.audits.services import AUDIT, Outcome, ask, save_audit


@dataclass(frozen=True, slots=True)
class Answered:
    """The outcome beside what was asked: its evidence is checked against it."""

    task: AuditTask
    outcome: Outcome


class AuditRunner(Runner[AuditTask, Answered]):
    """The provider lives as long as the engine's loop."""

    kind = AUDIT
    feature = Feature.AUDITS
    max_parallel = 2
    locks_workspace = True  # `save_audit` tells the log

    def __init__(self) -> None:
        self._providers = Providers()

    def load(self, items: Sequence[Item]) -> Mapping[int, AuditTask]:
        """All is in the payload."""
        return {item.id: Context(**item.payload).task(Language(item.job.configuration["language"])) for item in items}

    async def work(self, item: Item, given: AuditTask) -> Answered:
        """Raises `ItemFailed` when the provider is not configured any more."""
        return Answered(given, await ask(self._providers.get(test_mode=item.job.test_mode), given))

    def save(self, item: Item, output: Answered) -> Saved:
        """Once: the job's id is unique."""
        audit = save_audit(
            item.job.actor,
            output.task,
            output.outcome,
            site_id=item.job.configuration["site_id"],
            job_id=item.job.id,
        )
        return Saved({"audit_id": audit.pk, "mode": audit.mode, "insights": audit.insights.count()})

    def provider(self, *, test_mode: bool) -> str:
        """The configured one."""
        return paid_provider(test_mode=test_mode)

    async def aclose(self) -> None:
        """The provider's connections."""
        await self._providers.aclose()
