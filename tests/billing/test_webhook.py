"""`POST /api/billing/webhook`, and what a worker makes of it."""

import asyncio
import time
from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest
import stripe as sdk
from django.utils import timezone

from billing import inbox, stripe_sdk, worker
from billing.models import EventState, Invoice, Purchase, StripeEvent, Subscription
from billing.stripe_objects import Account
from billing.worker import Inbox
from tests.billing.conftest import WEBHOOK, handle, send
from tests.billing.stripe_life import SECRET, body_of, signed
from tests.conftest import Api
from tests.processes import wait_for

URL = "/api/v1/subscription"


def shown(people) -> dict:
    return Api(user=people.alice).get(URL).json()["data"]


def state_of(event) -> tuple[str, str]:
    return StripeEvent.objects.values_list("state", "reason").get(event_id=event["id"])


def told(life, type: str):
    return [event for event in life.stripe.events.values() if event["type"] == type]


def test_it_works(life, customer, people):
    (event,) = told(life, "checkout.session.completed")
    (answer,) = send(event)
    assert (answer.status_code, answer.json()) == (200, {"ok": True, "received": True})
    handle()
    assert shown(people) | {"updated_at": None} == {
        "plan": "growth",
        "status": "ACTIVE",
        "customer": customer["customer"],
        "interval": "month",
        "currency": "eur",
        "current_period_start": iso(customer["start_date"]),
        "current_period_end": iso(customer["items"]["data"][0]["current_period_end"]),
        "cancel_at_period_end": False,
        "canceled_at": None,
        "ended_at": None,
        "trial_end": None,
        "grace_until": None,
        "updated_at": None,
    }
    assert state_of(event) == (EventState.DONE, "")
    invoice = Invoice.objects.get(workspace=people.acme)
    assert (invoice.amount_paid, invoice.plan, invoice.interval) == (75_00, "growth", "month")


def iso(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def test_a_workspace_that_pays_nobody_is_active_on_its_plan(people):
    assert (shown(people)["plan"], shown(people)["status"]) == ("enterprise", "ACTIVE")


NOW = time.time()
SIGNATURES = {
    "none": "",
    "nonsense": "x",
    "no time": "v1=00",
    "no digest": f"t={int(NOW)}",
    "a time that is no number": "t=²,v1=00",
    "an endless time": f"t={'9' * 5000},v1=00",
}


@pytest.mark.parametrize("header", SIGNATURES.values(), ids=SIGNATURES)
def test_a_malformed_signature_is_400_and_leaves_nothing(life, header):
    answer = Api().call("POST", WEBHOOK, body_of(life.tell("invoice.paid", {})), stripe_signature=header)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_signature")
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize(
    ("age", "status"), [(0, 200), (299, 200), (302, 400), (-299, 200), (-302, 400), (86_400 * 365, 400)]
)
def test_a_signature_counts_for_five_minutes_before_and_after(life, age, status):
    body = body_of(life.tell("invoice.paid", {}))
    answer = Api().call("POST", WEBHOOK, body, stripe_signature=signed(body, moment=time.time() - age))
    assert answer.status_code == status
    assert StripeEvent.objects.count() == (1 if status == 200 else 0)


def test_what_is_signed_are_the_bytes(life):
    body = body_of(life.tell("invoice.paid", {}))
    for other in (body + b" ", body.replace(b"evt_", b"evt-"), body[:-1], b""):
        answer = Api().call("POST", WEBHOOK, other, stripe_signature=signed(body))
        assert answer.json()["error"] == "invalid_signature"


def test_while_a_secret_is_replaced_both_count(life, settings):
    settings.ENV = replace(settings.ENV, stripe_webhook_secret=("whsec_new", SECRET))
    for secret, status in ((SECRET, 200), ("whsec_new", 200), ("whsec_other", 400), ("", 400)):
        body = body_of(life.tell("invoice.paid", {}))
        answer = Api().call("POST", WEBHOOK, body, stripe_signature=signed(body, secret=secret))
        assert answer.status_code == status


def test_our_signatures_are_those_of_the_sdk(life):
    body = body_of(life.tell("invoice.paid", {}))
    assert sdk.Webhook.construct_event(body, signed(body), SECRET).id


def test_without_a_secret_it_is_503_and_nothing_is_kept(life, settings):
    settings.ENV = replace(settings.ENV, stripe_webhook_secret=())
    (answer,) = send(life.tell("invoice.paid", {}))
    assert (answer.status_code, answer.json()["error"]) == (503, "stripe_not_configured")
    assert not StripeEvent.objects.exists()


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b"null", b'{"id": "evt_1"}', b'{"id": 1, "data": {}}', b"\xff"])
def test_what_is_signed_and_no_event_is_400(stripe, db, body):
    answer = Api().call("POST", WEBHOOK, body, stripe_signature=signed(body))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_json")
    assert not StripeEvent.objects.exists()


