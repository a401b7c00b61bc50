"""While the name in an address is looked up nothing is locked: whoever has slow names keeps nobody else waiting."""

from dataclasses import replace

import pytest
from django.db import connection

from ajansops.kit.net import targets
from ajansops.kit.net.names import look_up
from tests.content.conftest import make_product  # noqa: F401  # a fixture
from webhooks.models import Endpoint

URL = "https://unknown.invalid/hook"
HOOKS = "/api/v1/webhooks"


@pytest.fixture
def look_ups(transactional_db, monkeypatch):
    """For each look-up, which is done as ever, whether a transaction was open meanwhile."""
    found: list[bool] = []

    def noting(host, port):
        found.append(connection.in_atomic_block)
        return look_up(host, port)

    monkeypatch.setattr(targets, "look_up", noting)
    return found


def make(api, **headers):
    return api.post(HOOKS, {"url": URL, "events": ["*"]}, **headers)


def patch(api, **headers):
    return api.patch(f"{HOOKS}/{Endpoint.objects.get().pk}", {"url": f"{URL}/2"}, **headers)


def generate(api, **headers):
    return api.post("/v1/content/generate", {"webhook_url": URL}, **headers)


@pytest.mark.parametrize("call", [make, patch, generate])
@pytest.mark.parametrize("headers", [{}, {"idempotency_key": "once"}], ids=["plain", "keyed"])
def test_no_transaction_waits_for_a_name(people, acme, make_product, look_ups, call, headers):  # noqa: F811
    make_product(people.acme)
    if call is patch:
        make(acme)
        look_ups.clear()
    answer = call(acme, **headers)
    assert answer.status_code < 300, answer.content
    assert look_ups == [False]
    if headers:
        again = call(acme, **headers)
        assert (again.content, again["Idempotent-Replayed"]) == (answer.content, "true")
        assert look_ups == [False], "what is known is not looked up"


def test_a_name_that_is_refused_leaves_its_key(acme, look_ups, settings):
    settings.ENV = replace(settings.ENV, net_allow_private=())
    inside = {"url": "https://localhost/hook", "events": ["*"]}
    answer = acme.post(HOOKS, inside, idempotency_key="once")
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["url"])
    assert make(acme, idempotency_key="once").status_code == 201
    assert look_ups == [False, False]
    assert Endpoint.objects.get().url == URL


def test_one_of_another_workspace_is_not_there(acme, other, look_ups):
    make(acme)
    assert patch(other).status_code == 404
