"""Audits: run at once or as a job, stored the same way; and what people make of their insights."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from ajansops.ai.contract import Audited, AuditTask, Evidence, Finding, Provider, ProviderFailed
from ajansops.ai.registry import configured, provider, require_configured
from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import Feature, entitlements
from ajansops.kit.errors import NotFound
from ajansops.kit.events import changed, publish, snapshot
from ajansops.kit.language import Language
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import NewItem
from ajansops.kit.tenancy import lock_workspace
from jobs.models import Job
from jobs.services import start_job
from sites.audits.context import Context
from sites.audits.evidence import proven
from sites.audits.models import MAX_TITLE
from sites.models import Audit, Insight, Site

PATIENCE = 240  # seconds that a caller waits; the proxy waits longer
HOLD = timedelta(minutes=10)  # of a unit; longer than any caller waits
AUDIT = "audit"  # the kind of the job, and the key of its only item

Run = Callable[[Callable[[], Awaitable["Outcome"]]], "Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a provider said, which one it was, and how long it took."""

    audited: Audited
    mode: str
    elapsed_ms: int


def run_audit(actor: Actor, context: Context, language: Language, *, site: Site | None = None, run: Run) -> Audit:
    """Ask and store. `run` runs a coroutine function to its end, on whatever loop the caller has.

    Raises `FeatureLimitReached`, `ProviderFailed`, or the error of a provider that is not configured; then nothing is
    stored, and nothing charged.
    """
    actor.require(Permission.ADD_AUDIT, on=site)
    task, asked = context.task(language), provider(configured(), test_mode=actor.test_mode)
    with _unit(actor.workspace_id) as spend:
        outcome = run(lambda: _asked_once(asked, task))
        with transaction.atomic():
            audit = save_audit(actor, task, outcome, site_id=site.pk if site else None)
            spend()
    return audit


@contextmanager
def _unit(workspace_id: int) -> Iterator[Callable[[], None]]:
    """Reserved while the provider is asked, spent by the call that is yielded; else it goes back."""
    ledger, source = entitlements(), f"audit:{uuid4()}"
    ledger.reserve(workspace_id, Feature.AUDITS, 1, source, hold=HOLD)
    try:
        yield lambda: ledger.settle(workspace_id, Feature.AUDITS, source, {"": 1})
    finally:
        ledger.release(workspace_id, Feature.AUDITS, source)


@transaction.atomic
def start_audit_job(actor: Actor, context: Context, language: Language, *, site: Site | None = None) -> Job:
    """The same by a worker. What is not configured is said now."""
    actor.require(Permission.ADD_AUDIT, on=site)
    require_configured(configured(), test_mode=actor.test_mode)
    payload = {
        "workspace": dict(context.workspace),
        "top_entities": [dict(entity) for entity in context.top_entities],
        "anomalies": [dict(anomaly) for anomaly in context.anomalies],
    }
    told = {
        "account": context.workspace["name"],
        "entities": len(context.top_entities),
        "anomalies": len(context.anomalies),
        "language": language.value,
        "site_id": site.pk if site else None,
    }
    return start_job(actor, AUDIT, [NewItem(AUDIT, payload)], configuration=told)


async def ask(asked: Provider, task: AuditTask) -> Outcome:
    """One audit of a provider, timed."""
    started = time.monotonic()
    audited = await asked.audit(task)
    return Outcome(audited, asked.name, round((time.monotonic() - started) * 1000))


@transaction.atomic
def save_audit(actor: Actor, task: AuditTask, outcome: Outcome, *, site_id: int | None, job_id: str = "") -> Audit:
    """With those insights whose evidence is in the task, under the numbers that were given."""
    lock_workspace(actor.workspace_id)
    if site_id is not None and not Site.objects.filter(pk=site_id, workspace_id=actor.workspace_id).exists():
        site_id = None  # deleted meanwhile; the audit is of the context that was sent
    checked = [(finding, proven(task, finding)) for finding in outcome.audited.findings]
    kept = [(finding, evidence) for finding, evidence in checked if evidence is not None]
    audit = Audit(
        workspace_id=actor.workspace_id,
        site_id=site_id,
        job_id=job_id or None,
        account=task.workspace,
        language=task.language,
        mode=outcome.mode,
        executive_summary=outcome.audited.summary,
        account_health_score=outcome.audited.health_score,
        dropped_insights=len(checked) - len(kept),
    )
    audit.charge(outcome.audited.usage, outcome.elapsed_ms)
    audit.save(force_insert=True)
    names = {entity.id: entity.name for entity in task.entities}
    Insight.objects.bulk_create(_insight(audit, finding, evidence, names) for finding, evidence in kept)
    told = {"account": (None, audit.account), "mode": (None, audit.mode), "insights": (None, len(kept))}
    publish(actor, "audit.completed", audit, told)
    return audit


@transaction.atomic
def change_insight(actor: Actor, insight: Insight, **fields: Any) -> Insight:
    """Open, resolve or dismiss it."""
    actor.require(Permission.CHANGE_INSIGHT, on=insight)
    lock_workspace(actor.workspace_id)
    row: Insight | None = Insight.objects.visible_to(actor).select_for_update().filter(pk=insight.pk).first()
    if row is None:
        raise NotFound
    before = snapshot(row)
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()
    publish(actor, "insight.updated", row, changed(row, before))
    return row


async def _asked_once(asked: Provider, task: AuditTask) -> Outcome:
    try:
        async with asyncio.timeout(PATIENCE):
            return await ask(asked, task)
    except TimeoutError:
        raise ProviderFailed from None
    finally:
        await asked.aclose()


def _insight(audit: Audit, finding: Finding, evidence: Evidence, names: dict[str, str]) -> Insight:
    return Insight(
        workspace_id=audit.workspace_id,
        audit=audit,
        entity_id=finding.entity_id,
        entity_name=names.get(finding.entity_id, ""),
        severity=finding.severity,
        title=finding.title[:MAX_TITLE],
        body=finding.body,
        metric=evidence.metric,
        value=evidence.value,
        baseline=evidence.baseline,
        change=evidence.change,
    )
