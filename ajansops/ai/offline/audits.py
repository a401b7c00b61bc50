"""An audit by statistics on the given metrics: what is reported as unusual, and what stands apart from its like."""

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import median

from ajansops.ai.contract import Anomaly, Audited, AuditTask, Entity, Evidence, Finding, Severity, Usage
from ajansops.ai.offline.audit_phrases import WORDS, Words
from ajansops.ai.offline.figures import amount, figures, number, percent
from ajansops.ai.offline.metrics import metric
from ajansops.ai.offline.words import plain, shorten

MAX_FINDINGS = 20
MAX_NAME = 80
MAX_OTHERS = 5  # further figures beside an anomaly
COMPARABLE = 5  # entities with a metric, for one to stand apart
APART = 3.5  # modified z-score (Iglewicz and Hoaglin 1993)
_BY_CHANGE = ((1.0, Severity.CRITICAL), (0.5, Severity.HIGH), (0.2, Severity.MEDIUM), (0.0, Severity.LOW))
_COST = {Severity.CRITICAL: 0.25, Severity.HIGH: 0.15, Severity.MEDIUM: 0.08, Severity.LOW: 0.03}
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class _Seen:
    """A finding, and how it ranks: `turn` is -1 for the worse, 1 for the better, 0 where that depends."""

    finding: Finding
    turn: int
    size: float

    @property
    def order(self) -> tuple[int, int, float, str]:
        return max(self.turn, 0), _RANK[self.finding.severity], -self.size, self.finding.title

    @property
    def kept(self) -> float:
        """The share of the health score that it leaves."""
        cost = _COST[self.finding.severity]
        return 1 - (cost if self.turn < 0 else cost / 2 if not self.turn else 0)


def compose(task: AuditTask, usage: Usage) -> Audited:
    """The worst first. The score is what each finding leaves of the one before."""
    seen = sorted((*_anomalies(task), *_outliers(task)), key=lambda one: one.order)
    score = round(100 * math.prod(one.kept for one in seen))
    findings = tuple(one.finding for one in seen[:MAX_FINDINGS])
    return Audited(_summary(task, seen, score), score, findings, usage)


def turn_of(name: str, change: float | None) -> int:
    """-1 for the worse, 1 for the better, 0 where that depends, or nothing changed."""
    return int(math.copysign(1, change)) * metric(name).direction if change else 0


def verdict(turn: int, words: Words) -> str:
    """As a sentence."""
    return {-1: words.worse, 0: words.depends, 1: words.better}[turn]


def _anomalies(task: AuditTask) -> list[_Seen]:
    entities = {entity.id: entity for entity in task.entities}
    return [_anomaly(task, anomaly, entities.get(anomaly.entity_id)) for anomaly in task.anomalies]


def _anomaly(task: AuditTask, anomaly: Anomaly, entity: Entity | None) -> _Seen:
    language, name = task.language, anomaly.metric
    turn = turn_of(name, anomaly.change)
    size = abs(anomaly.change or 0)
    told = percent(anomaly.change, language) if anomaly.change is not None else number(anomaly.value, language)
    evidence = Evidence(name, anomaly.value, anomaly.baseline, anomaly.change)
    parts = [figures(evidence, task.currency, language), verdict(turn, WORDS[language])]
    if entity and (others := _others(task, entity, name)):
        parts.append(f"{WORDS[language].others}: {others}.")
    title = f"{_name(entity, anomaly.entity_id)}: {plain(name)} {told}"
    return _Seen(Finding(anomaly.entity_id, _severity(anomaly, size), title, " ".join(parts), evidence), turn, size)


def _severity(anomaly: Anomaly, size: float) -> Severity:
    """As its finder says, else by how much it changed."""
    given = anomaly.severity.strip().lower()
    if given in set(Severity):
        return Severity(given)
    return next(severity for least, severity in _BY_CHANGE if size >= least)


def _others(task: AuditTask, entity: Entity, name: str) -> str:
    rest = [(other, value) for other, value in entity.metrics if other != name][:MAX_OTHERS]
    return "; ".join(f"{plain(other)} {amount(value, other, task.currency, task.language)}" for other, value in rest)


def _outliers(task: AuditTask) -> list[_Seen]:
    """Rates that stand apart from those of the other entities. Volumes differ by nature, so they are left alone."""
    known = {(anomaly.entity_id, anomaly.metric) for anomaly in task.anomalies}
    groups: dict[str, list[tuple[Entity, float]]] = defaultdict(list)
    for entity in task.entities:
        for name, value in entity.metrics:
            if metric(name).rate:
                groups[name].append((entity, value))
    return [
        seen
        for name, members in groups.items()
        if len(members) >= COMPARABLE
        for seen in _apart(task, name, members)
        if (seen.finding.entity_id, name) not in known
    ]


def _apart(task: AuditTask, name: str, members: list[tuple[Entity, float]]) -> list[_Seen]:
    middle = median(value for _, value in members)
    spread = median(abs(value - middle) for _, value in members)
    if not spread:
        return []
    scored = [(entity, value, 0.6745 * (value - middle) / spread) for entity, value in members]
    return [_outlier(task, name, scored, row, middle) for row in scored if abs(row[2]) > APART]


def _outlier(
    task: AuditTask,
    name: str,
    members: list[tuple[Entity, float, float]],
    row: tuple[Entity, float, float],
    middle: float,
) -> _Seen:
    entity, value, score = row
    language, words = task.language, WORDS[task.language]
    turn = turn_of(name, score)
    told = amount(value, name, task.currency, language)
    compared = words.median.format(count=len(members), median=amount(middle, name, task.currency, language))
    body = f"{words.value}: {told}. {compared} {verdict(turn, words)}"
    severity = Severity.MEDIUM if turn < 0 and abs(score) > 2 * APART else Severity.LOW
    title = f"{_name(entity, entity.id)}: {plain(name)} {told}, {words.apart}"
    return _Seen(Finding(entity.id, severity, title, body, Evidence(name, value)), turn, 0.0)


def _name(entity: Entity | None, fallback: str) -> str:
    return shorten(plain((entity.name if entity else "") or fallback), MAX_NAME)


def _summary(task: AuditTask, seen: list[_Seen], score: int) -> str:
    words = WORDS[task.language]
    worse = sum(one.turn < 0 for one in seen)
    counts = f"{words.entities}: {len(task.entities)}. {words.deviations}: {len(seen)}."
    parts = [f"{shorten(plain(task.workspace), MAX_NAME)}.", counts]
    if seen:
        parts += [f"{words.unfavourable}: {worse}.", f"{words.score}: {score}/100."]
        parts.append(f"{words.first}: {seen[0].finding.title}.")
    else:
        parts.append(words.quiet)
    return " ".join(parts)
