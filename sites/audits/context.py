"""The context that a caller sends, as a task for a provider: complete numbers, short texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ajansops.ai.contract import Anomaly, AuditTask, Entity
from ajansops.kit.language import Language

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Context:
    """As parsed by the API, and as a job keeps it: plain JSON in our own casing."""

    workspace: JSON  # name, currency
    top_entities: list[JSON]  # id, type, name, metrics
    anomalies: list[JSON]  # entity_id, metric, value, baseline, change, severity

    def task(self, language: Language) -> AuditTask:
        """What a provider gets."""
        return AuditTask(
            language=language,
            workspace=self.workspace["name"],
            currency=self.workspace.get("currency", ""),
            entities=tuple(_entity(entity) for entity in self.top_entities),
            anomalies=tuple(_anomaly(anomaly) for anomaly in self.anomalies),
        )


def _entity(entity: JSON) -> Entity:
    metrics = tuple((name, float(value)) for name, value in entity["metrics"].items())
    return Entity(entity["id"], entity.get("type", ""), entity.get("name", ""), metrics)


def _anomaly(anomaly: JSON) -> Anomaly:
    """A change that was left out follows from value and baseline."""
    value, baseline, change = anomaly["value"], anomaly.get("baseline"), anomaly.get("change")
    if change is None and baseline:
        change = round((value - baseline) / abs(baseline), 4)
    return Anomaly(anomaly["entity_id"], anomaly["metric"], value, baseline, change, anomaly.get("severity", ""))