def test_any_content_type_will_do(life):
    body = body_of(life.tell("invoice.paid", {}))
    answer = Api().call("POST", WEBHOOK, body, content_type="text/plain", stripe_signature=signed(body))
    assert answer.status_code == 200


def test_a_duplicate_is_200_and_kept_once(life, customer):
    events = told(life, "invoice.paid") * 3
    assert [answer.status_code for answer in send(*events)] == [200] * 3
    assert StripeEvent.objects.count() == 1
    handle()
    assert send(*events)[0].status_code == 200
    assert StripeEvent.objects.get().state == EventState.DONE


def test_it_answers_within_a_second_while_stripe_hangs(life, customer, stripe):
    stripe.hangs(9)
    begun = time.monotonic()
    send(*told(life, "invoice.paid"))
    assert time.monotonic() - begun < 1
    stripe.faults.clear()


def test_all_that_is_due_of_a_customer_asks_once(life, customer, stripe):
    send(*life.stripe.events.values())
    stripe.calls.clear()
    handle()
    assert [path for _, path, _ in stripe.calls] == ["/v1/subscriptions", "/v1/invoices"]
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.DONE}


IGNORED = {
    "livemode": {"livemode": True},
    "account": {"account": "acct_other"},
}


@pytest.mark.parametrize(("reason", "extra"), IGNORED.items(), ids=IGNORED)
def test_what_is_not_for_this_account_is_kept_and_ignored(life, customer, people, reason, extra):
    event = life.tell("customer.subscription.updated", customer, **extra)
    send(event)
    handle()
    assert state_of(event) == (EventState.IGNORED, reason)
    assert shown(people)["plan"] == "enterprise"


def test_what_is_nobodys_is_kept_and_ignored(life, customer, people):
    stranger = customer | {"customer": "cus_stranger", "metadata": {}}
    foreign = customer | {"metadata": {"workspace_id": str(people.other.pk)}}
    events = {
        "unknown customer": life.tell("customer.subscription.updated", stranger),
        "other workspace": life.tell("customer.subscription.updated", foreign),
        "no customer": life.tell("invoice.paid", {"object": "invoice", "customer": None}),
        "type": life.tell("customer.created", {"object": "customer", "id": customer["customer"]}),
    }
    send(*events.values())
    handle()
    assert {reason: state_of(event) for reason, event in events.items()} == {
        reason: (EventState.IGNORED, reason) for reason in events
    }
    assert shown(people)["plan"] == "enterprise"


def test_a_customer_made_at_stripe_is_taken_up_by_its_metadata_where_nobody_pays_yet(life, stripe, people):
    stripe.customers["cus_made"] = {"id": "cus_made"}
    price = next(price for price in stripe.prices.values() if price["lookup_key"] == "agency_eur_year")
    _, events = life.subscribe("cus_made", price, metadata={"workspace_id": str(people.acme.pk)})
    send(*events)
    handle()
    assert (shown(people)["plan"], shown(people)["customer"]) == ("agency", "cus_made")


def test_a_client_reference_alone_gives_nobody_a_workspace(life, stripe, people):
    stripe.customers["cus_made"] = {"id": "cus_made"}
    session = {"object": "checkout.session", "customer": "cus_made", "client_reference_id": str(people.acme.pk)}
    event = life.tell("checkout.session.completed", session)
    send(event)
    handle()
    assert state_of(event) == (EventState.IGNORED, "unknown customer")


# --- when Stripe cannot be asked -------------------------------------------------------------------------------------


def test_while_stripe_is_away_the_snapshot_counts_and_the_event_waits(life, customer, people, stripe):
    stripe.fails(500, times=2)
    event = told(life, "customer.subscription.updated")[-1]
    send(event)
    handle()
    assert (shown(people)["plan"], shown(people)["status"]) == ("growth", "ACTIVE")
    assert state_of(event) == (EventState.PENDING, "upstream_error")
    StripeEvent.objects.update(not_before=timezone.now())
    stripe.faults.clear()
    handle()
    assert state_of(event) == (EventState.DONE, "")


@pytest.mark.parametrize("backwards", [False, True])
def test_a_snapshot_only_goes_forward(life, customer, people, stripe, settings, backwards):
    settings.ENV = replace(settings.ENV, stripe_secret_key="")
    Subscription.objects.update(plan="free")
    life.at += 60
    life.end(customer)
    events = list(life.stripe.events.values())
    for event in reversed(events) if backwards else events:
        send(event)
        handle()
    assert (shown(people)["plan"], shown(people)["status"]) == ("free", "CANCELED")
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.DONE}


