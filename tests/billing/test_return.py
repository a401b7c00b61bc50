"""The page after a payment, and the reconciler: what they find is what the events would have told."""

import pytest
from django.core.management import call_command

from ajansops.kit.clock import now
from billing.models import EventState, Purchase, StripeEvent, Subscription
from billing.reconcile import fetch_events, read_anew
from tests.billing.conftest import handle, send
from tests.billing.test_webhook import shown
from tests.conftest import Api

PAGE = "/billing/return?session_id="


@pytest.fixture
def session(customer, stripe):
    return next(iter(stripe.sessions.values()))


def test_the_payment_page_leads_back_with_the_number_of_the_session(session):
    assert session["success_url"].endswith("/billing/return?session_id={CHECKOUT_SESSION_ID}")


def test_who_comes_back_has_the_plan_before_any_event(session, people):
    page = Api(user=people.alice).get(PAGE + session["id"])
    assert page.status_code == 200
    assert "Growth" in page.content.decode()
    assert shown(people)["plan"] == "growth"


@pytest.mark.parametrize("first", ["page", "events"])
def test_page_and_events_come_in_any_order(life, session, people, first):
    def page():
        assert Api(user=people.alice).get(PAGE + session["id"]).status_code == 200

    def events():
        send(*life.stripe.events.values())
        handle()

    for step in (page, events) if first == "page" else (events, page):
        step()
        assert shown(people)["plan"] == "growth"
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.DONE}


def test_anonymous_signs_in_first(session):
    page = Api().get(PAGE + session["id"])
    assert (page.status_code, page.headers["Location"].split("?")[0]) == (302, "/accounts/login/")


def test_another_ones_payment_is_404_and_changes_nothing(session, people):
    assert Api(user=people.charlie).get(PAGE + session["id"]).status_code == 404
    assert Subscription.objects.get(workspace=people.acme).plan == "enterprise"


@pytest.mark.parametrize("pk", ["", "cs_unknown", "../subscriptions", "cs_" + "x" * 300])
def test_what_is_no_payment_is_404(session, people, pk):
    assert Api(user=people.alice).get(PAGE + pk).status_code == 404


def test_while_stripe_is_away_it_says_that_it_takes_a_moment(session, people, stripe):
    stripe.fails(500)
    page = Api(user=people.alice).get(PAGE + session["id"])
    assert page.status_code == 200
    assert "takes a moment" in page.content.decode()


def test_an_unpaid_pack_is_not_fulfilled(stripe, people, life):
    body = {"plan": "setup_pack", "currency": "eur", "email": "a@example.org"}
    pk = Api(user=people.alice).post("/api/billing/checkout", body).json()["id"]
    stripe.sessions[pk] |= {"payment_status": "unpaid", "amount_total": 1, "currency": "eur"}
    assert "takes a moment" in Api(user=people.alice).get(PAGE + pk).content.decode()
    assert not Purchase.objects.exists()


OTHERS = {
    "of another price": {"metadata": {"ajansops_price": "growth_eur_month", "ajansops_amount": "24900"}},
    "of another amount": {"amount_total": 1},
    "of another currency": {"currency": "huf"},
    "that somebody made at Stripe": {"metadata": {}},
    "for a subscription": {"mode": "subscription"},
    "that is not paid": {"payment_status": "unpaid"},
}


@pytest.mark.parametrize("told", OTHERS.values(), ids=OTHERS)
def test_another_payment_buys_no_pack(stripe, people, life, told):
    body = {"plan": "setup_pack", "currency": "eur", "email": "a@example.org"}
    pk = Api(user=people.alice).post("/api/billing/checkout", body).json()["id"]
    (event,) = life.pay(stripe.sessions[pk])
    stripe.sessions[pk] |= told
    event["data"]["object"] |= told
    send(event)
    handle()
    Api(user=people.alice).get(PAGE + pk)
    assert not Purchase.objects.exists()
    assert StripeEvent.objects.get().state == EventState.DONE


# --- reconciling ------------------------------------------------------------------------------------------------------


def test_events_that_never_came_are_fetched_and_handled(life, customer, people):
    life.end(customer)
    assert fetch_events()["events_missed"] == len(life.stripe.events)
    handle()
    assert (shown(people)["plan"], shown(people)["status"]) == ("enterprise", "ACTIVE"), "what an operator gave stays"
    assert fetch_events()["events_missed"] == 0
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.DONE}


def test_more_than_a_page_of_them(life, customer):
    for _ in range(230):
        life.tell("customer.subscription.updated", customer)
    assert fetch_events()["events_missed"] == len(life.stripe.events) > 230


def test_what_changed_without_any_event_is_read_anew(life, customer, people):
    send(*life.stripe.events.values())
    handle()
    life.change(customer, next(p for p in life.stripe.prices.values() if p["lookup_key"] == "agency_eur_month"))
    assert read_anew()["subscriptions_due"] == 1
    handle()
    assert shown(people)["plan"] == "agency"


def test_one_that_stripe_refuses_keeps_no_other_from_being_read(life, customer, people, stripe):
    Subscription.objects.filter(workspace=people.other).update(customer="cus_gone")
    assert read_anew()["subscriptions_due"] == 2
    handle()
    assert shown(people)["plan"] == "growth"
    refused = Subscription.objects.get(workspace=people.other)
    assert (refused.failures, refused.due_at > now()) == (1, True)


def test_by_hand(life, customer, people, capsys):
    call_command("periodic", "run", "fetch_stripe_events")
    assert StripeEvent.objects.count() == len(life.stripe.events)


def test_without_stripe_there_is_nothing_to_compare(db):
    assert fetch_events() == read_anew() == {}
