"""The world is made once a module, inside a transaction that never commits; each call is undone by its savepoint."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.core.management import call_command
from django.db import transaction

from ajansops.api import throttling
from tests.billing.stripe_server import KEY, StripeServer
from tests.contract import worlds
from webhooks import trial


@pytest.fixture(autouse=True)
def _any_number_from_one_address(monkeypatch):
    """Five audits a minute are too few for everybody who might ask for one."""
    monkeypatch.setattr(throttling, "_by_address", lambda request, view: [])


@pytest.fixture(autouse=True)
def _a_failed_trial_is_told_at_once(monkeypatch):
    """Everybody tries an endpoint where nobody is."""
    monkeypatch.setattr(trial, "LEAST_SECONDS", 0.0)


@pytest.fixture(scope="module")
def _stripe() -> Iterator[StripeServer]:
    with StripeServer() as server:
        yield server


@pytest.fixture(autouse=True)
def _payments(request, settings):
    """Where somebody pays in a test, there is a Stripe; the tenants' customers are in it."""
    if "/api/billing/" not in request.node.name:
        return
    server = request.getfixturevalue("_stripe")
    paid = {"stripe_secret_key": KEY, "stripe_api_base": server.url, "stripe_webhook_secret": ("whsec_x",)}
    settings.ENV = replace(settings.ENV, **paid)
    server.customers |= {f"cus_{mark}": {"id": f"cus_{mark}"} for mark in ("qacmeq", "zotherz")}
    if not server.prices:
        call_command("sync_stripe")


@pytest.fixture(scope="module")
def _world(django_db_setup, django_db_blocker) -> Iterator[worlds.World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield worlds.build()
        transaction.set_rollback(True)


@pytest.fixture
def world(_world, db) -> Iterator[worlds.World]:
    """Both tenants. Keys and sessions that a test adds are forgotten with its transaction."""
    tenants = (_world.acme, _world.other)
    known = [(dict(tenant.keys), dict(tenant.sessions)) for tenant in tenants]
    yield _world
    for tenant, (keys, sessions) in zip(tenants, known, strict=True):
        tenant.keys, tenant.sessions = keys, sessions
