"""Receivers that answer oddly, or late: what is kept of it, and who else feels it."""

import pytest

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
