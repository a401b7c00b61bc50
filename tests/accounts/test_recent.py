"""Where there is Redis a key's owner is remembered for a second. What takes rights away counts with the next call."""

from dataclasses import replace

import pytest
from django.test import Client

from accounts.actors import operator
from accounts.models import ApiKey, Membership
from accounts.recent import RECENT
from accounts.roles import Role
from accounts.services import api_keys, erasure, members, workspaces

PERSONAS = "/api/v1/personas"
BODY = '{"name": "Somebody"}'


@pytest.fixture(autouse=True)
def _with_redis(settings):
    """No call is made to it: the limiter has its own."""
    settings.ENV = replace(settings.ENV, redis_url=settings.ENV.redis_url or "redis://127.0.0.1:1/0")
    yield
    RECENT.forget()


@pytest.fixture
def key(people, key_for) -> str:
    """Bob is an editor, and this is his."""
    Membership.objects.filter(workspace=people.acme, user=people.bob).update(role=Role.EDITOR)
    return key_for(people.acme, creator=people.bob)


def post(raw: str) -> int:
    """The status of a call that an editor may make. Not `Api`, which forgets before each call."""
    headers = {"authorization": f"Bearer {raw}"}
    return Client().post(PERSONAS, BODY, content_type="application/json", headers=headers).status_code


def of_bob(people) -> Membership:
    return Membership.objects.get(workspace=people.acme, user=people.bob)


TAKEN = {
    "revoked": (lambda people, actor: api_keys.revoke_api_key(actor, ApiKey.objects.get()), 401),
    "scopes cut": (
        lambda people, actor: api_keys.update_api_key(actor, ApiKey.objects.get(), scopes=["sites:read"]),
        403,
    ),
    "demoted": (lambda people, actor: members.change_role(actor, of_bob(people), role=Role.VIEWER), 403),
    "removed": (lambda people, actor: members.remove_member(actor, of_bob(people)), 401),
    "erased": (lambda people, actor: erasure.erase_user(people.bob), 401),
    "workspace deleted": (lambda people, actor: workspaces.delete_workspace(actor, people.acme), 401),
}


@pytest.mark.parametrize(("take", "status"), TAKEN.values(), ids=TAKEN)
def test_what_takes_rights_away_counts_with_the_next_call(people, key, take, status):
    assert post(key) == 201
    take(people, operator(people.acme.pk))
    assert post(key) == status


def test_a_change_behind_its_back_counts_after_a_second(people, key, monkeypatch):
    assert post(key) == 201
    ApiKey.objects.update(scopes=["sites:read"])
    assert post(key) == 409, "remembered: it is let in, and the name is taken"
    later = RECENT._known
    monkeypatch.setattr("accounts.recent.monotonic", lambda: max(known.until for known in later.values()))
    assert post(key) == 403


def test_what_was_read_before_a_change_is_not_kept_after_it(people, key):
    actor, before = operator(people.acme.pk), RECENT.changes
    RECENT.forget()
    RECENT.keep("somebody", actor, changes=before)
    assert RECENT.find("somebody") is None
