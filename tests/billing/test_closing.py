"""A workspace that is closed is charged no more: not when Stripe was away, and not when a worker was."""

from datetime import timedelta

import pytest
import structlog
import time_machine

from accounts.actors import operator
from accounts.models import Workspace
from accounts.services.workspaces import purge_workspaces, restore_workspace
from ajansops.kit.clock import now
from ajansops.kit.errors import UpstreamError
from billing import stripe_sdk
from billing.models import Subscription
from billing.reconcile import read_anew
from tests.billing.conftest import handle, send
from tests.billing.test_webhook import shown
from tests.conftest import Api


@pytest.fixture
def paying(life, customer):
    send(*life.stripe.events.values())
    handle()
    life.stripe.calls.clear()
    return customer


def close(people) -> None:
    assert Api(user=people.alice).call("DELETE", f"/api/v1/workspaces/{people.acme.pk}").status_code == 204


def restore(people) -> None:
    people.acme.refresh_from_db()
    restore_workspace(operator(people.acme.pk), people.acme)


def ends(row) -> tuple[str, bool]:
    return row["status"], row["cancel_at_period_end"]


def writes(stripe) -> int:
    return sum(method != "GET" for method, _, _ in stripe.calls)


STATES = {
    "paid for": ({"status": "active"}, ("active", True), 1),
    "on trial": ({"status": "trialing"}, ("trialing", True), 1),
    "late": ({"status": "past_due"}, ("canceled", False), 1),
    "unpaid": ({"status": "unpaid"}, ("canceled", False), 1),
    "never paid": ({"status": "incomplete"}, ("canceled", False), 1),
    "with a change that is scheduled": ({"status": "active", "schedule": "sub_sched_1"}, ("active", True), 2),
    "ending by itself": ({"status": "active", "cancel_at_period_end": True}, ("active", True), 0),
    "over": ({"status": "canceled"}, ("canceled", False), 0),
}


@pytest.mark.parametrize(("state", "end", "told"), STATES.values(), ids=STATES)
def test_what_is_paid_for_ends_with_its_period_and_all_else_at_once(paying, people, stripe, state, end, told):
    paying |= state
    close(people)
    handle()
    handle()
    assert ends(paying) == end
    assert writes(stripe) == told
    kept = Subscription.objects.get(workspace=people.acme)
    assert (kept.status, kept.cancel_at_period_end, kept.due_at) == (*end, None)


@pytest.mark.parametrize("told", [True, False], ids=["ended", "never ended"])
def test_who_is_purged_before_stripe_could_be_told_is_named_to_operators(paying, people, told):
    close(people)
    if told:
        handle()
    with structlog.testing.capture_logs() as logs, time_machine.travel(now() + timedelta(days=400), tick=False):
        purge_workspaces()
    assert not Workspace.objects.filter(pk=people.acme.pk).exists()
    left = [line["customer"] for line in logs if line["event"] == "stripe_customer_left_unread"]
    assert left == ([] if told else [paying["customer"]])


def test_who_never_paid_is_not_asked_about(people, stripe):
    close(people)
    handle()
    assert stripe.calls == []


@pytest.mark.parametrize("where", ["asking", "ending", "refused", "lease lost"])
def test_an_outage_only_delays_it(paying, people, stripe, monkeypatch, where):
    name = "stop_charging" if where in {"ending", "refused"} else "account"
    real = getattr(stripe_sdk.Stripe, name)

    def away(self, *args, **options):
        if where == "lease lost":
            Subscription.objects.update(lease=None)
        else:
            stripe.fails(400, kind="invalid_request_error") if where == "refused" else stripe.fails(500)
        return real(self, *args, **options)

    monkeypatch.setattr(stripe_sdk.Stripe, name, away)
    close(people)
    handle()
    monkeypatch.setattr(stripe_sdk.Stripe, name, real)
    handle()
    assert ends(paying) == ("active", False), "not before its pause is over"
    with time_machine.travel(now() + timedelta(seconds=6), tick=False):
        handle()
    assert ends(paying) == ("active", True)


def test_the_pauses_grow_to_an_hour_and_never_end(paying, people, monkeypatch):
    def away(self, name):
        raise UpstreamError

    monkeypatch.setattr(stripe_sdk.Stripe, "account", away)
    close(people)
    moment, pauses = now(), []
    for _ in range(14):
        with time_machine.travel(moment, tick=False):
            handle()
        due = Subscription.objects.get(workspace=people.acme).due_at
        pauses.append(due - moment)
        moment = due
    assert pauses[:3] == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20)]
    assert pauses[-1] == timedelta(hours=1)


def test_one_that_was_missed_is_ended_at_night(paying, people):
    close(people)
    Subscription.objects.update(due_at=None)
    handle()
    assert ends(paying) == ("active", False)
    assert read_anew()["subscriptions_due"] == 1
    handle()
    assert ends(paying) == ("active", True)


@pytest.mark.parametrize("plan", ["starter", "growth"])
def test_paid_on_a_page_that_was_still_open_it_ends_too(life, paying, people, plan):
    """Also a lesser one, beside which the first still counts."""
    close(people)
    handle()
    price = next(row for row in life.stripe.prices.values() if row["lookup_key"] == f"{plan}_eur_month")
    second, told = life.subscribe(paying["customer"], price)
    send(*told)
    handle()
    assert (ends(paying), ends(second)) == (("active", True), ("active", True))


def test_restored_it_is_served_to_the_end_of_its_period_and_charged_no_more(life, paying, people):
    close(people)
    handle()
    restore(people)
    read_anew()
    handle()
    assert ends(paying) == ("active", True)
    assert (shown(people)["plan"], shown(people)["cancel_at_period_end"]) == ("growth", True)
    paying["cancel_at_period_end"] = False  # in the portal
    send(life.tell("customer.subscription.updated", paying))
    handle()
    assert ends(paying) == ("active", False)


def test_restored_before_anybody_told_stripe_it_goes_on(paying, people, stripe):
    close(people)
    restore(people)
    handle()
    assert (ends(paying), writes(stripe)) == (("active", False), 0)
