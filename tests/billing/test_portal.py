"""`POST /api/billing/portal`."""

import pytest

from billing.models import Subscription
from tests.billing.test_checkout import PRINTED
from tests.billing.test_checkout import URL as CHECKOUT
from tests.conftest import Api

URL = "/api/billing/portal"


@pytest.fixture
def customers(stripe, people):
    for user in (people.alice, people.charlie):
        assert Api(user=user).post(CHECKOUT, PRINTED).status_code == 200
    rows = dict(Subscription.objects.values_list("workspace_id", "customer"))
    return rows[people.acme.pk], rows[people.other.pk]


def test_the_printed_example_works_after_a_first_checkout(people, customers):
    answer = Api(user=people.alice).post(URL, {"customerId": customers[0]})
    assert answer.status_code == 200
    assert answer.json().keys() == {"ok", "url"}
    assert answer.json()["url"].startswith("https://billing.stripe.com/p/session/")


def test_only_the_own_customer(stripe, people, customers):
    stripe.calls.clear()
    for customer in (customers[1], "cus_unknown", customers[0].upper()):
        answer = Api(user=people.alice).post(URL, {"customerId": customer})
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
    assert stripe.calls == []


def test_before_a_first_checkout_nothing_is_ones_own(stripe, people):
    assert Api(user=people.alice).post(URL, {"customerId": "cus_0001"}).status_code == 403


@pytest.mark.parametrize(
    "body", [{}, {"customerId": ""}, {"customerId": None}, {"customerId": ["x"]}, {"customer": "x"}]
)
def test_a_customer_has_to_be_named(stripe, people, body):
    answer = Api(user=people.alice).post(URL, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "missing_fields")


def test_who_may(people, customers, key_for):
    body = {"customerId": customers[0]}
    assert Api().post(URL, body).status_code == 401
    assert Api(user=people.bob).post(URL, body).status_code == 403
    assert Api(user=people.charlie).post(URL, body).status_code == 403
    assert Api(key=key_for(people.acme, test=True)).post(URL, body).status_code == 403


def test_not_configured_is_503(people):
    answer = Api(user=people.alice).post(URL, {"customerId": "cus_0001"})
    assert (answer.status_code, answer.json()["error"]) == (503, "stripe_not_configured")


def test_what_stripe_refuses_is_502(stripe, people, customers):
    stripe.fails(500)
    assert Api(user=people.alice).post(URL, {"customerId": customers[0]}).status_code == 502
