"""From Stripe's event to the mail: dunning, win-back and the yearly offer, each once."""

import pytest
from django.core import mail

from billing.inbox import replay
from billing.models import Notice, NoticeKind, StripeEvent
from billing.notices import send_notices
from tests.billing.conftest import handle, send

DAY = 86_400
SENT_TO = ["alice@example.org", "billing@example.org"]


@pytest.fixture
def paying(life, customer):
    send(*life.stripe.events.values())
    handle()
    mail.outbox.clear()
    return customer


def tell(*events) -> None:
    """Told twice, as Stripe does at times."""
    send(*events, *events)
    handle()
    send_notices()


def subjects() -> dict[str, list[str]]:
    """Who got what."""
    found: dict[str, list[str]] = {}
    for sent in mail.outbox:
        found.setdefault(sent.subject, []).append(sent.to[0])
    return found


def test_a_failed_payment_is_told_to_who_pays_and_who_owns(life, paying):
    tell(*life.renew(paying, paid=False))
    assert subjects() == {"A payment for Acme failed": SENT_TO}
    assert "75.00 EUR" in mail.outbox[0].body


def test_each_failed_try_is_told_and_a_replayed_event_is_not(life, paying):
    tell(*life.renew(paying, paid=False))
    failed = StripeEvent.objects.get(type="invoice.payment_failed")
    replay([failed.event_id])
    handle()
    send_notices()
    assert len(mail.outbox) == 2
    tell(life.tell("invoice.payment_failed", failed.data))
    assert len(mail.outbox) == 4


def test_who_has_paid_before_the_mail_went_out_gets_none(life, paying):
    send(*life.renew(paying, paid=False))
    handle()
    tell(*life.recover(paying))
    assert mail.outbox == []


def test_who_has_left_is_asked_back(life, paying):
    tell(*life.end(paying))
    assert subjects() == {"The subscription of Acme has ended": SENT_TO}


@pytest.mark.parametrize(("age", "offered"), [(29, False), (31, True)])
def test_a_year_is_offered_to_who_has_paid_by_the_month_for_thirty_days(life, paying, age, offered):
    life.at = paying["start_date"] + age * DAY
    tell(upcoming(life, paying))
    assert bool(mail.outbox) == offered


def test_a_year_is_offered_once_a_year(life, paying):
    life.at = paying["start_date"] + 31 * DAY
    tell(upcoming(life, paying))
    tell(upcoming(life, paying))
    assert subjects() == {"Pay 150.00 EUR less a year for Acme": SENT_TO}


def upcoming(life, row):
    """A preview of an invoice has no id."""
    return life.tell("invoice.upcoming", {"object": "invoice", "customer": row["customer"], "subscription": row["id"]})


def test_stripe_away_loses_no_mail(life, stripe, paying):
    send(*life.renew(paying, paid=False))
    handle()
    stripe.fails(500)
    send_notices()
    assert [sent.to[0] for sent in mail.outbox] == SENT_TO[:1]
    assert Notice.objects.filter(kind=NoticeKind.PAYMENT_FAILED, sent_at=None).exclude(next_at=None).count() == 1
