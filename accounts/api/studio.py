"""Signing in with a key, and keys, on the studio surface; each body as its reference shows it."""

from typing import Any

from django.utils.translation import gettext
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import tokens
from accounts.api.answers import (
    DoneSerializer,
    LoginSerializer,
    MeSerializer,
    NewStudioKeySerializer,
    StudioKeysSerializer,
)
from accounts.identity import find_key, role_of_key
from accounts.models import ApiKey, Workspace
from accounts.roles import codenames
from accounts.scopes import studio_names
from accounts.services import api_keys
from ajansops.api.serializers import AnyId, Body
from ajansops.api.views import AnyCaller, Public, SurfaceView
from ajansops.kit.clock import iso_ms
from ajansops.kit.errors import NotFound
from ajansops.kit.identity import Unauthorized
from ajansops.kit.permissions import STUDIO_SCOPES, Permission
from ajansops.kit.plans import RANK, RATE_PLAN_CHOICES, TIERS, lower_tier, tier_of


class LoginBody(Body):
    """The key and the workspace it belongs to, as a number or its digits."""

    apiKey = serializers.CharField(max_length=200)  # noqa: N815  # the reference's name
    workspaceId = AnyId(max_length=20)  # noqa: N815


class LoginView(SurfaceView):
    """A key for a day's bearer."""

    rights = {"post": Public}
    authentication_classes = []
    body = LoginBody
    answers = {"post": {200: LoginSerializer}}
    faults = {"post": (401,)}

    def post(self, request: Request) -> Response:
        """The same 401 for a key that is not alive and for one of another workspace."""
        body = self.parsed(LoginBody)
        key = _living_key(body["apiKey"], body["workspaceId"])
        return self.reply(
            {
                "access_token": tokens.issue(key),
                "token_type": "Bearer",
                "expires_in": round(tokens.LIFETIME.total_seconds()),
                "workspace": _workspace(key.workspace_id),
                "permissions": _permissions(key),
                "rateLimit": _rate_plan(key, tier_of(key.workspace_id)),
            }
        )


class MeView(SurfaceView):
    """What the bearer stands for."""

    rights = {"get": AnyCaller}
    answers = {"get": {200: MeSerializer}}

    def get(self, request: Request) -> Response:
        """A signed-in person has no key, and the rights of their role."""
        actor = self.actor
        key = ApiKey.objects.visible_to(actor).filter(pk=actor.key_id).first() if actor.key_id else None
        tier = tier_of(actor.workspace_id)
        return self.reply(
            {
                "workspace": _workspace(actor.workspace_id),
                "api_key": {"id": key.pk, "name": key.name, "prefix": key.prefix} if key else None,
                "permissions": _permissions(key) if key else _allowed(["*"], actor.codenames),
                "rateLimit": _rate_plan(key, tier) if key else TIERS[tier],
            }
        )


class KeyBody(Body):
    """A new key. `permissions` takes the studio's names and core's scopes."""

    name = serializers.CharField(max_length=255)
    permissions = serializers.ListField(child=serializers.CharField(max_length=64), max_length=100, required=False)
    rateLimit = serializers.ChoiceField(RATE_PLAN_CHOICES, required=False)  # noqa: N815
    workspaceId = AnyId(max_length=20, required=False)  # noqa: N815


class KeysView(SurfaceView):
    """The workspace's keys."""

    rights = {"get": Permission.VIEW_API_KEY, "post": Permission.ADD_API_KEY}
    body = KeyBody
    answers = {"get": {200: StudioKeysSerializer}, "post": {201: NewStudioKeySerializer}}

    def get(self, request: Request) -> Response:
        """Newest first."""
        tier = tier_of(self.actor.workspace_id)
        rows = ApiKey.objects.visible_to(self.actor).listed().order_by("-id")
        return self.reply({"api_keys": [_shown(row, tier) for row in rows]})

    def post(self, request: Request) -> Response:
        """201 with the key, once."""
        body = self.parsed(KeyBody)
        if body.get("workspaceId", str(self.actor.workspace_id)) != str(self.actor.workspace_id):
            raise NotFound
        tier = tier_of(self.actor.workspace_id)
        row, raw = api_keys.mint_api_key(
            self.actor,
            name=body["name"],
            scopes=body.get("permissions"),
            rate_limit_tier=_tier(body.get("rateLimit", ""), tier),
        )
        return self.reply(_shown(row, tier) | {"key": raw}, status=201)


class KeyView(SurfaceView):
    """One key."""

    rights = {"delete": Permission.DELETE_API_KEY}
    answers = {"delete": {200: DoneSerializer}}

    def delete(self, request: Request, key: str) -> Response:
        """It and its bearers are void at once."""
        known = key.isascii() and key.isdigit() and len(key) < 19
        row = ApiKey.objects.visible_to(self.actor).listed().filter(pk=key).first() if known else None
        if row is None:
            raise NotFound
        api_keys.revoke_api_key(self.actor, row)
        return self.reply({"success": True, "message": gettext("API key deleted successfully")})


def _living_key(raw: str, workspace_id: str) -> ApiKey:
    message = gettext("API key not found or invalid")
    try:
        key = find_key(raw.strip())
    except Unauthorized as error:
        raise Unauthorized(message) from error
    if str(key.workspace_id) != workspace_id or role_of_key(key) is None:
        raise Unauthorized(message)
    return key


def _workspace(workspace_id: int) -> dict[str, Any]:
    return {"id": workspace_id, "name": Workspace.objects.values_list("name", flat=True).get(pk=workspace_id)}


def _permissions(key: ApiKey) -> list[str]:
    role = role_of_key(key)
    return _allowed(key.scopes, codenames(role) if role else frozenset())


def _allowed(scopes: list[str], rights: frozenset[str]) -> list[str]:
    """The studio's names of what both the scopes and the role allow."""
    denied = {right.scope for right in Permission if right.codename not in rights}
    return [name for name in studio_names(scopes) if STUDIO_SCOPES[name] not in denied]


def _rate_plan(key: ApiKey, tier: str) -> str:
    return TIERS[lower_tier(key.tier, tier)]


def _tier(rate_plan: str, most: str) -> str:
    """The highest tier of the rate plan that the workspace has; one above it, to be refused, when it has none."""
    fitting = [tier for tier, plan in TIERS.items() if plan == rate_plan]
    allowed = [tier for tier in fitting if RANK[tier] <= RANK[most]]
    return (allowed[-1:] or fitting[:1] or [""])[0]


def _shown(row: ApiKey, tier: str) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "prefix": row.prefix,
        "permissions": studio_names(row.scopes),
        "rateLimit": _rate_plan(row, tier),
        "workspaceId": row.workspace_id,
        "created_at": iso_ms(row.created_at),
        "last_used_at": iso_ms(row.last_used_at),
    }
