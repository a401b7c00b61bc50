"""Codes, who brought whom, and the credit after thirty days."""

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Membership
from accounts.roles import Role
from ajansops.kit.clock import now
from billing.models import Referral, ReferralState, Status, Subscription
from billing.payments import gateway
from billing.referrals import ReferralSettled, code_of, settle_referrals, void_referral, workspace_of
from tests.billing.conftest import handle, send
from tests.conftest import Api

CHECKOUT = "/api/billing/checkout"
BODY = {"plan": "growth", "currency": "eur", "interval": "month", "email": "billing@example.org"}


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_a_code_leads_back_to_its_workspace(pk):
    code = code_of(pk)
    assert workspace_of(code) == pk
    assert workspace_of(f" {code.lower()} ") == pk
    assert len(code) <= 64


@pytest.mark.parametrize(
    "code",
    ["", "AJANS", "AJANS-", "AJANS-0001", "AJANS-0001-", "PINQO-ABCD-1234", "AJANS-0001-ABCÖ", "AJANS-00001-AAAA", "-"],
)
def test_what_nobody_has_leads_nowhere(code):
    assert workspace_of(code) is None


def test_a_typing_error_is_nobodys_code():
    code = code_of(7)
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    others = [code[:-1] + letter for letter in letters if letter != code[-1]]
    assert [workspace_of(other) for other in others] == [None] * 31


def test_a_new_key_keeps_old_codes(settings):
    code, old = code_of(7), settings.ENV.encryption_keys
    settings.ENV = replace(settings.ENV, encryption_keys=("another key of thirty-two letters", *old))
    assert code_of(7) != code
    assert workspace_of(code) == workspace_of(code_of(7)) == 7


@pytest.fixture
def brought(life, people):
    """Charlie's workspace brought Alice's, who has paid. The subscription."""
    return pays(life, people, code_of(people.other.pk))


def pays(life, people, code):
    answer = Api(user=people.alice).post(CHECKOUT, BODY | {"referrer": code})
    assert answer.status_code == 200, answer.content
    life.pay(life.stripe.sessions[answer.json()["id"]])
    events = list(life.stripe.events.values())
    send(*events, *events)
    handle()
    return next(iter(life.stripe.subscriptions.values()))


def referrer_pays(people, stripe, **changes) -> None:
    stripe.customers["cus_other"] = {"id": "cus_other", "object": "customer"}
    fields = {"customer": "cus_other", "currency": "eur", "status": Status.ACTIVE}
    Subscription.objects.filter(workspace=people.other).update(**fields | changes)


def after(days: float):
    return time_machine.travel(now() + timedelta(days=days), tick=False)


def test_it_works(brought, people, stripe):
    row = Referral.objects.get()
    assert (row.workspace, row.referrer, row.state) == (people.acme, people.other, ReferralState.HELD)
    referrer_pays(people, stripe)
    with after(29):
        assert settle_referrals() == {"referrals_rewarded": 0, "referrals_void": 0}
    with after(31):
        assert settle_referrals() == {"referrals_rewarded": 1, "referrals_void": 0}
        assert settle_referrals() == {"referrals_rewarded": 0, "referrals_void": 0}
    row.refresh_from_db()
    assert (row.state, row.credit, row.currency) == (ReferralState.REWARDED, 25_00, "eur")
    assert [(row["customer"], row["amount"]) for row in stripe.credits.values()] == [("cus_other", -25_00)]


def test_ones_own_code_is_refused_at_checkout(stripe, people):
    stripe.calls.clear()
    answer = Api(user=people.alice).post(CHECKOUT, BODY | {"referrer": code_of(people.acme.pk)})
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_referrer")
    assert stripe.calls == []


