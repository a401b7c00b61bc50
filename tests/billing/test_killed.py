"""A worker that is killed between Stripe's answer and the commit: the event is handled later, exactly once."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from django.db import connection

from ajansops.kit.clock import now
from billing.models import EventState, Invoice, Notice, Purchase, StripeEvent, Subscription
from billing.sync import LEASE
from tests.billing.conftest import handle, send
from tests.billing.stripe_server import KEY
from tests.conftest import Api


def address_of_database() -> str:
    """Of the tests' own, for another process."""
    told = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{told['NAME']}"
    return f"postgres://{told['USER']}:{told['PASSWORD']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_a_kill_leaves_the_event_to_be_handled_once(life, customer, people, stripe):
    body = {"plan": "setup_pack", "currency": "eur", "email": "a@example.org"}
    pk = Api(user=people.alice).post("/api/billing/checkout", body).json()["id"]
    send(*life.pay(stripe.sessions[pk]), *life.renew(customer, paid=False))
    stripe.calls.clear()
    environ = {"DATABASE_URL": address_of_database(), "STRIPE_SECRET_KEY": KEY, "STRIPE_API_BASE": stripe.url}
    command = [sys.executable, "-m", "tests.billing.dying"]
    died = subprocess.run(command, env=os.environ | environ, capture_output=True, timeout=60, check=False)
    assert died.returncode == -9, died.stderr

    assert [path for _, path, _ in stripe.calls][:2] == ["/v1/subscriptions", "/v1/invoices"], "Stripe had answered"
    assert set(StripeEvent.objects.values_list("state", "attempts")) == {(EventState.PENDING, 0)}
    assert not any(model.objects.exists() for model in (Invoice, Notice, Purchase))
    handle()
    assert not StripeEvent.objects.filter(state=EventState.DONE).exists(), "its lease is not over"
    with time_machine.travel(now() + LEASE + timedelta(seconds=1), tick=False):
        handle()
        handle()
    assert set(StripeEvent.objects.values_list("state", "attempts")) == {(EventState.DONE, 1)}
    assert Subscription.objects.get(workspace=people.acme).status == "past_due"
    assert (Purchase.objects.count(), Invoice.objects.count()) == (1, 2)
    assert sorted(Notice.objects.values_list("kind", "email")) == [
        ("payment_failed", ""),
        ("payment_failed", "alice@example.org"),
    ]
