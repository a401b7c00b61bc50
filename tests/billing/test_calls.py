"""Calls to the API are counted, by every credential of the workspace and on every surface, and written down later. At
the plan's limit they are refused.
"""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections
from django.test.utils import CaptureQueriesContext

from ajansops.api import throttling
from ajansops.kit import tally
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, FeatureLimitReached
from ajansops.kit.tally import Tally
from billing import periods
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


@pytest.fixture
def full(people, calls, limit):
    """The plan allows three; that two were used is known."""
    limit(Feature.API_CALLS, 3)
    calls.add(people.acme.pk)
    calls.add(people.acme.pk)
    calls.write()
    return people.acme


SITES = {"core": "/api/v1/sites", "app": "/api/sites", "studio": "/v1/auth/me", "insight": "/api/audit/run"}


@pytest.mark.parametrize("surface", SITES)
def test_at_the_limit_a_call_is_refused_in_the_surfaces_words(acme, full, calls, surface):
    def call():
        return acme.post(SITES[surface]) if surface == "insight" else acme.get(SITES[surface])

    assert call().status_code in {200, 400}
    refused = call()
    assert refused.status_code == (429 if surface == "app" else 403)
    body = refused.json()
    told = body["error"] if surface == "studio" else body
    code = told.get("code", told["error"] if surface != "studio" else "")
    assert (code.lower(), told["feature"]) == ("feature_limit_reached", "api_calls")
    assert str(full.pk) in told["upgradeUrl" if surface == "app" else "upgrade_url"]
    assert 0 < int(refused["Retry-After"]) <= 31 * 86400
    assert int(refused["X-RateLimit-Remaining"]) > 0, "the limit of the minute is another"
    calls.write()
    assert used(full) == 3, "what is refused is not counted"
    assert call().status_code == refused.status_code
    assert verify_ledger()["ledger_mismatches"] == 0


def test_who_is_refused_still_sees_and_lifts_the_limits(acme, people, full, calls):
    alice = Api(user=people.alice)
    while acme.get("/api/v1/sites").status_code != 403:
        pass
    told = acme.get("/api/v1/entitlements/check?feature=api_calls").json()
    assert told["allowed"] is True, "the last call is not written yet"
    calls.write()
    told = acme.get("/api/v1/entitlements/check?feature=api_calls").json()
    assert (told["allowed"], told["current_usage"], told["available"]) == (False, 3, 0)
    assert acme.get("/api/v1/entitlements/summary").status_code == 200
    assert acme.get("/api/v1/subscription").status_code == 200
    assert acme.post("/api/v1/entitlements/usage", {"feature": "emails"}).status_code == 200
    body = {"plan": "growth", "currency": "eur", "interval": "month", "email": "alice@example.org"}
    assert alice.post("/api/billing/checkout", body).json()["error"] == "stripe_not_configured"
    assert alice.post("/api/billing/portal", {"customerId": "cus_1"}).status_code != 429
    assert alice.get("/api/account/export").status_code == 200
    assert alice.get("/api/sites").status_code == 429, "a person's other calls are calls, too"
    calls.write()
    assert used(full) == 3


def test_a_larger_limit_and_a_new_month_are_known_after_the_next_writing(acme, full, calls, limit, monkeypatch):
    statuses = []
    for most in (3, 4, 5):
        limit(Feature.API_CALLS, most)
        calls.write()
        statuses += [acme.get("/api/v1/sites").status_code for _ in range(2)]
    assert statuses == [200, 403] * 3
    end = periods.current_period(full.pk).end
    monkeypatch.setattr(tally, "now", lambda: end)
    assert acme.get("/api/v1/sites").status_code == 200, "what is known is of a month that is over"


def test_what_others_admit_is_known_after_the_next_writing(full, calls):
    """Another process, and what a client has recorded itself."""
    other = Tally()
    for one in (calls, other):
        one.add(full.pk)
    other.write()
    assert used(full) == 3
    with pytest.raises(FeatureLimitReached):
        calls.add(full.pk)
    calls.write()
    assert used(full) == 4, "over by what this one admitted since its last writing"
    for one in (calls, other):
        one.write()
        with pytest.raises(FeatureLimitReached):
            one.add(full.pk)


def test_to_be_asked_for_the_plan_costs_a_call_no_query(acme, full, calls, limit):
    """Neither one that is admitted nor one that is refused."""
    calls._known.clear()
    acme.get("/api/v1/sites")  # the first writes when the key was used
    with CaptureQueriesContext(connection) as stranger:
        assert acme.get("/api/v1/sites").status_code == 200
    limit(Feature.API_CALLS, 5)
    calls.write()
    with CaptureQueriesContext(connection) as admitted:
        assert acme.get("/api/v1/sites").status_code == 200
    with CaptureQueriesContext(connection) as refused:
        assert acme.get("/api/v1/sites").status_code == 403
    assert len(admitted) == len(stranger)
    assert len(refused) < len(admitted)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [True, False], ids=["known", "the control"])
def test_in_one_process_they_are_exact_in_parallel(people, key_for, calls, limit, known):
    limit(Feature.API_CALLS, 20)
    raw = key_for(people.acme)
    calls.add(people.acme.pk)
    calls.write()
    if not known:
        calls._known.clear()

    def call(number: int) -> int:
        try:
            return Api(key=raw).get("/api/v1/sites").status_code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(32) as pool:
        seen = Counter(pool.map(call, range(64)))
    calls.write()
    assert seen == ({200: 19, 403: 45} if known else {200: 64})
    assert used(people.acme) == (20 if known else 65)


def test_about_a_stranger_it_is_asked_at_once(settings):
    settings.CALLS_WRITTEN_EVERY = 600
    written = threading.Event()

    class Watched(Tally):
        def write(self) -> None:
            settings.CALLS_WRITTEN_EVERY = 0  # the last time
            written.set()

    Watched().add(1)
    assert written.wait(5)


def test_in_a_process_that_serves_they_are_written_by_themselves(settings):
    settings.CALLS_WRITTEN_EVERY = 0.01
    written = threading.Event()

    class Watched(Tally):
        def write(self) -> None:
            written.set()

    Watched().add(1)
    assert written.wait(5)
