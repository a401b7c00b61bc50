"""Mails about payments: once each, to the customer's address and the owners', and never lost."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.core.management import call_command
from django.db import transaction

from accounts.models import Membership, Workspace
from accounts.roles import Role
from accounts.services.erasure import erase_user
from ajansops.kit.clock import now
from billing.models import Notice, NoticeKind, Status, Subscription
from billing.notices import notify, send_notices
from tests.accounts.backends import Down
from tests.conftest import Api

PAYER = "payer@example.net"
FACTS = {
    NoticeKind.PAYMENT_FAILED: {"amount": 29_900_00, "currency": "huf", "pay_url": "https://invoice.stripe.com/i/1"},
    NoticeKind.WIN_BACK: {},
    NoticeKind.ANNUAL_OFFER: {"plan": "growth", "currency": "eur"},
}
WHEN = {  # the state in which each is true
    NoticeKind.PAYMENT_FAILED: {"status": Status.PAST_DUE},
    NoticeKind.WIN_BACK: {"status": Status.CANCELED},
    NoticeKind.ANNUAL_OFFER: {"status": Status.ACTIVE},
}
DOWN = f"{Down.__module__}.{Down.__name__}"


def subscribed(workspace, **changes) -> None:
    fields = {"plan": "growth", "customer": "cus_0001", "stripe_id": "sub_1", "interval": "month", "currency": "eur"}
    Subscription.objects.filter(workspace=workspace).update(**fields | changes)


def tell(workspace, kind=NoticeKind.PAYMENT_FAILED, source="evt_1") -> None:
    with transaction.atomic():
        notify(kind, workspace.pk, source, facts=FACTS[kind])


def without_customer(workspace) -> None:
    """So that the owner's is the only mail."""
    Subscription.objects.filter(workspace=workspace).update(customer="")


def link(number: int = -1) -> str:
    """Of a mail, to our page."""
    return re.search(r"https?://[^/]+(/billing/portal/\S+)", mail.outbox[number].body)[1]


@pytest.fixture(autouse=True)
def payer(stripe):
    """The customer as Stripe has it."""
    stripe.customers["cus_0001"] = {"id": "cus_0001", "object": "customer", "email": PAYER}
    return stripe.customers["cus_0001"]


@pytest.fixture
def late(people):
    subscribed(people.acme, status=Status.PAST_DUE)
    return people


def test_it_works(late):
    tell(late.acme)
    assert mail.outbox == []  # not in the transaction
    call_command("periodic", "run", "billing_notices")
    assert [sent.to for sent in mail.outbox] == [["alice@example.org"], [PAYER]]
    assert "29,900 HUF" in mail.outbox[0].body
    assert "https://invoice.stripe.com/i/1" in mail.outbox[0].body
    assert "/billing/portal/" in mail.outbox[0].alternatives[0][0]


@pytest.mark.parametrize("kind", FACTS)
@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en-US", ("failed", "ended", "less")),
        ("tr-TR", ("alınamadı", "erdi", "az")),
        ("hu-HU", ("Sikertelen", "véget", "kevesebb")),
    ],
)
def test_in_the_workspaces_language(people, kind, locale, words):
    subscribed(people.acme, **WHEN[kind])
    Workspace.objects.filter(pk=people.acme.pk).update(settings={"timezone": "UTC", "locale": locale})
    tell(people.acme, kind)
    send_notices()
    sent = mail.outbox[0]
    assert words[list(FACTS).index(kind)] in sent.subject
    assert "%(" not in sent.body + sent.subject
    assert f'lang="{locale[:2]}"' in sent.alternatives[0][0]
    english = "Nothing is deleted|If you do nothing|Change the card"
    assert bool(re.search(english, sent.body + sent.alternatives[0][0])) == (locale == "en-US")


def test_what_the_year_costs_and_saves(people):
    subscribed(people.acme)
    tell(people.acme, NoticeKind.ANNUAL_OFFER)
    send_notices()
    assert "750.00 EUR" in mail.outbox[0].body
    assert "150.00 EUR less" in mail.outbox[0].body


def test_once_for_what_it_is_about_however_often_it_is_told(late):
    for source in ("evt_1", "evt_1", "evt_2"):
        tell(late.acme, source=source)
        send_notices()
    assert len(mail.outbox) == 4
    assert send_notices() == {"billing_notices_sent": 0}


@pytest.mark.parametrize(
    ("email", "addresses"),
    [
        ("Alice@Example.ORG", ["alice@example.org"]),  # the owner pays: one mail
        (None, ["alice@example.org"]),
        ("no address", ["alice@example.org"]),
        (PAYER, ["alice@example.org", PAYER]),
    ],
)
def test_to_each_address_once(late, payer, email, addresses):
    tell(late.acme)
    payer["email"] = email  # changed in the portal meanwhile
    send_notices()
    assert [sent.to[0] for sent in mail.outbox] == addresses
    assert send_notices() == {"billing_notices_sent": 0}


def test_while_stripe_is_away_the_owners_have_theirs_and_the_customer_gets_it_later(late, stripe):
    tell(late.acme)
    stripe.fails(500)
    assert send_notices() == {"billing_notices_sent": 1}
    with time_machine.travel(now() + timedelta(minutes=3), tick=False):
        assert send_notices() == {"billing_notices_sent": 1}
    assert mail.outbox[1].to == [PAYER]


