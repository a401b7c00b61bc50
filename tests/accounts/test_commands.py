"""What operators do at a terminal."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Activity, ApiKey, Membership, User, Workspace
from billing.selectors import plan_of
from tests.conftest import Api

pytestmark = pytest.mark.django_db


def run(*args, **options) -> str:
    out = StringIO()
    call_command(*args, stdout=out, **options)
    return out.getvalue()


def data(*args) -> dict:
    return json.loads(run(*args, "--json"))


def test_a_workspace_with_its_owner(db):
    made = data(
        "create_workspace",
        "Özgür Ajans",
        "--slug",
        "ozgur",
        "--plan",
        "growth",
        "--owner",
        "A@example.org",
        "--password",
        "secret-password",
    )
    workspace = Workspace.objects.get(slug="ozgur")
    owner = User.objects.get(email="a@example.org")
    assert made == {
        "workspace": {"id": workspace.pk, "slug": "ozgur", "plan": "growth"},
        "owner": {"id": owner.pk, "email": "a@example.org"},
    }
    assert plan_of(workspace.pk).code == "growth"
    assert Membership.objects.get(user=owner).role == "OWNER"
    client = Api().client
    client.post("/accounts/login/", {"login": "a@example.org", "password": "secret-password"})
    assert client.get("/api/v1/workspaces").json()["data"][0]["slug"] == "ozgur"
    assert {
        line.via for line in Activity.objects.filter(workspace=workspace).exclude(action__startswith="session")
    } == {"command"}


def test_a_password_is_made_up_for_a_new_owner_and_printed_once(db):
    made = data("create_workspace", "W", "--owner", "a@example.org")
    assert User.objects.get().check_password(made["owner"]["password"])
    assert "password" not in data("create_workspace", "W2", "--owner", "a@example.org")["owner"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["create_workspace", "W", "--plan", "nope"], "Unknown plan"),
        (["create_workspace", "W", "--slug", "acme"], "slug"),
        (["create_workspace", "W", "--owner", "nobody"], "no e-mail address"),
        (["create_workspace", "W", "--owner", "alice@example.org", "--password", "other"], "another password"),
        (["create_user", "new@example.org", "--workspace", "nope"], "no workspace 'nope'"),
        (["create_user", "new@example.org", "--workspace", "acme", "--role", "KING"], "invalid choice"),
        (["create_user", "alice@example.org"], "has an account"),
        (["create_api_key", "nope", "--name", "K"], "no workspace 'nope'"),
        (["create_api_key", "acme", "--name", "K", "--scopes", "fly"], "not a scope"),
        (["revoke_api_key", "12345"], "no living key"),
        (["revoke_api_key", "sk_live_x"], "no living key"),
        (["restore_workspace", "acme"], "no deleted workspace"),
    ],
)
def test_what_is_refused_is_one_clear_line_and_leaves_nothing(people, args, says):
    counts = [model.objects.count() for model in (User, Workspace, Membership, ApiKey, Activity)]
    with pytest.raises(CommandError) as caught:
        run(*args)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert [model.objects.count() for model in (User, Workspace, Membership, ApiKey, Activity)] == counts


def test_a_user_joins_and_changes_role(people):
    made = data(
        "create_user", "dora@example.org", "--workspace", "acme", "--role", "editor", "--password", "pw", "--staff"
    )
    assert (made["email"], made["role"], made["workspace_id"]) == ("dora@example.org", "EDITOR", people.acme.pk)
    assert User.objects.get(pk=made["id"]).is_staff
    data("create_user", "dora@example.org", "--workspace", "acme", "--role", "ADMIN")
    assert Membership.objects.get(user=made["id"]).role == "ADMIN"


def test_a_key_opens_within_its_scopes(people):
    made = data("create_api_key", "acme", "--name", "N", "--scopes", "sites:read", "generate_tags", "--tier", "starter")
    row = ApiKey.objects.get()
    assert made == {
        "id": row.pk,
        "key": made["key"],
        "prefix": made["key"][:11],
        "workspace_id": people.acme.pk,
        "name": "N",
        "scopes": ["sites:read", "tags:write"],
        "rate_limit_tier": "starter",
        "test": False,
    }
    assert Api(key=made["key"]).get("/api/v1/sites").status_code == 200
    assert Api(key=made["key"]).get("/api/v1/products").status_code == 403
    assert data("create_api_key", "acme", "--name", "T", "--test")["key"].startswith("sk_test_")


def test_a_key_may_act_as_a_member(people):
    made = data("create_api_key", "acme", "--name", "N", "--scopes", "*", "--creator", "bob@example.org")
    api = Api(key=made["key"])
    assert api.get("/api/v1/sites").status_code == 200
    assert api.post("/api/v1/sites", {"name": "S", "domain": "example.com"}).status_code == 403


@pytest.mark.parametrize("by", ["id", "key", "-"])
def test_a_key_is_revoked_by_id_or_by_itself(people, by, monkeypatch):
    made = data("create_api_key", "acme", "--name", "N")
    monkeypatch.setattr("sys.stdin", StringIO(made["key"] + "\n"))
    told = data("revoke_api_key", str(made.get(by, by)))
    assert told == {"id": made["id"], "prefix": made["prefix"], "workspace_id": people.acme.pk, "revoked": True}
    assert Api(key=made["key"]).get("/api/v1/sites").status_code == 401
    with pytest.raises(CommandError):
        run("revoke_api_key", str(made["id"]))


def test_a_deleted_workspace_is_restored(people):
    Api(user=people.alice).delete(f"/api/v1/workspaces/{people.acme.pk}")
    assert data("restore_workspace", "acme") == {"workspace": {"id": people.acme.pk, "slug": "acme"}}
    assert Api(user=people.alice).get("/api/v1/sites").status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "create_workspace",
        "create_user",
        "create_api_key",
        "revoke_api_key",
        "restore_workspace",
        "export_account",
        "erase_user",
        "verify_activity",
    ],
)
def test_every_command_has_help_and_json(name, capsys):
    with pytest.raises(SystemExit) as left:
        call_command(name, "--help")
    assert left.value.code == 0
    assert "--json" in capsys.readouterr().out
