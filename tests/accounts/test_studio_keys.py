"""Signing in with a key, and keys, on the studio surface."""

from dataclasses import replace
from datetime import timedelta

import jwt
import pytest
import time_machine

from accounts import tokens
from accounts.models import ApiKey
from accounts.roles import Role
from accounts.services.members import add_member
from ajansops.kit.clock import now
from ajansops.kit.crypto import derived_keys
from billing.services import set_plan
from tests.conftest import Api

LOGIN, ME, KEYS = "/v1/auth/login", "/v1/auth/me", "/v1/api-keys"
PRODUCTS = "/v1/inventory/products"
ALL = [
    "generate_tags",
    "generate_content",
    "generate_title",
    "generate_google_feed",
    "view_analytics",
    "manage_brands",
]


def login(key: str, workspace) -> dict:
    answer = Api().post(LOGIN, {"apiKey": key, "workspaceId": workspace.pk})
    assert answer.status_code == 200, answer.content
    return answer.json()


def bearer(token: str) -> Api:
    return Api(authorization=f"Bearer {token}")


def test_it_works(people, key_for):
    key = key_for(people.acme)
    body = login(key, people.acme)
    token = body.pop("access_token")
    assert body == {
        "token_type": "Bearer",
        "expires_in": 86400,
        "workspace": {"id": people.acme.pk, "name": "Acme"},
        "permissions": ALL,
        "rateLimit": "enterprise",
    }
    me = bearer(token).get(ME).json()
    row = ApiKey.objects.get()
    assert me == {
        "workspace": {"id": people.acme.pk, "name": "Acme"},
        "api_key": {"id": row.pk, "name": "test", "prefix": key[:11]},
        "permissions": ALL,
        "rateLimit": "enterprise",
    }
    assert bearer(token).get(PRODUCTS).status_code == 200


def test_the_workspace_may_be_text(people, key_for):
    answer = Api().post(LOGIN, {"apiKey": key_for(people.acme), "workspaceId": str(people.acme.pk)})
    assert answer.status_code == 200


@pytest.mark.parametrize("case", ["unknown", "mistyped", "foreign", "revoked", "expired", "maker gone"])
def test_who_does_not_come_in(people, key_for, case):
    key, workspace = key_for(people.acme, creator=people.bob), people.acme.pk
    match case:
        case "unknown":
            key = tokens.random_text(65)
        case "mistyped":
            key = key[:-1] + ("0" if key[-1] != "0" else "1")
        case "foreign":
            workspace = people.other.pk
        case "revoked":
            ApiKey.objects.update(revoked_at=now())
        case "expired":
            ApiKey.objects.update(expires_at=now())
        case "maker gone":
            people.bob.memberships.all().delete()
    answer = Api().post(LOGIN, {"apiKey": key, "workspaceId": workspace})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["path"]) == (401, "UNAUTHORIZED", LOGIN)
    assert error["message"] == error["details"] == "API key not found or invalid"


@pytest.mark.parametrize("body", [{}, {"apiKey": "x"}, {"workspaceId": 1}, {"apiKey": 1, "workspaceId": {}}])
def test_a_body_that_lacks_something_is_400(db, body):
    answer = Api().post(LOGIN, body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "BAD_REQUEST")


def test_a_token_dies_with_its_key(people, key_for):
    token = login(key_for(people.acme), people.acme)["access_token"]
    assert bearer(token).get(ME).status_code == 200
    ApiKey.objects.update(revoked_at=now())
    assert bearer(token).get(ME).status_code == 401


def test_a_token_lives_a_day(people, key_for):
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        token = login(key_for(people.acme), people.acme)["access_token"]
        clock.shift(timedelta(hours=23, minutes=59))
        assert bearer(token).get(ME).status_code == 200
        clock.shift(timedelta(minutes=2))
        assert bearer(token).get(ME).status_code == 401


def test_a_token_has_the_rights_its_key_has_now(people, key_for):
    token = login(key_for(people.acme, "products:read", creator=people.alice), people.acme)["access_token"]
    assert bearer(token).get(PRODUCTS).status_code == 200
    assert bearer(token).post("/v1/tags/generate", {}).status_code == 403
    ApiKey.objects.update(scopes=["tags:write"])
    assert bearer(token).get(PRODUCTS).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/sites", "/api/sites"])
def test_a_token_is_the_studios_only(people, key_for, path):
    token = login(key_for(people.acme), people.acme)["access_token"]
    assert bearer(token).get(path).status_code == 401


