"""The billing pages of the admin: what workspaces read, what only operators do."""

import json
import re
from datetime import timedelta
from html import unescape

import pytest

from accounts.models import Activity
from ajansops.kit.clock import now
from billing.limits import limits_of, sync_plans
from billing.models import (
    Boost,
    EventState,
    Invoice,
    MonthlyRevenue,
    PlanLimit,
    Referral,
    ReferralState,
    StripeEvent,
    Subscription,
)
from billing.referrals import code_of
from billing.selectors import plan_of
from tests.accounts.test_admin import address, post, staff
from tests.billing.conftest import handle, send

OPERATORS = [MonthlyRevenue, PlanLimit, Referral, StripeEvent]


@pytest.fixture
def root(people):
    return staff(people.charlie, is_superuser=True)


def page(api, model, name="changelist", *args) -> str:
    answer = api.get(address(model, name, *args))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def act(api, model, action: str, *rows):
    return post(api, address(model, "changelist"), action=action, _selected_action=[row.pk for row in rows])


@pytest.mark.parametrize("model", OPERATORS)
def test_the_installations_own_pages_are_for_superusers(people, model):
    assert staff(people.alice).get(address(model, "changelist")).status_code == 403
    assert staff(people.alice, is_superuser=True).get(address(model, "changelist")).status_code == 200


def test_a_workspaces_page_shows_plan_usage_boosts_and_invoices(people):
    Subscription.objects.filter(workspace=people.acme).update(
        plan="growth", amount=75_00, currency="eur", interval="month"
    )
    Boost.objects.create(workspace=people.acme, feature="members", amount=7, note="A gift")
    Boost.objects.create(workspace=people.acme, feature="members", amount=900, note="Over", ends_at=now())
    Invoice.objects.create(
        workspace=people.acme,
        stripe_id="in_1",
        number="AO-77",
        status="paid",
        currency="eur",
        amount_due=75_00,
        amount_paid=75_00,
        issued_at=now(),
    )
    Invoice.objects.create(
        workspace=people.other,
        stripe_id="in_2",
        number="ZZ-99",
        status="paid",
        currency="eur",
        amount_due=1,
        amount_paid=1,
        issued_at=now(),
    )
    row = Subscription.objects.get(workspace=people.acme)
    shown = page(staff(people.bob), Subscription, "change", row.pk)
    assert "75.00 EUR / month" in shown
    assert "2 of 27" in shown  # members: 20 of the plan, 7 of the boost
    assert "A gift" in shown
    assert "Over" not in shown
    assert "AO-77" in shown
    assert "ZZ-99" not in shown
    assert code_of(people.acme.pk) in shown


def test_another_workspaces_page_does_not_exist(people):
    row = Subscription.objects.get(workspace=people.other)
    answer = staff(people.alice).get(address(Subscription, "change", row.pk))
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/admin/"


def test_only_operators_give_plans(people, root):
    row = Subscription.objects.get(workspace=people.acme)
    act(staff(people.alice), Subscription, "give_starter", row)
    assert plan_of(people.acme.pk).code == "enterprise"
    act(root, Subscription, "give_starter", row)
    assert plan_of(people.acme.pk).code == "starter"
    line = Activity.objects.get(workspace=people.acme, action="subscription.updated")
    assert (line.user_id, line.changes["plan"]) == (people.charlie.pk, ["enterprise", "starter"])


def test_only_operators_give_boosts(people, root):
    fields = {
        "workspace": people.acme.pk,
        "feature": "sites",
        "amount": 5,
        "note": "",
        "starts_at_0": "2026-01-01",
        "starts_at_1": "00:00:00",
        "ends_at_0": "",
        "ends_at_1": "",
    }
    assert post(staff(people.alice), address(Boost, "add"), **fields).status_code == 403
    assert not Boost.objects.exists()
    post(root, address(Boost, "add"), **fields)
    boost = Boost.objects.get()
    assert staff(people.alice).get(address(Boost, "change", boost.pk)).status_code == 200
    for name in ("change", "delete"):
        assert (
            post(staff(people.alice), address(Boost, name, boost.pk), post="yes", **fields | {"amount": 6}).status_code
            == 403
        )
    assert Activity.objects.filter(workspace=people.acme, action="boost.created").exists()


def test_a_limit_that_an_operator_changed_stays_when_plans_are_synced(people, root):
    sync_plans()
    row = PlanLimit.objects.get(plan="starter", feature="sites")
    post(root, address(PlanLimit, "change", row.pk), limit=11)
    sync_plans()
    row.refresh_from_db()
    assert (row.limit, row.edited) == (11, True)
    Subscription.objects.filter(workspace=people.acme).update(plan="starter")
    assert limits_of(people.acme.pk)["sites"] == 11
    assert Activity.objects.filter(workspace=None, action="plan_limit.updated", user_id=people.charlie.pk).exists()


def test_a_failed_event_is_replayed(life, customer, people):
    events = list(life.stripe.events.values())
    send(*events)
    StripeEvent.objects.update(state=EventState.FAILED, reason="upstream_error")
    assert plan_of(people.acme.pk).code == "enterprise"
    operator = staff(people.charlie, is_superuser=True)
    assert "upstream_error" in page(operator, StripeEvent, "change", StripeEvent.objects.first().pk)
    act(operator, StripeEvent, "replay", *StripeEvent.objects.all())
    handle()
    assert plan_of(people.acme.pk).code == "growth"
    assert not StripeEvent.objects.filter(state=EventState.FAILED).exists()


def test_a_referral_is_void_by_an_operator(people, root):
    row = Referral.objects.create(workspace=people.acme, referrer=people.other, held_until=now() + timedelta(days=9))
    act(root, Referral, "void", row)
    row.refresh_from_db()
    assert row.state == ReferralState.VOID
    act(root, Referral, "void", row)
    assert "already" in page(root, Referral)


def test_revenue_is_drawn_from_what_was_recorded(people, root):
    month = now().date().replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    for first, payer, amount in ((before, 1, 25_00), (before, 2, 75_00), (month, 1, 25_00)):
        MonthlyRevenue.objects.create(month=first, payer=payer, currency="eur", amount=amount)
    shown = page(root, MonthlyRevenue)
    charts = [json.loads(value) for value in re.findall(r'data-value="(\{.*?\})"', shown)]
    drawn = {line["label"]: line["data"][-2:] for chart in charts for line in chart["datasets"]}
    assert drawn == {"MRR": [100, 25], "Churn": [None, 50.0], "New": [2, 0], "Lost": [0, -1]}
    assert all(len(chart["labels"]) == 12 for chart in charts)


def test_revenue_before_there_is_any(root):
    assert "Churn" in page(root, MonthlyRevenue)


def test_no_page_asks_anybody_outside(people, root):
    Invoice.objects.create(
        workspace=people.acme,
        stripe_id="in_1",
        status="paid",
        currency="eur",
        amount_due=1,
        amount_paid=1,
        issued_at=now(),
        url="javascript:alert(1)",
    )
    shown = page(root, Invoice, "change", Invoice.objects.get().pk) + page(root, MonthlyRevenue)
    assert "javascript:alert" not in shown
    assert re.findall(r'(?:src|href)="https?://[^"]*', shown) == []