def test_a_customer_that_stripe_does_not_know_is_taken_as_told(life, customer, people, stripe):
    stripe.customers.clear()
    event = told(life, "customer.subscription.updated")[-1]
    send(event)
    handle()
    assert state_of(event) == (EventState.DONE, "")
    assert shown(people)["status"] == "ACTIVE"


def test_an_event_that_fails_for_three_days_waits_for_an_operator(life, customer, people, stripe, monkeypatch):
    stripe.fails(500, times=2)
    event = told(life, "invoice.paid")[0]
    send(event)
    StripeEvent.objects.update(received_at=timezone.now() - timedelta(days=3, seconds=1))
    handle()
    assert state_of(event) == (EventState.FAILED, "upstream_error")
    stripe.faults.clear()
    assert inbox.replay([event["id"]]) == 1
    handle()
    assert state_of(event) == (EventState.DONE, "")


def test_who_asks_holds_no_lock_and_who_comes_meanwhile_waits(life, customer, people, stripe, monkeypatch):
    send(told(life, "invoice.paid")[0])
    late = life.renew(customer, paid=False)
    seen = []
    real = stripe_sdk.Stripe.account

    def asked(self, name):
        if not seen:
            seen.append("asked")
            send(*late)
            assert not inbox.handle_next(), "its customer is being asked about"
            Subscription.objects.filter(workspace=people.other).update(plan="starter")
        return real(self, name)

    monkeypatch.setattr(stripe_sdk.Stripe, "account", asked)
    handle()
    assert shown(people)["status"] == "PAST_DUE"
    assert set(StripeEvent.objects.values_list("state", flat=True)) == {EventState.DONE}


def test_a_worker_whose_lease_was_lost_writes_nothing(life, customer, people, monkeypatch):
    event = told(life, "invoice.paid")[0]
    send(event)
    real = stripe_sdk.Stripe.account

    def slow(self, name):
        account = real(self, name)
        Subscription.objects.update(lease="00000000-0000-0000-0000-000000000001")
        return account

    monkeypatch.setattr(stripe_sdk.Stripe, "account", slow)
    inbox.handle_next()
    assert shown(people)["plan"] == "enterprise"
    assert state_of(event)[0] == EventState.PENDING
    Subscription.objects.update(lease=None)
    monkeypatch.setattr(stripe_sdk.Stripe, "account", real)
    handle()
    assert shown(people)["plan"] == "growth"


def test_an_invoice_of_a_price_that_was_left_has_that_ones_interval(life, customer, people, stripe):
    year = next(price for price in stripe.prices.values() if price["lookup_key"] == "growth_eur_year")
    life.at += 60
    send(*life.change(customer, year))
    life.at += 60
    send(*life._bill(customer, "subscription_update", paid=True))
    stripe.calls.clear()
    handle()
    assert list(Invoice.objects.order_by("issued_at").values_list("interval", flat=True)) == ["month", "year"]
    month = [path for _, path, _ in stripe.calls if path.startswith("/v1/prices/")]
    assert len(month) == 1, "asked for once"
    send(*life.renew(customer))
    stripe.calls.clear()
    handle()
    assert [path for _, path, _ in stripe.calls] == ["/v1/subscriptions", "/v1/invoices"]


def test_an_invoice_that_was_only_told_forgets_no_interval(life, customer, people, stripe):
    send(*life.renew(customer, paid=False))
    handle()
    stripe.customers.clear()
    send(*life.recover(customer))
    handle()
    told = Invoice.objects.order_by("issued_at", "pk").last()
    assert (told.status, told.interval) == ("paid", "month")


# --- what was paid once -----------------------------------------------------------------------------------------------


def test_the_setup_pack_is_written_down_once(life, stripe, people):
    body = {"plan": "setup_pack", "currency": "huf", "email": "a@example.org"}
    pk = Api(user=people.alice).post("/api/billing/checkout", body).json()["id"]
    (event,) = life.pay(stripe.sessions[pk])
    page = Api(user=people.alice).get(f"/billing/return?session_id={pk}")
    assert page.status_code == 200
    send(event, event)
    handle()
    inbox.replay([event["id"]])
    handle()
    bought = Purchase.objects.get()
    assert (bought.workspace, bought.product, bought.amount) == (people.acme, "setup_pack", 99_900_00)
    assert shown(people)["plan"] == "enterprise"


# --- the states -------------------------------------------------------------------------------------------------------


@pytest.fixture
def paying(customer, life):
    send(*life.stripe.events.values())
    handle()
    return customer


def after(life, events) -> None:
    send(*events)
    handle()


