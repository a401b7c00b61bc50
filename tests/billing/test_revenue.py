"""Monthly recurring revenue and churn."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
import time_machine

from billing.models import MonthlyRevenue, Status, Subscription
from billing.revenue import Month, last_months, months, present, record_revenue

JAN, FEB, MAR = (date(2026, month, 1) for month in (1, 2, 3))
EUR, HUF = ("eur", 25_00), ("huf", 9_900_00)


def at(year: int, month: int, day: int):
    return time_machine.travel(datetime(year, month, day, 12, tzinfo=ZoneInfo("UTC")), tick=False)


@pytest.mark.parametrize(
    ("before", "after", "month"),
    [
        ({}, {}, Month(FEB, {}, 0, 0, 0, None)),
        ({}, {1: EUR}, Month(FEB, {"eur": 25_00}, 1, 1, 0, None)),
        ({1: EUR}, {1: EUR}, Month(FEB, {"eur": 25_00}, 1, 0, 0, 0.0)),
        ({1: EUR, 2: EUR, 3: HUF}, {1: EUR, 3: HUF}, Month(FEB, {"eur": 25_00, "huf": 9_900_00}, 2, 0, 1, 33.3)),
        ({1: EUR}, {2: HUF}, Month(FEB, {"huf": 9_900_00}, 1, 1, 1, 100.0)),
        ({1: EUR}, {1: HUF}, Month(FEB, {"huf": 9_900_00}, 1, 0, 0, 0.0)),  # another currency is no other payer
    ],
)
def test_who_came_and_who_left(before, after, month):
    assert list(months([(JAN, before), (FEB, after)])) == [month]


def subscribe(workspace, **changes) -> None:
    fields = {"stripe_id": "sub_1", "status": Status.ACTIVE, "amount": 75_00, "currency": "eur", "interval": "month"}
    Subscription.objects.filter(workspace=workspace).update(**fields | changes)


@pytest.mark.parametrize(
    ("changes", "amount"),
    [
        ({}, 75_00),
        ({"interval": "year", "amount": 750_00}, 62_50),
        ({"status": Status.PAST_DUE}, 75_00),
        ({"status": Status.TRIALING}, None),
        ({"status": Status.CANCELED}, None),
        ({"status": Status.UNPAID}, None),
        ({"stripe_id": "", "amount": None}, None),  # given by an operator
    ],
)
def test_what_counts(people, changes, amount):
    subscribe(people.acme, **changes)
    assert present() == ({} if amount is None else {people.acme.pk: ("eur", amount)})


def test_a_year_of_it(people):
    with at(2026, 1, 10):
        subscribe(people.acme)
        subscribe(people.other, stripe_id="sub_2", currency="huf", amount=9_900_00)
        record_revenue()
    with at(2026, 1, 31):
        subscribe(people.acme, amount=199_00)
        assert record_revenue() == record_revenue() == {"payers": 2}
    with at(2026, 2, 28):
        subscribe(people.other, status=Status.CANCELED)
        record_revenue()
    with at(2026, 3, 1):
        subscribe(people.other, stripe_id="sub_3", currency="huf", amount=9_900_00)
        record_revenue()
        assert last_months(2) == [
            Month(FEB, {"eur": 199_00}, 1, 0, 1, 50.0),
            Month(MAR, {"eur": 199_00, "huf": 9_900_00}, 2, 1, 0, 0.0),
        ]


def test_who_leaves_within_the_month_was_no_payer_of_it(people):
    with at(2026, 1, 10):
        subscribe(people.acme)
        record_revenue()
    with at(2026, 1, 20):
        subscribe(people.acme, status=Status.CANCELED)
        record_revenue()
    assert not MonthlyRevenue.objects.exists()


def test_a_workspace_that_is_gone_stays_in_the_books(people):
    subscribe(people.acme)
    record_revenue()
    people.acme.delete()
    assert MonthlyRevenue.objects.count() == 1