def test_all_owners_and_nobody_else(late):
    Membership.objects.filter(user=late.bob).update(role=Role.OWNER)
    tell(late.acme)
    send_notices()
    assert {sent.to[0] for sent in mail.outbox} == {PAYER, "alice@example.org", "bob@example.org"}


def test_a_transaction_that_is_undone_tells_nobody(late):
    with transaction.atomic():
        notify(NoticeKind.PAYMENT_FAILED, late.acme.pk, "evt_1")
        transaction.set_rollback(True)
    assert send_notices() == {"billing_notices_sent": 0}


def test_nothing_is_lost_while_mail_is_away(late, settings):
    working, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, DOWN
    tell(late.acme)
    assert send_notices() == {"billing_notices_sent": 0}
    assert sorted(Notice.objects.values_list("attempts", flat=True)) == [0, 1]  # it stops at the first failure
    settings.EMAIL_BACKEND = working
    with time_machine.travel(now() + timedelta(minutes=3), tick=False):
        assert send_notices() == {"billing_notices_sent": 2}
        assert send_notices() == {"billing_notices_sent": 0}
    assert len(mail.outbox) == 2


def test_the_pauses_grow_to_six_hours(late, settings):
    settings.EMAIL_BACKEND = DOWN
    without_customer(late.acme)
    tell(late.acme)
    moment, pauses = now(), []
    for _ in range(12):
        with time_machine.travel(moment, tick=False):
            send_notices()
        following = Notice.objects.get().next_at
        pauses.append(following - moment)
        moment = following
    assert pauses[:2] == [timedelta(minutes=2), timedelta(minutes=4)]
    assert pauses[-1] == timedelta(hours=6)
    assert pauses == sorted(pauses)


def test_who_is_sending_it_is_not_sent_by_another(late, monkeypatch):
    """A second sender that comes while the first speaks to the mail server."""
    without_customer(late.acme)
    tell(late.acme)
    others = []
    send = mail.EmailMultiAlternatives.send

    def sending(self, *args, **kwargs):
        others.append(send_notices()) if not others else None
        return send(self, *args, **kwargs)

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", sending)
    assert send_notices() == {"billing_notices_sent": 1}
    assert others == [{"billing_notices_sent": 0}]
    assert len(mail.outbox) == 1


def test_a_crash_while_sending_sends_again_under_the_same_id(late, monkeypatch):
    without_customer(late.acme)
    tell(late.acme)
    send = mail.EmailMultiAlternatives.send

    def dies(self, *args, **kwargs):
        send(self, *args, **kwargs)
        raise KeyboardInterrupt

    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", dies)
    with pytest.raises(KeyboardInterrupt):
        send_notices()
    monkeypatch.setattr(mail.EmailMultiAlternatives, "send", send)
    with time_machine.travel(now() + timedelta(minutes=3), tick=False):
        assert send_notices() == {"billing_notices_sent": 1}
    first, second = (sent.extra_headers["Message-ID"] for sent in mail.outbox)
    assert first == second


@pytest.mark.parametrize("kind", FACTS)
def test_what_is_no_longer_so_is_not_sent(people, kind):
    """Paid, come back or changed to a year while the mail waited."""
    subscribed(people.acme, **WHEN[kind])
    tell(people.acme, kind)
    over = {"status": Status.ACTIVE, "interval": "year"}
    Subscription.objects.filter(workspace=people.acme).update(**over)
    send_notices()
    assert mail.outbox == []
    assert not Notice.objects.exclude(next_at=None).exists()


def test_two_weeks_late_is_too_late(late):
    tell(late.acme)
    with time_machine.travel(now() + timedelta(days=15), tick=False):
        assert send_notices() == {"billing_notices_sent": 0}


# --- the link in the mail ---------------------------------------------------------------------------


@pytest.fixture
def mailed(late, stripe):
    tell(late.acme)
    send_notices()
    stripe.calls.clear()
    return link()


def test_the_link_leads_to_stripe_without_signing_in(stripe, mailed):
    page = Api().get(mailed)
    assert page.status_code == 200
    assert "Acme" in page.content.decode()
    assert stripe.calls == []  # scanners of mail open every link
    answer = Api().client.post(mailed)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://billing.stripe.com/p/session/")
    assert "https://billing.stripe.com" in answer.headers["Content-Security-Policy"].split("form-action")[1]


def test_a_link_that_is_old_or_made_up_opens_nothing(stripe, mailed):
    with time_machine.travel(now() + timedelta(days=15), tick=False):
        assert Api().get(mailed).status_code == 404
    for wrong in (mailed[:-3] + "x/", "/billing/portal/x/"):
        assert Api().get(wrong).status_code == 404
        assert Api().client.post(wrong).status_code == 404
    assert stripe.calls == []


def test_who_is_no_owner_any_more_has_a_link_no_more(late, stripe, mailed):
    assert mail.outbox[0].to == [late.alice.email]
    hers = link(0)
    assert Api().get(hers).status_code == 200
    Membership.objects.filter(user=late.alice).update(role=Role.EDITOR)
    assert Api().get(hers).status_code == 404
    assert Api().get(mailed).status_code == 200  # the customer's own


def test_stripe_away_or_not_set_up_is_a_page(stripe, mailed, settings):
    stripe.fails(500)
    assert Api().client.post(mailed).status_code == 502
    settings.ENV = replace(settings.ENV, stripe_secret_key="")
    assert Api().client.post(mailed).status_code == 503


def test_erasing_a_person_takes_their_mails(late):
    tell(late.acme)
    erase_user(late.alice)
    assert list(Notice.objects.values_list("email", flat=True)) == [""]
