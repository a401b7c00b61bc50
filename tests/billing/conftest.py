"""A Stripe of one's own, with the declared prices in it."""

from dataclasses import replace

import pytest
from django.core.management import call_command

from billing import stripe_sdk
from tests.billing.stripe_server import KEY, StripeServer


@pytest.fixture
def bare(settings, monkeypatch):
    """Nothing in it yet."""
    monkeypatch.setattr(stripe_sdk, "RETRIES", 0)
    with StripeServer() as server:
        settings.ENV = replace(settings.ENV, stripe_secret_key=KEY, stripe_api_base=server.url)
        yield server


@pytest.fixture
def stripe(bare, capsys):
    call_command("sync_stripe")
    capsys.readouterr()
    bare.calls.clear()
    return bare