def forged(people, **changes) -> str:
    claims = {
        "iss": tokens.ISSUER,
        "aud": tokens.AUDIENCE,
        "sub": str(ApiKey.objects.get().pk),
        "tid": people.acme.pk,
        "iat": now(),
        "exp": now() + timedelta(hours=1),
        "jti": "x",
    } | changes.pop("claims", {})
    signing = derived_keys(tokens.PURPOSE)[0]
    options = {"key": signing.secret, "algorithm": "HS256", "headers": {"kid": signing.id}} | changes
    return jwt.encode({name: value for name, value in claims.items() if value is not None}, **options)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, 200),  # the positive control: it is what follows that is refused
        ({"key": b"x" * 32}, 401),
        ({"key": None, "algorithm": "none"}, 401),
        ({"key": b"x" * 64, "algorithm": "HS512"}, 401),
        ({"headers": {"kid": "other"}}, 401),
        ({"headers": {}}, 401),
        ({"claims": {"iss": "evil"}}, 401),
        ({"claims": {"aud": "core"}}, 401),
        ({"claims": {"exp": None}}, 401),
        ({"claims": {"exp": 1}}, 401),
        ({"claims": {"tid": 999999}}, 401),
        ({"claims": {"sub": "999999"}}, 401),
        ({"claims": {"sub": "x"}}, 401),
    ],
)
def test_what_was_not_issued_here_is_refused(people, key_for, changes, status):
    key_for(people.acme)
    assert bearer(forged(people, **changes)).get(ME).status_code == status


def test_a_token_of_an_older_encryption_key_is_good_until_that_key_is_gone(people, key_for, settings):
    token = login(key_for(people.acme), people.acme)["access_token"]
    env = settings.ENV
    settings.ENV = replace(env, encryption_keys=("a-newer-key", *env.encryption_keys))
    assert bearer(token).get(ME).status_code == 200
    settings.ENV = replace(env, encryption_keys=("a-newer-key",))
    assert bearer(token).get(ME).status_code == 401


def test_keys_are_made_listed_and_deleted(people, key_for):
    api = bearer(login(key_for(people.acme), people.acme)["access_token"])
    body = {
        "name": "Production API Key",
        "permissions": ["generate_content", "view_analytics"],
        "rateLimit": "professional",
        "workspaceId": people.acme.pk,
    }
    answer = api.post(KEYS, body)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    raw = row.pop("key")
    assert {name: row[name] for name in body} == body
    listed = api.get(KEYS).json()["api_keys"]
    assert listed[0] == row
    assert len(listed) == 2
    assert ApiKey.objects.get(pk=row["id"]).scopes == ["analytics:read", "content:write"]
    assert login(raw, people.acme)["permissions"] == body["permissions"]
    assert api.delete(f"{KEYS}/{row['id']}").json() == {"success": True, "message": "API key deleted successfully"}
    assert Api().post(LOGIN, {"apiKey": raw, "workspaceId": people.acme.pk}).status_code == 401
    assert api.delete(f"{KEYS}/{row['id']}").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"permissions": ["generate_content"]}, 201),
        ({"permissions": ["manage_brands"]}, 403),
        ({"permissions": ["fly"]}, 400),
        ({"rateLimit": "standard"}, 201),
        ({"rateLimit": "professional"}, 201),
        ({"rateLimit": "enterprise"}, 403),
        ({"rateLimit": "gold"}, 400),
        ({"workspaceId": 999999}, 404),
    ],
)
def test_nobody_makes_more_than_they_have(people, key_for, body, status):
    set_plan(people.acme.pk, "growth")
    api = Api(key=key_for(people.acme, "api-keys:*", "content:write"))
    answer = api.post(KEYS, {"name": "K", "permissions": ["generate_content"]} | body)
    assert answer.status_code == status, answer.content


def test_permissions_are_cut_to_the_makers_role(people, key_for):
    body = login(key_for(people.acme, creator=people.bob), people.acme)
    assert body["permissions"] == ["view_analytics"], "a VIEWER changes nothing"
    add_member(people.acme, people.bob, Role.EDITOR)
    assert login(key_for(people.acme, creator=people.bob), people.acme)["permissions"] == ALL


@pytest.mark.parametrize(
    ("plan", "name"),
    [("free", "standard"), ("starter", "standard"), ("growth", "professional"), ("done", "enterprise")],
)
def test_the_rate_plan_is_the_workspaces(people, key_for, plan, name):
    set_plan(people.acme.pk, plan)
    assert login(key_for(people.acme), people.acme)["rateLimit"] == name
