"""A Stripe of one's own, with the declared prices in it."""

from dataclasses import replace

import pytest
from django.core.management import call_command

from billing import stripe_sdk
from billing.inbox import handle_next
from billing.rereading import read_next
from tests.billing.stripe_life import SECRET, Life, body_of, signed
from tests.billing.stripe_server import KEY, StripeServer
from tests.conftest import Api

WEBHOOK = "/api/billing/webhook"


@pytest.fixture
def bare(settings, monkeypatch):
    """Nothing in it yet."""
    monkeypatch.setattr(stripe_sdk, "RETRIES", 0)
    with StripeServer() as server:
        settings.ENV = replace(settings.ENV, stripe_secret_key=KEY, stripe_api_base=server.url)
        settings.ENV = replace(settings.ENV, stripe_webhook_secret=(SECRET,))
        yield server


@pytest.fixture
def stripe(bare, capsys):
    call_command("sync_stripe")
    capsys.readouterr()
    bare.calls.clear()
    return bare


def send(*events):
    """To the webhook, each signed. The answers."""
    bodies = [body_of(event) for event in events]
    return [Api().call("POST", WEBHOOK, body, stripe_signature=signed(body)) for body in bodies]


def handle() -> None:
    """What a worker's loop does until nothing is due."""
    while handle_next() or read_next():
        pass


@pytest.fixture
def life(stripe, db):
    """What happens at that Stripe."""
    return Life(stripe)


@pytest.fixture
def customer(life, people):
    """Alice's workspace has paid for growth by the month, and nothing of it has been told yet. The subscription."""
    body = {"plan": "growth", "currency": "eur", "interval": "month", "email": "billing@example.org"}
    answer = Api(user=people.alice).post("/api/billing/checkout", body)
    assert answer.status_code == 200
    life.pay(life.stripe.sessions[answer.json()["id"]])
    (row,) = life.stripe.subscriptions.values()
    return row
