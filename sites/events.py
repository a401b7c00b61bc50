"""What the outside is told about sites and what is measured on them."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import JSON, PublicEvent, shown


@dataclass(frozen=True, slots=True)
class SiteEvent(PublicEvent):
    """Something happened to a site."""

    serializer: ClassVar[str] = "sites.api.serializers.SiteSerializer"
    path: ClassVar[str] = "sites"
    right: ClassVar[Permission] = Permission.VIEW_SITE
    example: ClassVar[JSON] = {
        "id": 3,
        "name": "Demlik",
        "domain": "demlik.example",
        "tech_stack": "",
        "apify_keywords": [],
        "lead_search_terms": [],
        "pixel": {"enabled": True, "sample_rate": 1.0},
        "crawl": {"max_pages": 500, "max_depth": 5, "concurrency": 2, "delay_seconds": None},
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class SiteCreated(SiteEvent):
    """A site was made."""

    type: ClassVar[str] = "site.created"


@dataclass(frozen=True, slots=True)
class SiteUpdated(SiteEvent):
    """A site was changed; `data` is as it is now."""

    type: ClassVar[str] = "site.updated"


@dataclass(frozen=True, slots=True)
class SiteDeleted(SiteEvent):
    """A site was deleted, and with it its posts and reports; `data` is as it was."""

    type: ClassVar[str] = "site.deleted"


@dataclass(frozen=True, slots=True)
class ReportEvent(PublicEvent):
    """Something happened to an SEO report."""

    serializer: ClassVar[str] = "sites.api.serializers.ReportSerializer"
    path: ClassVar[str] = "seo/reports"
    right: ClassVar[Permission] = Permission.VIEW_REPORT

    @classmethod
    def of(cls, subject: Any) -> Self:
        """A list counts the issues of all its reports at once."""
        subject.issues_count = subject.issues.count()
        return cls(shown(cls.serializer, subject))

    example: ClassVar[JSON] = {
        "id": 77,
        "url": "https://demlik.example/",
        "site_id": 3,
        "job_id": "",
        "source": "api",
        "pages": 1,
        "scores": {"performance": 92, "accessibility": 88, "best_practices": 95, "seo": 90},
        "issues_count": 4,
        "created_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class ReportCreated(ReportEvent):
    """An SEO report of a page or a whole site is there."""

    type: ClassVar[str] = "seo.report.created"


@dataclass(frozen=True, slots=True)
class AuditEvent(PublicEvent):
    """Something happened to an audit."""

    serializer: ClassVar[str] = "sites.api.audit_serializers.AuditDetailSerializer"
    path: ClassVar[str] = "audits"
    right: ClassVar[Permission] = Permission.VIEW_AUDIT
    example: ClassVar[JSON] = {
        "id": 8,
        "site_id": 3,
        "job_id": None,
        "account": "Demlik",
        "language": "en",
        "mode": "mock",
        "model": "offline",
        "executive_summary": "Spend is up.",
        "account_health_score": 80,
        "dropped_insights": 0,
        "usage": {"prompt_tokens": 0, "cached_tokens": 0, "completion_tokens": 0, "cost_usd": 0.0, "elapsed_ms": 5},
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
        "insights": [],
    }


@dataclass(frozen=True, slots=True)
class AuditCompleted(AuditEvent):
    """An audit of an account's metrics is done."""

    type: ClassVar[str] = "audit.completed"


@dataclass(frozen=True, slots=True)
class InsightEvent(PublicEvent):
    """Something happened to an insight."""

    serializer: ClassVar[str] = "sites.api.audit_serializers.InsightSerializer"
    path: ClassVar[str] = "insights"
    right: ClassVar[Permission] = Permission.VIEW_AUDIT
    example: ClassVar[JSON] = {
        "id": 21,
        "audit_id": 8,
        "entity_id": "c1",
        "entity_name": "Spring",
        "severity": "high",
        "status": "resolved",
        "title": "CPM is up",
        "body": "By half.",
        "metric_evidence": {"metric": "cpm", "value": 12.4, "baseline": 8.1, "change": 0.53},
        "created_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


@dataclass(frozen=True, slots=True)
class InsightUpdated(InsightEvent):
    """An insight was resolved, dismissed or opened again."""

    type: ClassVar[str] = "insight.updated"


EVENTS = (SiteCreated, SiteUpdated, SiteDeleted, ReportCreated, AuditCompleted, InsightUpdated)
