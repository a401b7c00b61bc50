"""Places for members: an open invitation keeps one, and nobody comes in without one."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail

from accounts.models import ApiKey, Membership, User
from accounts.roles import Role
from accounts.services.members import add_member
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, counted
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)  # mail goes out on commit
PATH, KEYS = "/api/v1/invitations", "/api/v1/api-keys"
NEW = {"name": "Dora", "password": "a-long-password-of-dora"}


def invite(people, email: str = "dora@example.org") -> int:
    return Api(user=people.alice).post(PATH, {"email": email, "role": "EDITOR"}).status_code


def link() -> str:
    """Of the last mail."""
    return re.search(r"https?://[^/\s]+(/accounts/invitations/\S+)", mail.outbox[-1].body)[1]


def test_an_open_invitation_keeps_a_place_until_it_is_revoked_or_expires(people, limit):
    limit(Feature.MEMBERS, 3)
    alice = Api(user=people.alice)
    assert (invite(people), invite(people, "eve@example.org")) == (201, 403)
    (row,) = alice.get(PATH).json()["data"]
    assert alice.delete(f"{PATH}/{row['id']}").status_code == 204
    assert (invite(people, "eve@example.org"), invite(people)) == (201, 403)
    with time_machine.travel(now() + timedelta(days=8), tick=True):
        assert invite(people) == 201


def test_accepting_takes_the_place_that_was_kept(people, limit):
    limit(Feature.MEMBERS, 3)
    invite(people)
    assert Api().client.post(link(), NEW).status_code == 302
    assert counted(people.acme.pk, Feature.MEMBERS) == 3
    assert Membership.objects.filter(workspace=people.acme).count() == 3


@pytest.mark.parametrize("who", ["a new person", "somebody known"])
def test_nobody_joins_a_workspace_whose_plan_became_too_small(people, limit, who):
    email = "dora@example.org" if who == "a new person" else "charlie@example.org"
    invite(people, email)
    limit(Feature.MEMBERS, 2)
    api = Api() if who == "a new person" else Api(user=people.charlie)
    answer = api.client.post(link(), NEW)
    assert answer.status_code == 403
    assert "no room for another member" in answer.content.decode()
    assert not Membership.objects.filter(workspace=people.acme, user__email=email).exists()
    assert User.objects.filter(email="dora@example.org").exists() is False
    limit(Feature.MEMBERS, 3)
    assert api.client.post(link(), NEW).status_code == 302, "the invitation is still open"


def test_sending_an_expired_invitation_again_asks_for_its_place(people, limit):
    invite(people)
    alice = Api(user=people.alice)
    (row,) = alice.get(PATH).json()["data"]
    limit(Feature.MEMBERS, 3)
    assert alice.post(f"{PATH}/{row['id']}/resend").status_code == 200, "it has a place"
    with time_machine.travel(now() + timedelta(days=8), tick=True):
        assert invite(people, "eve@example.org") == 201
        assert alice.post(f"{PATH}/{row['id']}/resend").status_code == 403


def test_a_founder_needs_no_place(people, limit, key_for):
    add_member(people.acme, people.bob, Role.OWNER)
    add_member(people.acme, people.charlie, Role.OWNER)
    answer = Api(key=key_for(people.acme)).post("/api/v1/workspaces", {"name": "New"})
    assert answer.status_code == 201
    assert Membership.objects.filter(workspace=answer.json()["data"]["id"]).count() == 3


def test_rotating_a_key_needs_no_place_and_gives_none(people, limit):
    alice = Api(user=people.alice)
    key = alice.post(KEYS, {"name": "K"}).json()["data"]["id"]
    limit(Feature.API_KEYS, 1)
    assert alice.post(f"{KEYS}/{key}/rotate", {"grace_period_hours": 24}).status_code == 200
    assert ApiKey.objects.alive().count() == 2
    assert counted(people.acme.pk, Feature.API_KEYS) == 1
    assert alice.post(KEYS, {"name": "L"}).status_code == 403


def test_a_key_that_is_rotated_again_and_again_takes_a_place_for_each_in_its_grace(people, limit):
    """Else a plan of one key would be one of as many as there is patience for."""
    alice = Api(user=people.alice)

    def rotate(key: int, hours: int):
        return alice.post(f"{KEYS}/{key}/rotate", {"grace_period_hours": hours})

    first = alice.post(KEYS, {"name": "K"}).json()["data"]["id"]
    limit(Feature.API_KEYS, 1)
    second = rotate(first, 24).json()["data"]["id"]
    assert rotate(second, 24).json()["error"] == "feature_limit_reached"
    limit(Feature.API_KEYS, 2)
    third = rotate(second, 24).json()["data"]["id"]
    assert counted(people.acme.pk, Feature.API_KEYS) == 2
    assert rotate(third, 24).status_code == 403
    assert rotate(third, 0).status_code == 200, "without a grace it takes no place"
    assert counted(people.acme.pk, Feature.API_KEYS) == ApiKey.objects.alive().count() - 1 == 2


def test_a_key_in_its_grace_has_a_place_when_its_new_one_is_revoked(people, limit):
    alice = Api(user=people.alice)
    limit(Feature.API_KEYS, 1)
    key = alice.post(KEYS, {"name": "K"}).json()["data"]["id"]
    new = alice.post(f"{KEYS}/{key}/rotate", {"grace_period_hours": 24}).json()["data"]["id"]
    assert alice.delete(f"{KEYS}/{new}").status_code == 204
    assert alice.post(KEYS, {"name": "L"}).status_code == 403


def test_an_expired_key_keeps_its_place_until_it_is_revoked(people, limit):
    alice = Api(user=people.alice)
    ends = (now() + timedelta(minutes=1)).isoformat()
    key = alice.post(KEYS, {"name": "K", "expires_at": ends}).json()["data"]["id"]
    limit(Feature.API_KEYS, 1)
    with time_machine.travel(now() + timedelta(hours=1), tick=True):
        assert alice.post(KEYS, {"name": "L"}).status_code == 403
        assert alice.delete(f"{KEYS}/{key}").status_code == 204
        assert alice.post(KEYS, {"name": "L"}).status_code == 201
