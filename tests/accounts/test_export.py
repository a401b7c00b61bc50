"""GET /api/account/export: all of one's own, nothing of others', three an hour."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.core.management import call_command

from accounts.actors import operator
from accounts.models import Membership
from accounts.roles import Role
from accounts.services.members import add_member
from sites.services import create_site
from tests.conftest import Api

PATH = "/api/account/export"
KEYS = {"profile", "memberships", "api_keys", "activity", "sessions", "posts", "emails", "workspaces"}


def export(user) -> dict:
    answer = Api(user=user).get(PATH)
    assert answer.status_code == 200
    return json.loads(b"".join(answer.streaming_content))


def test_it_works(people, key_for):
    raw = key_for(people.acme, "sites:read", creator=people.alice)
    client = Api().client
    client.post("/accounts/login/", {"login": "alice@example.org", "password": "alice-password"})
    answer = client.get(PATH)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer.streaming is True
    text = b"".join(answer.streaming_content).decode()
    data = json.loads(text)
    assert set(data) >= KEYS
    assert data["profile"]["email"] == "alice@example.org"
    assert [(row["workspace_slug"], row["role"]) for row in data["memberships"]] == [("acme", "OWNER")]
    assert [row["slug"] for row in data["workspaces"]] == ["acme"]
    assert [row["prefix"] for row in data["api_keys"]] == [raw[:11]]
    assert len(data["sessions"]) == 1
    assert {"session.started", "account.exported"} <= {row["action"] for row in data["activity"]}
    for secret in (raw[11:], "digest", "argon2", "md5$"):
        assert secret not in text


def test_it_holds_nothing_of_other_people(people):
    add_member(people.acme, people.charlie, Role.ADMIN)
    Api(user=people.alice).post("/api/v1/invitations", {"email": "dora@example.org", "role": "VIEWER", "name": "Dora"})
    create_site(operator(people.other.pk), name="Foreign site", domain="foreign.example.com")
    text = json.dumps(export(people.alice))
    for foreign in ("bob@example.org", "charlie@example.org", "dora@example.org", "Dora", "Bob", "Foreign", "other"):
        assert foreign not in text


def test_only_owned_workspaces_are_in_it(people):
    assert export(people.bob)["workspaces"] == []
    assert len(export(people.bob)["memberships"]) == 1


def test_somebody_in_no_workspace_gets_theirs(people):
    Membership.objects.filter(user=people.bob).delete()
    assert export(people.bob)["profile"]["email"] == "bob@example.org"


@pytest.mark.parametrize(("caller", "status"), [("nobody", 401), ("key", 403), ("viewer", 200)])
def test_who_gets_one(people, key_for, caller, status):
    api = {"nobody": Api(), "key": Api(key=key_for(people.acme, creator=people.alice)), "viewer": Api(user=people.bob)}
    assert api[caller].get(PATH).status_code == status


def test_three_an_hour(people):
    with time_machine.travel("2026-01-01T10:00:00Z", tick=False) as clock:
        for _ in range(3):
            export(people.alice)
            clock.shift(timedelta(minutes=10))
        answer = Api(user=people.alice).get(PATH)
        assert (answer.status_code, answer["Retry-After"]) == (429, str(30 * 60))
        assert answer.json()["code"] == "rate_limit_exceeded"
        export(people.bob)
        clock.shift(timedelta(minutes=30, seconds=1))
        export(people.alice)
        assert Api(user=people.alice).get(PATH).status_code == 429, "the window slides"


def test_the_command_writes_the_same_to_a_file_of_ones_own(people, tmp_path):
    for number in range(5):
        call_command("export_account", "Alice@Example.org", output=tmp_path / f"{number}.json")
    data = json.loads((tmp_path / "4.json").read_text())
    assert data["profile"]["email"] == "alice@example.org"
    assert (tmp_path / "4.json").stat().st_mode & 0o077 == 0
    assert data["activity"][-1]["via"] == "command"
