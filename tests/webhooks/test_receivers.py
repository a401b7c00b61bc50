"""Receivers that answer oddly, or late: what is kept of it, and who else feels it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connections

from tests.webhooks.receiver import Answer
from webhooks.models import Delivery

SITE = {"name": "Tea", "domain": "tea.example.com"}


@pytest.mark.parametrize("said", [b"\xff" * 9000, "ğ".encode() * 4000, b"a" + "ğ".encode() * 4000, b"a\0" * 4000])
def test_of_any_answer_4_kib_are_kept(acme, receiver, dispatch, endpoint, said):
    receiver.answer = lambda taken: Answer(200, said)
    acme.post("/api/v1/sites", SITE)
    dispatch()
    kept = Delivery.objects.get().response_body
    assert kept
    assert len(kept.encode()) <= 4096


def test_a_workspace_tests_one_endpoint_at_a_time(transactional_db, acme, other, receiver, endpoint):
    theirs = other.post("/api/v1/webhooks", {"url": receiver.url, "events": ["*"]}).json()["data"]
    arrived, released = Event(), Event()

    def hold(taken):
        arrived.set()
        assert released.wait(10)
        return Answer()

    def test(api, one):
        try:
            return api.post(f"/api/v1/webhooks/{one['id']}/test")
        finally:
            connections.close_all()

    receiver.answer = hold
    with ThreadPoolExecutor() as pool:
        first = pool.submit(test, acme, endpoint)
        assert arrived.wait(10)
        refused = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test")
        receiver.answer = lambda taken: Answer()
        elsewhere = other.post(f"/api/v1/webhooks/{theirs['id']}/test")
        released.set()
        assert first.result().status_code == 200
    assert (refused.status_code, refused.json()["message"]) == (
        429,
        "A test is under way. Try again when it has ended.",
    )
    assert elsewhere.status_code == 200
    assert acme.post(f"/api/v1/webhooks/{endpoint['id']}/test").status_code == 200