@pytest.mark.parametrize("role", [Role.OWNER, Role.VIEWER])
def test_an_owner_does_not_refer_a_second_workspace_of_theirs(stripe, people, role):
    Membership.objects.create(workspace=people.other, user=people.alice, role=role)
    answer = Api(user=people.alice).post(
        CHECKOUT, BODY | {"referrer": code_of(people.other.pk)}, x_workspace_id=str(people.acme.pk)
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_referrer")


@pytest.mark.parametrize("code", ["PINQO-ABCD-1234", "AJANS-ZZZZ-0000", ""])
def test_a_code_that_nobody_has_stops_nobody(life, people, code):
    pays(life, people, code)
    assert not Referral.objects.exists()


def test_who_became_ones_own_between_checkout_and_payment_is_not_attributed(life, people):
    code = code_of(people.other.pk)
    answer = Api(user=people.alice).post(CHECKOUT, BODY | {"referrer": code})
    Membership.objects.create(workspace=people.other, user=people.alice, role=Role.VIEWER)
    life.pay(life.stripe.sessions[answer.json()["id"]])
    send(*life.stripe.events.values())
    handle()
    assert not Referral.objects.exists()


def test_who_left_in_the_first_month_brings_nothing(life, brought, people, stripe):
    referrer_pays(people, stripe)
    send(*life.end(brought))
    handle()
    with after(31):
        assert settle_referrals() == {"referrals_rewarded": 0, "referrals_void": 1}
    assert stripe.credits == {}


@pytest.mark.parametrize("status", [Status.PAST_DUE, Status.TRIALING, Status.UNPAID])
def test_who_has_not_paid_yet_is_waited_for(brought, people, stripe, status):
    referrer_pays(people, stripe)
    Subscription.objects.filter(workspace=people.acme).update(status=status)
    with after(31):
        assert settle_referrals() == {"referrals_rewarded": 0, "referrals_void": 0}
    Subscription.objects.filter(workspace=people.acme).update(status=Status.ACTIVE)
    with after(40):
        assert settle_referrals()["referrals_rewarded"] == 1


def test_a_referrer_who_pays_nothing_yet_is_credited_once_they_do(brought, people, stripe):
    with after(31):
        assert settle_referrals()["referrals_rewarded"] == 0
    referrer_pays(people, stripe, currency="huf")
    with after(60):
        assert settle_referrals()["referrals_rewarded"] == 1
    assert [(row["amount"], row["currency"]) for row in stripe.credits.values()] == [(-9_900_00, "huf")]


def test_a_crash_after_the_credit_credits_nothing_twice(brought, people, stripe):
    """Two days later, when Stripe has forgotten the key of idempotency."""
    referrer_pays(people, stripe)
    row = Referral.objects.get()
    with after(31):
        settle_referrals()
    Referral.objects.filter(pk=row.pk).update(state=ReferralState.HELD, credit=None)
    stripe.keys.clear()
    with after(33):
        assert settle_referrals()["referrals_rewarded"] == 1
    assert len(stripe.credits) == 1


@pytest.mark.parametrize(("status", "kind"), [(500, "api_error"), (400, "invalid_request_error")])
def test_what_stripe_does_not_do_is_done_later(brought, people, stripe, status, kind):
    referrer_pays(people, stripe)
    stripe.fails(status, kind=kind)
    with after(31):
        assert settle_referrals()["referrals_rewarded"] == 0
        assert settle_referrals()["referrals_rewarded"] == 1


def test_a_void_one_stays_void(brought, people, stripe):
    referrer_pays(people, stripe)
    void_referral(Referral.objects.get())
    with pytest.raises(ReferralSettled):
        void_referral(Referral.objects.get())
    with after(31):
        assert settle_referrals() == {"referrals_rewarded": 0, "referrals_void": 0}
    assert stripe.credits == {}


def test_a_credit_of_another_name_is_another(stripe, people):
    referrer_pays(people, stripe)
    for name in ("one", "one", "two"):
        gateway().credit("cus_other", 100, "eur", name)
    assert len(stripe.credits) == 2
