"""Entitlements on the core surface, in the bodies that its reference shows."""

from typing import Any

from django.utils.translation import gettext
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.views import SurfaceView
from ajansops.kit.clock import iso
from ajansops.kit.entitlements import SWITCHES, Feature
from ajansops.kit.permissions import Permission
from ajansops.kit.plans import tier_of
from billing.api.serializers import (
    CheckQuery,
    CheckSerializer,
    RecordedSerializer,
    SummarySerializer,
    UsageBody,
)
from billing.features import NAMES
from billing.selectors import upgrade_url
from billing.usage import Standing, check, record_usage, summary


class CheckView(SurfaceView):
    """Whether so much of a feature may be used. Advice: what is used meanwhile is decided where it is used."""

    rights = {"get": Permission.VIEW_USAGE}
    beside_plan = True
    answers = {"get": {200: CheckSerializer}}
    queries = {
        "get": {
            "feature": {"type": "string", "enum": [feature.value for feature in Feature]},
            "quantity": {"type": "integer", "minimum": 1, "default": 1},
        }
    }
    faults = {"get": (422,)}
    bare = True

    def get(self, request: Request) -> Response:
        """200 either way."""
        query = CheckQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        feature, quantity = Feature(query.validated_data["feature"]), query.validated_data["quantity"]
        standing = check(self.actor, feature)
        numbers = {"current_usage": standing.used, "limit": standing.limit, "available": standing.available}
        shown = {"allowed": standing.has(quantity), "feature": feature} | ({} if feature in SWITCHES else numbers)
        if standing.has(quantity):
            return Response(shown)
        refusal = _refusal(feature, standing) | {"upgrade_url": upgrade_url(self.actor.workspace_id)}
        return Response({"allowed": False, "feature": feature, **refusal, **shown})


class UsageView(SurfaceView):
    """What a client itself has used of a meter."""

    rights = {"post": Permission.ADD_USAGE}
    beside_plan = True
    body = UsageBody
    answers = {"post": {200: RecordedSerializer}}
    bare = True

    def post(self, request: Request) -> Response:
        """403 `feature_limit_reached` when it would be too much: then nothing is recorded."""
        body = self.parsed(UsageBody)
        feature = Feature(body["feature"])
        standing = record_usage(self.actor, feature, body["quantity"], body["metadata"])
        return Response({"recorded": True, "feature": feature, "current_usage": standing.used, "limit": standing.limit})


class SummaryView(SurfaceView):
    """How the workspace stands with all that is counted."""

    rights = {"get": Permission.VIEW_USAGE}
    beside_plan = True
    answers = {"get": {200: SummarySerializer}}

    def get(self, request: Request) -> Response:
        """By feature."""
        standings = summary(self.actor)
        workspace_id = self.actor.workspace_id
        shown = {feature.value: _shown(feature, standing) for feature, standing in standings.items()}
        return self.reply({"workspace_id": workspace_id, "tier": tier_of(workspace_id), "entitlements": shown})


def _shown(feature: Feature, standing: Standing) -> dict[str, Any]:
    return {
        "used": standing.used,
        "limit": standing.limit,
        "available": standing.available,
        "percentage": standing.percentage,
        **({"reset_at": iso(standing.reset_at)} if standing.reset_at else {}),
        **({"unit": "bytes"} if feature is Feature.STORAGE else {}),
    }


def _refusal(feature: Feature, standing: Standing) -> dict[str, str]:
    name = gettext(NAMES[feature])
    if feature in SWITCHES:
        message = gettext("%(feature)s is not in your plan.") % {"feature": name}
        return {"reason": "NOT_IN_PLAN", "message": message}
    message = gettext("%(feature)s limit exceeded. Used: %(used)d, Limit: %(limit)d") % {
        "feature": name,
        "used": standing.used,
        "limit": standing.limit,
    }
    return {"reason": "LIMIT_EXCEEDED", "message": message}
