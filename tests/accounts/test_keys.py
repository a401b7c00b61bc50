"""API keys: their format, what opens with them, and what does not."""

import base64
from datetime import timedelta

import pytest
import time_machine

from accounts import keys
from accounts.models import ApiKey, Membership
from accounts.roles import Role
from ajansops.kit.clock import now
from tests.conftest import Api

PATH = "/api/v1/workspaces"


def test_it_works(acme):
    assert acme.get(PATH).status_code == 200


def test_a_key_looks_as_scanners_expect():
    for test in (False, True):
        raw = keys.make(test=test)
        assert keys.PATTERN.fullmatch(raw.text)
        assert keys.parse(raw.text) == raw


def test_a_mistyped_key_is_rejected_without_a_query(django_assert_num_queries, key_for, people):
    raw = key_for(people.acme)
    wrong = raw[:30] + ("a" if raw[30] != "a" else "b") + raw[31:]
    with django_assert_num_queries(0):
        assert Api(key=wrong).get(PATH).status_code == 401


def test_the_database_does_not_have_the_key(key_for, people):
    raw = key_for(people.acme)
    assert raw not in str(list(ApiKey.objects.values()))


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Bearer {key}", 200),
        ("bearer {key}", 200),
        ("Basic {basic}", 200),
        ("Bearer {other_checksum}", 401),
        ("Bearer nonsense", 401),
        ("Basic !!!", 401),
        ("Token {key}", 401),
        ("{key}", 401),
    ],
)
def test_the_authorization_header(people, key_for, header, status):
    key = key_for(people.acme)
    values = {
        "key": key,
        "basic": base64.b64encode(f"{key}:".encode()).decode(),
        "other_checksum": key[:-1] + ("0" if key[-1] != "0" else "1"),
    }
    answer = Api(authorization=header.format(**values)).get(PATH)
    assert answer.status_code == status
    if status == 401:
        assert "WWW-Authenticate" in answer


@pytest.mark.parametrize("change", [{"revoked_at": now()}, {"expires_at": now()}])
def test_a_key_that_ended_is_401_at_once(people, key_for, change):
    api = Api(key=key_for(people.acme))
    assert api.get(PATH).status_code == 200
    ApiKey.objects.update(**change)
    assert api.get(PATH).status_code == 401


def test_a_deleted_workspace_closes_its_keys(people, acme):
    people.acme.deleted_at = now()
    people.acme.save()
    assert acme.get(PATH).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "status"),
    [(["*"], 200), (["workspaces:*"], 200), (["*:read"], 200), (["sites:read"], 403), (["*:write"], 403)],
)
def test_scopes_open_and_close(people, key_for, scopes, status):
    answer = Api(key=key_for(people.acme, *scopes)).get(PATH)
    assert answer.status_code == status
    if status == 403:
        assert "Required scope: workspaces:read" in answer.json()["message"]


def test_a_key_has_the_role_its_creator_has_now(people, key_for):
    api = Api(key=key_for(people.acme, creator=people.alice))
    body = {"name": "S", "domain": "example.com"}
    assert api.post("/api/v1/sites", body).status_code == 201
    Membership.objects.filter(user=people.alice, workspace=people.acme).update(role=Role.VIEWER)
    assert api.post("/api/v1/sites", body).status_code == 403
    assert api.get("/api/v1/sites").status_code == 200
    Membership.objects.filter(user=people.alice, workspace=people.acme).delete()
    assert api.get("/api/v1/sites").status_code == 401


def test_a_key_belongs_to_one_workspace(people, acme):
    assert acme.get(PATH, X_Workspace_ID=str(people.acme.pk)).status_code == 200
    assert acme.get(PATH, X_Workspace_ID=str(people.other.pk)).status_code == 404
    assert acme.get(f"{PATH}/{people.other.pk}").status_code == 404


def test_last_used_is_written_once_a_minute(people, key_for):
    api = Api(key=key_for(people.acme))
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        api.get(PATH)
        first = ApiKey.objects.get().last_used_at
        clock.shift(timedelta(seconds=59))
        api.get(PATH)
        assert ApiKey.objects.get().last_used_at == first
        clock.shift(timedelta(seconds=2))
        api.get(PATH)
        assert ApiKey.objects.get().last_used_at > first
