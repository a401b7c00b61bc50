"""Whether what an insight cites was given. A model's numbers are a claim; those of the context are the truth."""

import math
from collections.abc import Iterator

from ajansops.ai.contract import AuditTask, Evidence, Finding

CLOSE = 0.01  # how far a cited number may be off, as a fraction of the given one
DIGITS = 2  # or it is the given one, rounded to so many significant digits


def proven(task: AuditTask, finding: Finding) -> Evidence | None:
    """The given numbers that the finding's evidence means; None when there are none such."""
    return next((given for given in _given(task, finding) if _cites(finding.evidence, given)), None)


def _given(task: AuditTask, finding: Finding) -> Iterator[Evidence]:
    """Of the finding's entity: its anomalies, then its plain metrics."""
    for anomaly in task.anomalies:
        if anomaly.entity_id == finding.entity_id:
            yield Evidence(anomaly.metric, anomaly.value, anomaly.baseline, anomaly.change)
    for entity in task.entities:
        if entity.id == finding.entity_id:
            yield from (Evidence(name, value) for name, value in entity.metrics)


def _cites(cited: Evidence, given: Evidence) -> bool:
    """A number that is not cited is no claim; one that is, has to be there."""
    return (
        _folded(cited.metric) == _folded(given.metric)
        and _same(cited.value, given.value)
        and _same_or_absent(cited.baseline, given.baseline)
        and _same_or_absent(cited.change, given.change)
    )


def _folded(metric: str) -> str:
    return metric.strip().casefold()


def _same_or_absent(cited: float | None, given: float | None) -> bool:
    return cited is None or (given is not None and _same(cited, given))


def _same(cited: float, given: float) -> bool:
    rounded = float(f"{given:.{DIGITS}g}")
    return math.isclose(cited, given, rel_tol=CLOSE) or math.isclose(cited, rounded, rel_tol=1e-9)
