"""/api/v1/workspaces: founding, changing, deleting with a grace."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors import operator
from accounts.models import Activity, Membership, Workspace
from accounts.roles import Role
from accounts.services.members import add_member
from accounts.services.workspaces import purge_workspaces, restore_workspace
from ajansops.kit.clock import now
from tests.conftest import Api

PATH = "/api/v1/workspaces"


def of(workspace) -> str:
    return f"{PATH}/{workspace.pk}"


def test_it_works(people):
    answer = Api(user=people.bob).post(PATH, {"name": "Bob & Söhne", "settings": {"locale": "tr_TR"}})
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    assert answer.json()["message"] == "Workspace created successfully."
    assert (data["slug"], data["tier"], data["settings"]) == (
        "bob-sohne",
        "free",
        {"timezone": "UTC", "locale": "tr_TR"},
    )
    assert Membership.objects.get(workspace=data["id"]).user == people.bob
    assert Membership.objects.get(workspace=data["id"]).role == Role.OWNER


def test_somebody_in_no_workspace_founds_their_first(people):
    Membership.objects.filter(user=people.bob).delete()
    api = Api(user=people.bob)
    assert api.get(PATH).json()["data"] == []
    made = api.post(PATH, {"name": "First"}).json()["data"]
    assert [row["id"] for row in api.get(PATH).json()["data"]] == [made["id"]]
    assert api.get("/api/v1/sites").status_code == 200


def test_somebody_in_several_lists_them_without_choosing(people):
    add_member(people.other, people.alice, Role.VIEWER)
    api = Api(user=people.alice)
    assert {row["slug"] for row in api.get(PATH).json()["data"]} == {"acme", "other"}
    assert api.get(of(people.other)).status_code == 200
    assert api.patch(of(people.acme), {"name": "Acme 2"}).status_code == 200
    assert api.patch(of(people.other), {"name": "Mine"}).status_code == 403, "a VIEWER there"


@pytest.mark.parametrize(("superuser", "tier"), [(False, "free"), (True, "pro")])
def test_a_paid_tier_is_only_given_by_operators(people, superuser, tier):
    people.alice.is_superuser = superuser
    people.alice.save()
    data = Api(user=people.alice).post(PATH, {"name": "New Workspace", "slug": "new", "tier": "pro"}).json()["data"]
    assert data["tier"] == tier
    assert ("requested_tier" in data, "upgrade_url" in data) == (not superuser, not superuser)
    if not superuser:
        assert data["requested_tier"] == "pro"
        assert data["upgrade_url"].startswith("http")


def test_a_key_founds_for_its_maker_or_for_the_owners(people, key_for):
    add_member(people.acme, people.bob, Role.EDITOR)
    mine = Api(key=key_for(people.acme, "workspaces:write", creator=people.bob)).post(PATH, {"name": "By key"})
    assert [m.user for m in Membership.objects.filter(workspace=mine.json()["data"]["id"])] == [people.bob]
    api = Api(key=key_for(people.acme))
    made = api.post(PATH, {"name": "By operator's key"})
    assert [m.user for m in Membership.objects.filter(workspace=made.json()["data"]["id"])] == [people.alice]
    assert api.get(f"{PATH}/{made.json()['data']['id']}").status_code == 404, "a key sees its own only"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": "N", "slug": "No Slug"}, "slug"),
        ({"name": "N", "slug": "-n"}, "slug"),
        ({"name": "N", "slug": "n" * 64}, "slug"),
        ({"name": "N", "tier": "business"}, "tier"),
        ({"name": "N", "settings": {"timezone": "Mars/Base"}}, "settings.timezone"),
        ({"name": "N", "settings": {"locale": "de_DE"}}, "settings.locale"),
        ({"name": "N", "settings": {"theme": "dark"}}, "settings.theme"),
        ({"name": "N", "owner": 1}, "owner"),
        ({"name": "N", "id": 1}, "id"),
    ],
)
def test_what_is_wrong_is_named(people, body, field):
    answer = Api(user=people.alice).post(PATH, body)
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed")
    assert list(answer.json()["errors"]) == [field]


def test_a_slug_is_taken_once_and_made_up_ones_never_clash(people):
    api = Api(user=people.alice)
    answer = api.post(PATH, {"name": "X", "slug": "other"})
    assert (answer.status_code, answer.json()["error"], list(answer.json()["errors"])) == (409, "conflict", ["slug"])
    slugs = [api.post(PATH, {"name": name}).json()["data"]["slug"] for name in ("Acme", "Acme", "İĞÜŞıçö", "東京")]
    assert slugs[0].startswith("acme-")
    assert len(set(slugs)) == 4
    assert slugs[2:] == ["igusico", "workspace"]


def test_a_change_keeps_what_is_not_named(people):
    api = Api(user=people.alice)
    api.patch(of(people.acme), {"settings": {"locale": "hu_HU"}})
    answer = api.patch(of(people.acme), {"name": "Updated Name", "settings": {"timezone": "Europe/London"}})
    assert answer.status_code == 200
    assert set(answer.json()) == {"message", "data"}
    data = answer.json()["data"]
    assert (data["name"], data["slug"]) == ("Updated Name", "acme")
    assert data["settings"] == {"timezone": "Europe/London", "locale": "hu_HU"}


@pytest.mark.parametrize(
    ("role", "change", "delete"),
    [(Role.VIEWER, 403, 403), (Role.EDITOR, 403, 403), (Role.ADMIN, 200, 403), (Role.OWNER, 200, 204)],
)
def test_who_may_change_and_delete(people, role, change, delete):
    add_member(people.acme, people.bob, role)
    api = Api(user=people.bob)
    assert api.patch(of(people.acme), {"name": "N"}).status_code == change
    assert api.delete(of(people.acme)).status_code == delete
    assert Api(user=people.charlie).delete(of(people.acme)).status_code == 404


def test_a_deleted_one_is_closed_at_once_and_comes_back_within_the_grace(people, acme):
    api = Api(user=people.alice)
    assert api.delete(of(people.acme)).status_code == 204
    assert acme.get(PATH).status_code == 401
    assert api.get(of(people.acme)).status_code == 404
    assert api.get(PATH).json()["data"] == []
    assert purge_workspaces() == {"workspaces_purged": 0}
    restore_workspace(operator(people.acme.pk), people.acme)
    assert acme.get(PATH).status_code == 200
    assert api.get(of(people.acme)).status_code == 200


def test_after_the_grace_it_goes_for_good_and_the_platform_remembers(people, acme):
    Api(user=people.alice).delete(of(people.acme))
    with time_machine.travel(now() + timedelta(days=30, minutes=1)):
        assert purge_workspaces() == {"workspaces_purged": 1}
        assert purge_workspaces() == {"workspaces_purged": 0}
    assert not Workspace.objects.filter(slug="acme").exists()
    assert not Activity.objects.filter(workspace=people.acme.pk).exists()
    line = Activity.objects.get(action="workspace.purged")
    assert (line.workspace_id, line.object_id, line.changes["slug"]) == (None, str(people.acme.pk), ["acme", None])
    assert Workspace.objects.filter(slug="other").exists()


def test_a_lists_queries_do_not_grow_with_it(people):
    api = Api(user=people.alice)
    counts = []
    for rows in (1, 13):
        with CaptureQueriesContext(connection) as queries:
            assert len(api.get(PATH, X_Workspace_ID=str(people.acme.pk)).json()["data"]) == rows
        counts.append(len(queries))
        for number in range(12):
            api.post(PATH, {"name": f"W{number}"})
    assert counts[1] <= counts[0], "the first call also creates the session's row"
