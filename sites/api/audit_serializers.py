"""How audits and insights look on the wire, and what may be sent about them."""

import math
from typing import Any

from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from ajansops.api.fields import WorkspaceRelatedField
from ajansops.api.serializers import Body, Row
from sites.api.answers import EvidenceSerializer, UsageSerializer
from sites.audits.models import MAX_NAME
from sites.models import Audit, Insight, InsightStatus, Site

MAX_ENTITIES = 200
MAX_ANOMALIES = 200
MAX_METRICS = 100  # of an entity, and entries of a chat's evidence
MAX_TURNS = 50
MAX_TURN = 8_000  # characters
MAX_TEXT = 4_000
LARGEST = 1e15  # of any figure; beyond it a float no longer counts in units
NO_CONTEXT = gettext_lazy(
    "Send a context. A site alone is not enough yet: an audit of its own needs imported ad metrics."
)
NOTHING_TO_AUDIT = gettext_lazy("Send topEntities or anomalies: without figures there is nothing to audit.")
NOT_THE_USERS = gettext_lazy("The last message must be the user's.")
NO_FIGURE = gettext_lazy("A number is required.")


@extend_schema_field(OpenApiTypes.NUMBER)
class Figure(serializers.Field[float, Any, float, float]):
    """A JSON number; no text that looks like one."""

    default_error_messages = {"invalid": NO_FIGURE}

    def to_internal_value(self, data: Any) -> float:
        """As a float."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not math.fabs(data) <= LARGEST:
            self.fail("invalid")
        return float(data)

    def to_representation(self, value: float) -> float:
        """As it is."""
        return value


class AccountBody(serializers.Serializer[Any]):
    """Whose figures these are."""

    name = serializers.CharField(max_length=MAX_NAME)
    currency = serializers.CharField(max_length=16, required=False, allow_blank=True, default="")


class EntityBody(serializers.Serializer[Any]):
    """A campaign, an ad set, a page. Further fields are not looked at."""

    id = serializers.CharField(max_length=MAX_NAME)
    type = serializers.CharField(max_length=MAX_NAME, required=False, allow_blank=True, default="")
    name = serializers.CharField(max_length=MAX_NAME, required=False, allow_blank=True, default="")
    metrics = serializers.DictField(child=Figure(), required=False, default=dict)

    def validate_metrics(self, value: dict[str, float]) -> dict[str, float]:
        """No more of them, and no longer names, than an audit can use."""
        return _few(value)


class AnomalyBody(serializers.Serializer[Any]):
    """Something that is not as usual. `change` is a fraction of the baseline."""

    entityId = serializers.CharField(max_length=MAX_NAME, source="entity_id")  # noqa: N815
    metric = serializers.CharField(max_length=MAX_NAME)
    value = Figure()
    baseline = Figure(required=False, allow_null=True, default=None)
    change = Figure(required=False, allow_null=True, default=None)
    severity = serializers.CharField(max_length=32, required=False, allow_blank=True, default="")


class ContextBody(serializers.Serializer[Any]):
    """The documented context."""

    workspace = AccountBody()
    topEntities = serializers.ListField(  # noqa: N815
        child=EntityBody(), max_length=MAX_ENTITIES, required=False, default=list, source="top_entities"
    )
    anomalies = serializers.ListField(child=AnomalyBody(), max_length=MAX_ANOMALIES, required=False, default=list)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """With a figure in it."""
        if not attrs["anomalies"] and not any(entity["metrics"] for entity in attrs["top_entities"]):
            raise serializers.ValidationError(NOTHING_TO_AUDIT)
        return attrs


class AuditBody(Body):
    """The documented body; `siteId` files the audit under a site."""

    context = ContextBody(  # type: ignore[assignment]  # DRF takes fields out of the class before its own is looked up
        error_messages={"required": NO_CONTEXT, "null": NO_CONTEXT}
    )
    siteId = WorkspaceRelatedField(Site, source="site", required=False)  # noqa: N815


class TurnBody(Body):
    """One message."""

    role = serializers.ChoiceField(["user", "assistant"])
    content = serializers.CharField(max_length=MAX_TURN)


class ChatInsightBody(serializers.Serializer[Any]):
    """An insight as an audit gives it, or as a dashboard keeps it. Further fields are not looked at."""

    id = serializers.CharField(max_length=MAX_NAME, required=False, allow_blank=True)
    severity = serializers.CharField(max_length=32, required=False, allow_blank=True)
    title = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True)
    body = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True)
    entityName = serializers.CharField(  # noqa: N815
        max_length=MAX_NAME, required=False, allow_blank=True, source="entity_name"
    )
    metricEvidence = serializers.DictField(source="evidence")  # noqa: N815

    def validate_metricEvidence(self, value: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        """Plain values only."""
        wrong = [name for name, entry in value.items() if isinstance(entry, dict | list)]
        if wrong:
            raise serializers.ValidationError({name: [NO_FIGURE] for name in wrong})
        return {name: entry[:MAX_TEXT] if isinstance(entry, str) else entry for name, entry in _few(value).items()}


class ChatBody(Body):
    """The documented body."""

    insight = ChatInsightBody()
    messages = serializers.ListField(child=TurnBody(), min_length=1, max_length=MAX_TURNS)

    def validate_messages(self, value: list[dict[str, str]]) -> list[dict[str, str]]:
        """There is a question."""
        if value[-1]["role"] != "user":
            raise serializers.ValidationError(NOT_THE_USERS)
        return value


class InsightBody(Body):
    """What people may change."""

    status = serializers.ChoiceField(InsightStatus.choices)


class InsightSerializer(Row):
    """An insight with the numbers it stands on."""

    metric_evidence = serializers.DictField(read_only=True)

    class Meta:
        model = Insight
        shapes = {"metric_evidence": EvidenceSerializer}
        needs = {"metric_evidence": ("metric", "value", "baseline", "change")}
        fields = (
            "id",
            "audit_id",
            "entity_id",
            "entity_name",
            "severity",
            "status",
            "title",
            "body",
            "metric_evidence",
            "created_at",
            "updated_at",
        )


class AuditSerializer(Row):
    """An audit in a list."""

    usage = serializers.SerializerMethodField()

    class Meta:
        model = Audit
        shapes = {"usage": UsageSerializer}
        needs = {"usage": ("input_tokens", "cached_tokens", "output_tokens", "cost_usd", "elapsed_ms")}
        fields = (
            "id",
            "site_id",
            "job_id",
            "account",
            "language",
            "mode",
            "model",
            "executive_summary",
            "account_health_score",
            "dropped_insights",
            "usage",
            "created_at",
            "updated_at",
        )

    def get_usage(self, audit: Audit) -> dict[str, Any]:
        """What it took."""
        return {
            "prompt_tokens": audit.input_tokens,
            "cached_tokens": audit.cached_tokens,
            "completion_tokens": audit.output_tokens,
            "cost_usd": round(float(audit.cost_usd), 6),
            "elapsed_ms": audit.elapsed_ms,
        }


class AuditDetailSerializer(AuditSerializer):
    """With what it found, the most important first."""

    insights = InsightSerializer(many=True, read_only=True)

    class Meta:
        model = Audit
        fields = (*AuditSerializer.Meta.fields, "insights")


def _few(value: dict[str, Any]) -> dict[str, Any]:
    if len(value) > MAX_METRICS or any(len(name) > MAX_NAME for name in value):
        message = gettext_lazy("At most %(most)d entries, with names of at most %(chars)d characters.")
        raise serializers.ValidationError(message % {"most": MAX_METRICS, "chars": MAX_NAME})
    return value
