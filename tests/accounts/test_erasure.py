"""Forgetting a person: nothing of them is left, what stays names nobody, and every workspace keeps an owner."""

import json
from io import StringIO

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.activity import verify
from accounts.models import Activity, ApiKey, Membership, User, Workspace
from accounts.roles import Role
from accounts.services.erasure import erase_user
from accounts.services.members import add_member
from tests.conftest import Api


def everything() -> str:
    """Each row of each table, as text."""
    with connection.cursor() as cursor:
        parts = []
        for model in apps.get_models(include_auto_created=True):
            if model._meta.managed and not model._meta.proxy:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(model._meta.db_table)}")
                parts.append(str(cursor.fetchall()))
    return "\n".join(parts)


def lived_in(people, key_for) -> User:
    """Bob with all that a person leaves behind."""
    add_member(people.acme, people.bob, Role.ADMIN)
    client = Api().client
    client.post("/accounts/login/", {"login": "bob@example.org", "password": "bob-password"})
    key_for(people.acme, creator=people.bob)
    api = Api(user=people.bob)
    api.post("/api/v1/sites", {"name": "S", "domain": "example.com"})
    api.post("/api/v1/invitations", {"email": "dora@example.org", "role": "VIEWER"})
    Api(user=people.charlie).post(
        "/api/v1/invitations", {"email": "bob@example.org", "role": "VIEWER", "name": "Bobby"}
    )
    TOTP.activate(people.bob, generate_totp_secret())
    return people.bob


def test_it_works(people, key_for):
    bob = lived_in(people, key_for)
    before = everything()
    assert "bob@example.org" in before
    assert "Bobby" in before
    report = erase_user(bob)
    left = everything()
    for trace in ("bob@example.org", "Bobby", "'Bob'"):
        assert trace not in left
    assert not UserSession.objects.filter(user=bob).exists()
    assert not EmailAddress.objects.filter(user=bob).exists()
    assert not ApiKey.objects.filter(creator=bob).exists()
    assert not Membership.objects.filter(user=bob).exists()
    row = User.objects.get(pk=bob.pk)
    assert (row.is_active, row.is_staff, row.has_usable_password(), row.name) == (False, False, False, "")
    assert Activity.objects.filter(user=bob, action="site.created").exists()
    assert not [verdict for verdict in verify() if verdict.reason], "the log stays whole"
    assert report.rows["accounts.Membership"] == 1
    assert report.rows["usersessions.UserSession"] >= 1


def test_their_sessions_and_password_open_nothing(people, key_for):
    bob = lived_in(people, key_for)
    api = Api(user=bob)
    assert api.get("/api/v1/sites").status_code == 200
    erase_user(bob)
    assert api.get("/api/v1/sites").status_code == 401
    client = Api().client
    client.post("/accounts/login/", {"login": "bob@example.org", "password": "bob-password"})
    assert client.get("/api/v1/sites").status_code == 401


def test_the_address_is_free_again(people, key_for):
    erase_user(lived_in(people, key_for))
    assert User.objects.create_user("bob@example.org", "x").pk


@pytest.mark.parametrize(
    ("others", "owner"),
    [
        ({}, None),
        ({"bob": Role.VIEWER}, "bob"),
        ({"bob": Role.VIEWER, "charlie": Role.ADMIN}, "charlie"),
        ({"bob": Role.OWNER, "charlie": Role.ADMIN}, "bob"),
    ],
)
def test_a_workspace_passes_on_or_closes(people, others, owner):
    people.acme.memberships.filter(user=people.bob).delete()
    for name, role in others.items():
        add_member(people.acme, getattr(people, name), role)
    report = erase_user(people.alice)
    owners = {m.user.email.partition("@")[0] for m in people.acme.memberships.filter(role=Role.OWNER)}
    assert owners == ({owner} if owner else set())
    assert (Workspace.objects.get(pk=people.acme.pk).deleted_at is not None) is (owner is None)
    assert report.closed == ([] if owner else ["acme"])
    assert list(report.passed) == (["acme"] if owner and others[owner] != Role.OWNER else [])


def test_the_command_says_what_it_did(people):
    out = StringIO()
    call_command("erase_user", "Alice@example.org", stdout=out)
    assert "accounts.User: 1 rows" in out.getvalue()
    assert "acme is owned by bob@example.org now." in out.getvalue()
    with pytest.raises(CommandError, match="There is no user"):
        call_command("erase_user", "alice@example.org")
    out = StringIO()
    call_command("erase_user", "charlie@example.org", yes=True, json=True, stdout=out)
    assert json.loads(out.getvalue())["closed"] == ["other"]


def test_on_a_terminal_it_asks(people, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _question: "no")
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("erase_user", "bob@example.org")
    assert User.objects.filter(email="bob@example.org").exists()
