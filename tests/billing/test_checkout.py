"""`POST /api/billing/checkout`, by the real SDK against a local Stripe."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.db import connection

from accounts.models import Activity
from billing import services, stripe_sdk
from billing.models import Subscription
from billing.prices import PRICES
from tests.billing import stripe_server
from tests.conftest import Api

URL = "/api/billing/checkout"
PRINTED = {
    "plan": "growth",
    "currency": "huf",
    "interval": "year",
    "email": "user@example.com",
    "referrer": "PINQO-ABCD-1234",
}
SESSIONS = "/v1/checkout/sessions"


@pytest.fixture
def alice(people):
    return Api(user=people.alice)


@pytest.fixture(autouse=True)
def _one_minute(monkeypatch):
    """No test straddles two windows."""
    monkeypatch.setattr(services, "time", lambda: 1_800_000_000.0)


def test_the_printed_example_works_as_printed(stripe, alice, people):
    answer = alice.post(URL, PRINTED)
    (session,) = stripe.sessions.values()
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "url": f"https://checkout.stripe.com/c/pay/{session['id']}",
        "id": session["id"],
    }
    told = {"workspace_id": str(people.acme.pk), "referrer_code": "PINQO-ABCD-1234"}
    assert session["mode"] == "subscription"
    assert session["client_reference_id"] == str(people.acme.pk)
    assert session["metadata"] == session["subscription_data"]["metadata"] == told
    assert session["success_url"].startswith("http://127.0.0.1:8000/")
    price = stripe.prices[session["line_items"]["0"]["price"]]
    assert (price["lookup_key"], price["unit_amount"]) == ("growth_huf_year", 299_000_00)


@pytest.mark.parametrize("price", PRICES.values(), ids=lambda price: price.lookup_key)
def test_every_declared_price_can_be_paid(stripe, alice, price):
    body = PRINTED | {"plan": price.product, "currency": price.currency, "interval": price.interval or "never"}
    assert alice.post(URL, body).status_code == 200
    (session,) = stripe.sessions.values()
    assert stripe.prices[session["line_items"]["0"]["price"]]["lookup_key"] == price.lookup_key
    assert session["mode"] == ("subscription" if price.interval else "payment")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"plan": "free"}, "invalid_plan"),
        ({"plan": "enterprise"}, "invalid_plan"),
        ({"plan": ["growth"]}, "invalid_plan"),
        ({"plan": "gold", "currency": "usd", "interval": "day", "email": "x"}, "invalid_plan"),
        ({"currency": "HUF"}, "invalid_currency"),
        ({"currency": "usd", "interval": "day", "email": "x"}, "invalid_currency"),
        ({"interval": "week"}, "invalid_interval"),
        ({"interval": "week", "email": "x"}, "invalid_interval"),
        ({"email": "nobody"}, "invalid_email"),
        ({"email": "", "referrer": "<b>"}, "invalid_email"),
        ({"referrer": "<b>"}, "invalid_referrer"),
        ({"referrer": "A" * 65}, "invalid_referrer"),
        ({"plan": None}, "missing_fields"),
        ({"amount": 1}, "missing_fields"),
    ],
)
def test_what_is_wrong_is_told_by_its_own_code(stripe, alice, change, code):
    answer = alice.post(URL, PRINTED | change)
    assert (answer.status_code, answer.json()["error"]) == (400, code)
    assert stripe.calls == []


@pytest.mark.parametrize("name", ["plan", "currency", "interval", "email"])
def test_what_is_missing_is_told(stripe, alice, name):
    answer = alice.post(URL, {key: value for key, value in PRINTED.items() if key != name})
    assert (answer.status_code, answer.json()["error"]) == (400, "missing_fields")
    assert name in answer.json()["errors"]


def test_a_referrer_may_be_left_out(stripe, alice, people):
    body = {name: value for name, value in PRINTED.items() if name != "referrer"}
    assert alice.post(URL, body).status_code == 200
    assert stripe.made(SESSIONS)[0]["metadata"] == {"workspace_id": str(people.acme.pk)}


@pytest.mark.parametrize("language", ["tr", "hu"])
def test_errors_are_in_the_callers_language(stripe, alice, language):
    texts = {
        alice.post(URL, PRINTED | {"plan": "gold"}, accept_language=tongue).json()["message"]
        for tongue in ("en", language)
    }
    assert len(texts) == 2


def test_who_may(stripe, people, key_for):
    assert Api().post(URL, PRINTED).status_code == 401
    assert Api(user=people.bob).post(URL, PRINTED).status_code == 403
    assert Api(key=key_for(people.acme, "billing:read")).post(URL, PRINTED).status_code == 403
    assert stripe.calls == []
    assert Api(key=key_for(people.acme, "billing:write")).post(URL, PRINTED).status_code == 200


def test_a_test_key_never_reaches_stripe(stripe, people, key_for):
    answer = Api(key=key_for(people.acme, test=True)).post(URL, PRINTED)
    assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert stripe.calls == []


def test_without_a_key_of_stripe_it_is_503_and_nothing_happens(alice, settings):
    settings.ENV = replace(settings.ENV, stripe_secret_key="")
    answer = alice.post(URL, PRINTED)
    assert (answer.status_code, answer.json()["error"]) == (503, "stripe_not_configured")
    assert not Subscription.objects.exclude(customer="").exists()


def test_prices_that_were_never_synced_are_503_before_any_customer(bare, alice):
    answer = alice.post(URL, PRINTED)
    assert (answer.status_code, answer.json()["error"]) == (503, "stripe_not_configured")
    assert bare.customers == {}


def test_an_amount_that_was_changed_at_stripe_is_not_charged(stripe, alice):
    for price in stripe.prices.values():
        price["unit_amount"] = 100
    assert alice.post(URL, PRINTED).json()["error"] == "stripe_not_configured"
    assert stripe.sessions == {}


def test_a_double_click_makes_one_session_and_one_customer(stripe, alice):
    first, second = alice.post(URL, PRINTED).json(), alice.post(URL, PRINTED).json()
    assert first == second
    assert (len(stripe.sessions), len(stripe.customers)) == (1, 1)


def test_another_order_or_a_later_minute_is_another_session(stripe, alice, monkeypatch):
    alice.post(URL, PRINTED)
    alice.post(URL, PRINTED | {"interval": "month"})
    monkeypatch.setattr(services, "time", lambda: 1_800_000_060.0)
    alice.post(URL, PRINTED)
    assert (len(stripe.sessions), len(stripe.customers)) == (3, 1)


def test_of_the_pages_for_a_subscription_only_the_last_is_open(stripe, alice):
    """Else each could be paid. Also when it is ordered within the minute of one that was closed."""
    alice.post(URL, PRINTED | {"plan": "setup_pack"})
    for interval in ("year", "month", "year", "month", "year"):
        last = alice.post(URL, PRINTED | {"interval": interval}).json()["id"]
    pack, *others = stripe.sessions.values()
    assert [row["status"] for row in (pack, *others)] == ["open", *["expired"] * 4, "open"]
    assert last == others[-1]["id"]


def test_nothing_is_sold_beside_what_is_paid_this_moment(stripe, alice, monkeypatch):
    alice.post(URL, PRINTED)
    (first,) = stripe.sessions.values()

    def paid_then(server, form):
        first["status"] = "complete"
        return stripe_server.list_sessions(server, form | {"status": "complete"})

    monkeypatch.setattr(stripe_server, "ROUTES", [("GET", SESSIONS, paid_then), *stripe_server.ROUTES])
    assert alice.post(URL, PRINTED | {"interval": "month"}).status_code == 502
    assert stripe.made(f"{SESSIONS}/{first['id']}/expire")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor == 'sqlite'", reason="threads write one after the other there")
def test_two_at_once_keep_one_customer(stripe, people):
    apis = [Api(user=people.alice) for _ in range(4)]

    def order(pair):
        number, api = pair
        try:
            return api.post(URL, PRINTED | {"email": f"{number}@example.com"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(order, enumerate(apis))) == [200] * 4
    kept = Subscription.objects.get(workspace=people.acme).customer
    assert {form["customer"] for form in stripe.made(SESSIONS)} == {kept}


def test_workspaces_have_customers_of_their_own(stripe, people):
    Api(user=people.alice).post(URL, PRINTED)
    Api(user=people.charlie).post(URL, PRINTED)
    assert len({row["customer"] for row in stripe.sessions.values()}) == 2


def test_starting_to_pay_changes_no_plan_and_is_in_the_log(stripe, alice, people):
    before = Subscription.objects.get(workspace=people.acme).plan
    alice.post(URL, PRINTED)
    assert Subscription.objects.get(workspace=people.acme).plan == before
    actions = list(Activity.objects.filter(workspace=people.acme).order_by("id").values_list("action", flat=True))
    assert actions[-2:] == ["subscription.updated", "subscription.checkout_started"]


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_what_stripe_refuses_is_502_and_says_nothing_of_it(stripe, alice, status):
    stripe.fails(status)
    answer = alice.post(URL, PRINTED)
    assert (answer.status_code, answer.json()["error"]) == (502, "upstream_error")
    assert "secret" not in answer.content.decode()


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"[]", b"{}", b"null", b""])
def test_garbage_is_502(stripe, alice, body):
    stripe.babbles(body)
    assert alice.post(URL, PRINTED).status_code == 502


def test_silence_is_504(stripe, alice, monkeypatch):
    monkeypatch.setattr(stripe_sdk, "TIMEOUT", 0.2)
    stripe.hangs()
    answer = alice.post(URL, PRINTED)
    assert (answer.status_code, answer.json()["error"]) == (504, "upstream_timeout")


def test_nobody_there_is_502(stripe, alice, settings):
    settings.ENV = replace(settings.ENV, stripe_api_base="http://127.0.0.1:9")
    assert alice.post(URL, PRINTED).status_code == 502


def test_the_sdk_tries_again_with_the_same_key(stripe, alice, monkeypatch):
    monkeypatch.setattr(stripe_sdk, "RETRIES", 1)
    stripe.fails(500)
    assert alice.post(URL, PRINTED).status_code == 200
    assert len(stripe.sessions) == 1


def test_web_starts_without_the_sdk():
    code = "import sys, ajansops.wsgi, ajansops.urls; print('stripe' in sys.modules, 'billing.payments' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip().endswith("False True")


@pytest.mark.parametrize(
    ("status", "plan", "answered"),
    [
        ("active", "agency", 409),
        ("trialing", "agency", 409),
        ("past_due", "agency", 409),
        ("canceled", "agency", 200),
        ("incomplete", "agency", 200),
        ("active", "setup_pack", 200),
    ],
)
def test_a_second_subscription_is_not_sold_beside_the_first(people, alice, stripe, status, plan, answered):
    """It would be paid twice: plans are changed in the portal."""
    stripe.customers["cus_known"] = {"id": "cus_known", "object": "customer"}
    known = {"customer": "cus_known", "stripe_id": "sub_1", "status": status, "plan": "growth"}
    Subscription.objects.update_or_create(workspace=people.acme, defaults=known)
    answer = alice.post(URL, PRINTED | {"plan": plan})
    assert answer.status_code == answered, answer.content
    if answered == 409:
        assert answer.json()["error"] == "already_subscribed"