def test_a_late_payment_keeps_the_plan_for_fourteen_days(life, paying, people, monkeypatch):
    after(life, life.renew(paying, paid=False))
    assert (shown(people)["status"], shown(people)["plan"]) == ("PAST_DUE", "growth")
    since = Subscription.objects.get(workspace=people.acme).past_due_since
    for seconds, plan in ((-1, "growth"), (0, "free")):
        Subscription.objects.update(past_due_since=timezone.now() - timedelta(days=14, seconds=seconds))
        assert shown(people)["plan"] == plan
    Subscription.objects.update(past_due_since=since)
    after(life, life.recover(paying))
    assert (shown(people)["status"], shown(people)["plan"]) == ("ACTIVE", "growth")
    assert shown(people)["grace_until"] is None


def test_the_grace_counts_from_the_invoice_not_from_when_we_heard(life, paying, people):
    life.at -= 20 * 86_400
    after(life, life.renew(paying, paid=False))
    assert (shown(people)["status"], shown(people)["plan"]) == ("PAST_DUE", "free")


def test_unpaid_and_canceled_are_free_and_coming_back_is_not(life, paying, people, stripe):
    after(life, life.renew(paying, paid=False))
    after(life, life.give_up(paying))
    assert (shown(people)["status"], shown(people)["plan"]) == ("UNPAID", "free")
    after(life, life.end(paying))
    assert (shown(people)["status"], shown(people)["plan"]) == ("CANCELED", "free")
    price = next(price for price in stripe.prices.values() if price["lookup_key"] == "starter_eur_year")
    after(life, life.subscribe(paying["customer"], price)[1])
    assert (shown(people)["status"], shown(people)["plan"]) == ("ACTIVE", "starter")


def test_a_trial_is_served(life, stripe, people):
    body = {"plan": "agency", "currency": "gbp", "interval": "year", "email": "a@example.org"}
    pk = Api(user=people.alice).post("/api/billing/checkout", body).json()["id"]
    after(life, life.pay(stripe.sessions[pk], trial_days=14))
    assert (shown(people)["status"], shown(people)["plan"]) == ("TRIALING", "agency")
    assert shown(people)["trial_end"] == iso(life.at + 14 * 86_400)


def test_a_checkout_that_was_left_takes_no_given_plan_away(life, customer, people):
    customer["status"] = "incomplete"
    after(life, [life.tell("customer.subscription.created", customer)])
    assert (shown(people)["plan"], shown(people)["status"]) == ("enterprise", "ACTIVE")


def test_of_two_subscriptions_the_better_one_counts(life, paying, people, stripe):
    price = next(price for price in stripe.prices.values() if price["lookup_key"] == "agency_eur_month")
    row, events = life.subscribe(paying["customer"], price)
    after(life, events)
    assert shown(people)["plan"] == "agency"
    after(life, life.end(row))
    assert (shown(people)["plan"], shown(people)["status"]) == ("growth", "ACTIVE")


def test_what_changed_is_in_the_log_and_told_outside(life, paying, people, acme):
    actions = [row["action"] for row in Api(user=people.alice).get("/api/v1/activity").json()["data"]]
    assert "subscription.updated" in actions
    before = len(actions)
    after(life, [life.tell("customer.subscription.updated", paying)])
    assert len(Api(user=people.alice).get("/api/v1/activity").json()["data"]) == before, "nothing changed"


@pytest.mark.django_db(transaction=True)
def test_the_loop_of_a_worker_handles_what_comes_and_ends_when_told(life, customer):
    (event,) = told(life, "checkout.session.completed")
    loop = Inbox()
    thread = Thread(target=lambda: asyncio.run(loop.run()))
    thread.start()
    send(event)
    loop.wake()
    wait_for(lambda: state_of(event)[0] == EventState.DONE, seconds=20)
    loop.stop()
    thread.join(10)
    assert not thread.is_alive()


@pytest.mark.django_db(transaction=True)
def test_a_customer_about_whom_stripe_is_slow_holds_up_no_other(life, customer, people, monkeypatch):
    Subscription.objects.filter(workspace=people.other).update(customer="cus_other")
    (slow,) = told(life, "checkout.session.completed")
    asked, answered = Event(), Event()
    real = stripe_sdk.Stripe.account

    def account(self, name):
        if name == "cus_other":
            return Account((), ())
        asked.set()
        answered.wait(20)
        return real(self, name)

    monkeypatch.setattr(stripe_sdk.Stripe, "account", account)
    monkeypatch.setattr(worker, "IDLE", 60)
    loop = Inbox()
    thread = Thread(target=lambda: asyncio.run(loop.run()))
    send(slow)
    thread.start()
    try:
        assert asked.wait(20)
        for _ in range(3):
            quick = life.tell("invoice.paid", {"customer": "cus_other"})
            send(quick)
            loop.wake()
            wait_for(lambda event=quick: state_of(event)[0] == EventState.DONE, seconds=10)
        assert state_of(slow)[0] == EventState.PENDING
    finally:
        answered.set()
        loop.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert state_of(slow)[0] == EventState.DONE
