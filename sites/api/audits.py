"""Audits and insights on the core surface."""

from ajansops.api.filters import Number, OneOf, RowOf
from ajansops.api.views import ChangeMixin, ReadViewSet
from ajansops.kit.permissions import Permission
from sites.api.audit_serializers import AuditDetailSerializer, AuditSerializer, InsightBody, InsightSerializer
from sites.audits.services import change_insight
from sites.models import Audit, Insight, InsightSeverity
from sites.selectors import get_site


class AuditViewSet(ReadViewSet):
    """Newest first; `?site_id=` narrows. They are made on the insight surface."""

    model = Audit
    output = AuditSerializer
    detail_output = AuditDetailSerializer
    filters = {"site_id": RowOf("site", get_site)}
    noun = "Audit"
    rights = {"list": Permission.VIEW_AUDIT, "retrieve": Permission.VIEW_AUDIT}


class InsightViewSet(ChangeMixin, ReadViewSet):
    """Newest first; `?status=`, `?severity=` and `?audit_id=` narrow. PATCH opens, resolves or dismisses."""

    model = Insight
    output = InsightSerializer
    filters = {"severity": OneOf("severity", InsightSeverity.values), "audit_id": Number("audit_id")}
    input = InsightBody
    change_row = change_insight
    noun = "Insight"
    rights = {
        "list": Permission.VIEW_AUDIT,
        "retrieve": Permission.VIEW_AUDIT,
        "partial_update": Permission.CHANGE_INSIGHT,
        "update": Permission.CHANGE_INSIGHT,
    }
