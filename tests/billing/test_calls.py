"""Calls to the API are counted, by every credential of the workspace and on every surface, and written down later."""

import threading
from datetime import timedelta

import pytest
from django.db import OperationalError

from ajansops.api import throttling
from ajansops.kit import tally
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature
from ajansops.kit.tally import Tally
from billing.ledger import Ledger, used_of, verify_ledger
from billing.models import LedgerEntry, UsageNotice
from billing.services import set_plan
from tests.conftest import Api


@pytest.fixture
def calls(monkeypatch) -> Tally:
    """Nobody has called yet."""
    one = Tally()
    monkeypatch.setattr(throttling, "CALLS", one)
    return one


def used(workspace) -> int:
    return used_of(workspace.pk, Feature.API_CALLS)


def test_it_works(acme, other, people, calls):
    for _ in range(3):
        acme.get("/api/v1/sites")
    Api(user=people.alice).get("/api/sites")
    other.get("/api/v1/sites")
    Api(key="sk_live_nobodys").get("/api/v1/sites")
    assert used(people.acme) == 0
    calls.write()
    assert (used(people.acme), used(people.other)) == (4, 1)
    calls.write()
    assert used(people.acme) == 4


def test_an_hour_is_one_line(acme, people, calls, monkeypatch):
    for _ in range(3):
        acme.get("/api/v1/sites")
        calls.write()
    later = now() + timedelta(hours=1)
    monkeypatch.setattr(tally, "now", lambda: later)
    acme.get("/api/v1/sites")
    calls.write()
    assert sorted(LedgerEntry.objects.values_list("units", flat=True)) == [1, 3]
    assert verify_ledger()["ledger_mismatches"] == 0


def test_what_cannot_be_written_waits(acme, people, calls, monkeypatch):
    def away(*args) -> None:
        raise OperationalError

    acme.get("/api/v1/sites")
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "record", away)
        calls.write()
    acme.get("/api/v1/sites")
    calls.write()
    assert used(people.acme) == 2


def test_of_a_workspace_that_is_gone_nothing_is_kept(acme, people, calls):
    acme.get("/api/v1/sites")
    calls.add(10**9)
    calls.write()
    assert used(people.acme) == 1


def test_many_calls_are_noticed(acme, people, calls):
    set_plan(people.acme.pk, "free")
    Ledger().record(people.acme.pk, Feature.API_CALLS, 7_999, "before")
    acme.get("/api/v1/sites")
    assert not UsageNotice.objects.exists()
    calls.write()
    assert UsageNotice.objects.get().percent == 80


def test_in_a_process_that_serves_they_are_written_by_themselves(settings):
    settings.CALLS_WRITTEN_EVERY = 0.01
    written = threading.Event()

    class Watched(Tally):
        def write(self) -> None:
            written.set()

    Watched().add(1)
    assert written.wait(5)
