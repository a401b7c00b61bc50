"""The shapes of the answers about crawls and audits that are not simply rows: what the schema says of them."""

from typing import Any

from rest_framework import serializers

from ajansops.api.serializers import Moment
from jobs.api.answers import LastRunSerializer
from sites.audits.models import InsightSeverity, InsightStatus


class SeoStatusSerializer(serializers.Serializer[Any]):
    """How a crawl stands."""

    running = serializers.BooleanField()
    lastScrapedAt = Moment(allow_null=True)  # noqa: N815
    totalReports = serializers.IntegerField()  # noqa: N815
    lastRun = LastRunSerializer(allow_null=True)  # noqa: N815


class EvidenceSerializer(serializers.Serializer[Any]):
    """The numbers that an insight stands on."""

    metric = serializers.CharField()
    value = serializers.FloatField()
    baseline, change = serializers.FloatField(allow_null=True), serializers.FloatField(allow_null=True)


class AuditInsightSerializer(serializers.Serializer[Any]):
    """What was found."""

    id = serializers.IntegerField()
    entityId, entityName, title, body = (serializers.CharField() for _ in range(4))  # noqa: N815
    severity = serializers.ChoiceField(InsightSeverity.choices)
    status = serializers.ChoiceField(InsightStatus.choices)
    metricEvidence = EvidenceSerializer()  # noqa: N815


class AuditOutputSerializer(serializers.Serializer[Any]):
    """All of it."""

    executive_summary = serializers.CharField()
    account_health_score, dropped_insights = serializers.IntegerField(), serializers.IntegerField()
    insights = AuditInsightSerializer(many=True)


class UsageSerializer(serializers.Serializer[Any]):
    """What it took."""

    prompt_tokens, cached_tokens, completion_tokens = (serializers.IntegerField() for _ in range(3))
    cost_usd = serializers.FloatField()
    elapsed_ms = serializers.IntegerField()


class AuditUsageSerializer(serializers.Serializer[Any]):
    """What it took, in the reference's words."""

    promptTokens, cachedTokens, completionTokens = (serializers.IntegerField() for _ in range(3))  # noqa: N815
    costUsd = serializers.FloatField()  # noqa: N815
    elapsedMs = serializers.IntegerField()  # noqa: N815


class AuditRunSerializer(serializers.Serializer[Any]):
    """An audit."""

    mode = serializers.CharField()
    auditId = serializers.IntegerField()  # noqa: N815
    output = AuditOutputSerializer()
    usage = AuditUsageSerializer()
