"""Mails about endpoints: to whom, when, and not twice."""

import pytest

from accounts.roles import Role
from accounts.services.members import add_member
from ajansops.kit.clock import now
from tests.conftest import Api
from tests.webhooks.receiver import Answer
from webhooks import notices
from webhooks.models import Delivery, EndpointNotice
from webhooks.notices import send_notices

SITE = {"name": "Tea", "domain": "tea.example.com"}


def add(api, receiver):
    return api.post("/api/v1/webhooks", {"url": receiver.url, "events": ["site.*"]})


@pytest.fixture
def give_up(acme, receiver, dispatch):
    """An event is tried for the tenth time, in vain."""

    def give(n: int) -> None:
        receiver.answer = lambda taken: Answer(500)
        acme.post("/api/v1/sites", SITE | {"domain": f"tea-{n}.example.com"})
        Delivery.objects.filter(status="pending").update(attempts=9)
        dispatch()

    return give


def test_the_first_event_that_is_given_up_is_told_once(people, acme, receiver, dispatch, give_up, mailoutbox):
    """To the owner and to whoever made the endpoint; again only after something has arrived."""
    add_member(people.acme, people.bob, Role.ADMIN)
    assert add(Api(user=people.bob), receiver).status_code == 201
    for n in range(2):
        give_up(n)
        send_notices()
    assert sorted(mail.to[0] for mail in mailoutbox) == ["alice@example.org", "bob@example.org"]
    assert receiver.url in mailoutbox[0].body
    receiver.answer = lambda taken: Answer()
    acme.post("/api/v1/sites", SITE)
    dispatch()
    send_notices()
    assert len(mailoutbox) == 2
    give_up(3)
    send_notices()
    assert len(mailoutbox) == 4


def test_who_has_left_is_told_nothing(people, acme, receiver, give_up, mailoutbox):
    bob = add_member(people.acme, people.bob, Role.ADMIN)
    add(Api(user=people.bob), receiver)
    bob.delete()
    give_up(0)
    send_notices()
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]


def test_an_address_that_takes_no_mail_holds_up_nobody(people, acme, receiver, give_up, monkeypatch):
    add_member(people.acme, people.bob, Role.OWNER)
    told = []
    monkeypatch.setattr(notices, "AT_ONCE", 1)
    monkeypatch.setattr(notices, "tell", lambda _name, to, *_: told.append(to) or to != "bob@example.org")
    for _ in range(2):
        add(acme, receiver)
    give_up(0)
    for _ in range(6):
        send_notices()
    assert sorted(told) == ["alice@example.org"] * 2 + ["bob@example.org"] * 2
    EndpointNotice.objects.update(next_at=now())
    for _ in range(6):
        send_notices()
    assert told.count("bob@example.org") == 4
    assert told.count("alice@example.org") == 2
