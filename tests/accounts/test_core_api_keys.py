"""/api/v1/api-keys: made, narrowed, rotated, revoked; never more than who makes them has."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail

from accounts import keys
from accounts.models import ApiKey
from accounts.roles import Role
from accounts.services.members import add_member
from ajansops.kit.clock import iso, now
from billing.services import set_plan
from tests.conftest import Api

PATH = "/api/v1/api-keys"
SITES = "/api/v1/sites"


def made(answer) -> dict:
    assert answer.status_code in {200, 201}, answer.content
    return answer.json()["data"]


def test_it_works(people):
    body = {
        "name": "Mobile App Key",
        "scopes": ["posts:read", "users:read"],
        "rate_limit_tier": "pro",
        "expires_at": "2036-01-01T00:00:00Z",
    }
    api = Api(user=people.alice)
    answer = api.post(PATH, body)
    assert answer.status_code == 201
    assert answer.json()["message"] == "API key created successfully."
    data = answer.json()["data"]
    assert keys.parse(data["key"])
    assert {name: data[name] for name in body} == body
    listed = api.get(PATH).json()["data"]
    assert [row["id"] for row in listed] == [data["id"]]
    shown = api.get(f"{PATH}/{data['id']}").json()["data"]
    assert shown["prefix"] == data["key"][:11]
    for text in (str(listed), str(shown)):
        assert data["key"][11:] not in text


def test_what_is_made_opens(people):
    key = made(Api(user=people.alice).post(PATH, {"name": "K"}))
    assert key["scopes"] == ["*:read", "*:write"]
    api = Api(key=key["key"])
    assert api.get(SITES).status_code == 200
    assert api.post(SITES, {"name": "S", "domain": "example.com"}).status_code == 201
    assert api.delete(f"{SITES}/1").status_code == 403


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": "K", "scopes": []}, "scopes"),
        ({"name": "K", "scopes": ["posts"]}, "scopes"),
        ({"name": "K", "scopes": ["posts:fly"]}, "scopes"),
        ({"name": "K", "scopes": ["*:*"]}, "scopes"),
        ({"name": "K", "scopes": "posts:read"}, "scopes"),
        ({"name": "K", "rate_limit_tier": "business"}, "rate_limit_tier"),
        ({"name": "K", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"name": "K", "expires_at": "soon"}, "expires_at"),
        ({"name": "K", "workspace": 1}, "workspace"),
    ],
)
def test_what_is_wrong_is_named(people, body, field):
    answer = Api(user=people.alice).post(PATH, body)
    assert answer.status_code == 422
    assert [name.split(".")[0] for name in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("mine", "wanted", "status"),
    [
        (["api-keys:write", "posts:read"], ["posts:read"], 201),
        (["api-keys:write", "posts:*"], ["posts:read", "posts:publish"], 201),
        (["api-keys:write", "*:read"], ["posts:read", "*:read"], 201),
        (["*"], ["*"], 201),
        (["*"], ["posts:*", "*:delete"], 201),
        (["api-keys:write", "posts:read"], ["posts:write"], 403),
        (["api-keys:write", "posts:read"], ["posts:*"], 403),
        (["api-keys:write", "posts:*"], ["*:read"], 403),
        (["*:read", "*:write"], ["*"], 403),
        (["*:read", "*:write"], ["sites:delete"], 403),
        (["api-keys:write", "posts:*"], ["*"], 403),
        (["api-keys:read", "posts:*"], ["posts:read"], 403),
    ],
)
def test_a_key_mints_within_its_scopes(people, key_for, mine, wanted, status):
    answer = Api(key=key_for(people.acme, *mine)).post(PATH, {"name": "K", "scopes": wanted})
    assert answer.status_code == status, answer.content
    if status == 403:
        assert answer.json()["error"] == "access_denied"


@pytest.mark.parametrize(
    ("role", "wanted", "status"),
    [
        (Role.VIEWER, ["posts:read"], 403),
        (Role.EDITOR, ["posts:read"], 403),
        (Role.ADMIN, ["posts:read", "sites:delete", "api-keys:write"], 201),
        (Role.ADMIN, ["workspaces:delete"], 403),
        (Role.ADMIN, ["*"], 403),
        (Role.OWNER, ["*"], 201),
    ],
)
def test_a_person_mints_within_their_role(people, role, wanted, status):
    add_member(people.acme, people.bob, role)
    assert Api(user=people.bob).post(PATH, {"name": "K", "scopes": wanted}).status_code == status


def test_default_scopes_are_cut_to_what_the_maker_has(people, key_for):
    api = Api(key=key_for(people.acme, "api-keys:write", "sites:*"))
    assert made(api.post(PATH, {"name": "K"}))["scopes"] == ["api-keys:write", "sites:read", "sites:write"]


@pytest.mark.parametrize(
    ("own", "wanted", "status"),
    [("", "pro", 201), ("", "agency", 403), ("starter", "starter", 201), ("starter", "pro", 403)],
)
def test_a_tier_only_lowers(people, own, wanted, status):
    set_plan(people.acme.pk, "growth")
    api = Api(user=people.alice)
    if own:
        api = Api(key=made(api.post(PATH, {"name": "K", "scopes": ["*"], "rate_limit_tier": own}))["key"])
    answer = api.post(PATH, {"name": "K", "rate_limit_tier": wanted})
    assert answer.status_code == status
    inherited = made(api.post(PATH, {"name": "K"}))
    assert inherited["rate_limit_tier"] == (own or "pro")


def test_a_tier_never_stays_above_the_workspaces(people):
    api = Api(user=people.alice)
    key = made(api.post(PATH, {"name": "K", "rate_limit_tier": "agency"}))
    set_plan(people.acme.pk, "starter")
    assert api.get(f"{PATH}/{key['id']}").json()["data"]["rate_limit_tier"] == "starter"


def test_a_test_key_makes_test_keys_only(people, key_for):
    api = Api(key=key_for(people.acme, test=True))
    assert made(api.post(PATH, {"name": "K"}))["key"].startswith("sk_test_")
    assert api.post(PATH, {"name": "K", "test": False}).status_code == 403
    live = ApiKey.objects.create(
        workspace=people.acme, name="live", public_id="x" * 8, prefix="sk_live_xxx", digest="0" * 64, scopes=["*"]
    )
    assert api.post(f"{PATH}/{live.pk}/rotate").status_code == 403
    assert api.patch(f"{PATH}/{live.pk}", {"name": "mine"}).status_code == 403


@pytest.mark.parametrize("hours", [None, 0, 1, 720])
def test_rotation_keeps_the_old_key_for_the_grace(people, hours):
    api = Api(user=people.alice)
    with time_machine.travel("2026-01-15T10:30:00Z", tick=False) as clock:
        old = made(api.post(PATH, {"name": "K", "scopes": ["sites:read"]}))
        answer = api.post(f"{PATH}/{old['id']}/rotate", {} if hours is None else {"grace_period_hours": hours})
        new = made(answer)
        assert answer.json()["message"] == "API key rotated successfully."
        assert (new["name"], new["scopes"]) == ("K", ["sites:read"])
        assert new["id"] != old["id"]
        grace = timedelta(hours=24 if hours is None else hours)
        assert new["grace_period_ends_at"] == iso(now() + grace)
        family = set(ApiKey.objects.values_list("family", flat=True))
        assert len(family) == 1
        assert Api(key=new["key"]).get(SITES).status_code == 200
        assert Api(key=old["key"]).get(SITES).status_code == (200 if hours != 0 else 401)
        if hours != 0:
            clock.shift(grace - timedelta(seconds=1))
            assert Api(key=old["key"]).get(SITES).status_code == 200
            assert (
                len(Api(key=made(api.post(PATH, {"name": "L", "scopes": ["*"]}))["key"]).get(PATH).json()["data"]) == 3
            )
            clock.shift(timedelta(seconds=1))
        assert Api(key=old["key"]).get(SITES).status_code == 401
        assert Api(key=new["key"]).get(SITES).status_code == 200
        assert api.get(f"{PATH}/{old['id']}").status_code == 404


def test_grace_never_outlives_the_keys_own_expiry(people):
    api = Api(user=people.alice)
    with time_machine.travel("2026-01-15T10:30:00Z", tick=False):
        old = made(api.post(PATH, {"name": "K", "expires_at": "2026-01-15T12:00:00Z"}))
        new = made(api.post(f"{PATH}/{old['id']}/rotate", {"grace_period_hours": 48}))
    assert new["grace_period_ends_at"] == "2026-01-15T12:00:00Z"


@pytest.mark.parametrize("hours", [-1, 721, "x", 1.5, None])
def test_a_grace_has_bounds(people, hours):
    key = made(Api(user=people.alice).post(PATH, {"name": "K"}))
    answer = Api(user=people.alice).post(f"{PATH}/{key['id']}/rotate", {"grace_period_hours": hours})
    assert answer.status_code == 422


def test_a_key_is_rotated_once_and_may_rotate_itself(people, key_for):
    api = Api(key=key_for(people.acme, "api-keys:*", "sites:read"))
    pk = ApiKey.objects.get().pk
    new = made(api.post(f"{PATH}/{pk}/rotate"))
    again = api.post(f"{PATH}/{pk}/rotate")
    assert (again.status_code, again.json()["error"]) == (409, "already_rotated")
    assert Api(key=new["key"]).get(SITES).status_code == 200


def test_rotating_or_changing_a_stronger_key_is_refused_revoking_it_is_not(people, key_for):
    add_member(people.acme, people.bob, Role.ADMIN)
    key_for(people.acme, "sites:read", creator=people.alice)
    owners = ApiKey.objects.get()
    bob = Api(user=people.bob)
    assert bob.post(f"{PATH}/{owners.pk}/rotate").status_code == 403, "it acts as an OWNER"
    assert bob.patch(f"{PATH}/{owners.pk}", {"name": "mine"}).status_code == 403
    weak = Api(key=key_for(people.acme, "api-keys:*"))
    assert weak.post(f"{PATH}/{owners.pk}/rotate").status_code == 403, "it reads sites"
    assert weak.patch(f"{PATH}/{owners.pk}", {"scopes": ["api-keys:read"]}).status_code == 403
    assert bob.delete(f"{PATH}/{owners.pk}").status_code == 204


def test_a_change_narrows(people):
    api = Api(user=people.alice)
    key = made(api.post(PATH, {"name": "K", "scopes": ["sites:*"]}))
    data = made(api.patch(f"{PATH}/{key['id']}", {"scopes": ["sites:read"], "rate_limit_tier": "free"}))
    assert (data["name"], data["scopes"], data["rate_limit_tier"]) == ("K", ["sites:read"], "free")
    assert Api(key=key["key"]).post(SITES, {"name": "S", "domain": "example.com"}).status_code == 403
    add_member(people.acme, people.bob, Role.ADMIN)
    mine = made(Api(user=people.bob).post(PATH, {"name": "B", "scopes": ["sites:read"]}))
    assert Api(user=people.bob).patch(f"{PATH}/{mine['id']}", {"scopes": ["workspaces:delete"]}).status_code == 403


def test_a_revoked_key_is_gone_at_once(people):
    api = Api(user=people.alice)
    key = made(api.post(PATH, {"name": "K"}))
    assert Api(key=key["key"]).get(SITES).status_code == 200
    assert api.delete(f"{PATH}/{key['id']}").status_code == 204
    assert Api(key=key["key"]).get(SITES).status_code == 401
    assert api.get(PATH).json()["data"] == []
    assert api.delete(f"{PATH}/{key['id']}").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_leaked_key_ends_by_itself_and_the_owner_hears_of_it(people, key_for):
    raw = key_for(people.acme)
    wrong = raw[:20] + ("a" if raw[20] != "a" else "b") + raw[21:]
    answers = [
        Api().post(f"{PATH}/revoke-leaked", {"key": text}) for text in (wrong, "nonsense", keys.make(test=False).text)
    ]
    assert Api(key=raw).get(SITES).status_code == 200
    assert mail.outbox == []
    answers.append(Api().post(f"{PATH}/revoke-leaked", {"key": raw}))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1, "nothing is learnt by asking"
    assert Api(key=raw).get(SITES).status_code == 401
    assert [message.to for message in mail.outbox] == [["alice@example.org"]]
    assert raw not in mail.outbox[0].body + mail.outbox[0].subject


def test_a_key_of_somebody_who_may_not_sign_in_any_more_is_401(people, key_for):
    api = Api(key=key_for(people.acme, creator=people.alice))
    people.alice.is_active = False
    people.alice.save()
    assert api.get(SITES).status_code == 401


def test_two_authorization_headers_are_refused(people, key_for):
    key = key_for(people.acme)
    answer = Api(authorization=f"Bearer {key},Bearer {key}").get(SITES)
    assert answer.status_code == 400
