"""Adding and completing leads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import IntegrityError, connections, transaction

from leads.found import Found
from leads.models import Lead, LeadIdentity
from leads.services import keep as services
from leads.services.keep import save_lead

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def save(people):
    def run(workspace=None, **facts):
        return save_lead((workspace or people.acme).pk, Found(**facts), source="website")

    return run


A = {"company": "A", "website": "https://firma.com.tr", "emails": ["a@firma.com.tr"], "phones": ["+36301234567"]}


@pytest.mark.parametrize(
    "shared",
    [
        {"website": "http://www.firma.com.tr/tr"},
        {"emails": ["A@FIRMA.com.tr"]},
        {"phones": ["+36301234567"]},
        {"external_id": "x1", "phones": ["+36301234999"]},
    ],
)
def test_one_thing_in_common_makes_one_lead(save, shared):
    first = save(**A, external_id="x1")
    second = save(company="A again", **shared)
    assert (first.created, second.created, second.lead.pk) == (True, False, first.lead.pk)
    assert Lead.objects.get().company == "A"


def test_nothing_in_common_makes_two(save):
    save(**A)
    save(company="A", website="https://firma.hu", emails=["a@firma.hu"], phones=["+36301234568"])
    assert Lead.objects.count() == 2


def test_another_workspace_has_its_own(save, people):
    save(**A)
    assert save(people.other, **A).created


def test_blanks_are_filled_and_lists_grow(save):
    save(company="A", website="https://firma.com.tr")
    save(**A | {"address": {"locality": "Kütahya"}, "latitude": 39.4, "longitude": 29.9})
    save(website="https://firma.com.tr", emails=["b@firma.com.tr", "a@firma.com.tr"], latitude=1.0, longitude=1.0)
    lead = Lead.objects.get()
    assert lead.emails == ["a@firma.com.tr", "b@firma.com.tr"]
    assert (lead.phones, lead.address) == (["+36301234567"], {"locality": "Kütahya"})
    assert (lead.latitude, lead.longitude, lead.score) == (39.4, 29.9, 15)
    assert save(emails=["b@firma.com.tr"]).lead == lead, "what was added is recognised too"


def test_facts_of_two_leads_complete_the_surest_and_leave_the_other(save):
    by_domain = save(company="A", website="https://firma.com.tr").lead
    by_phone = save(company="B", phones=["+36301234567"]).lead
    assert save(website="https://firma.com.tr", phones=["+36301234567"]).lead == by_domain
    by_phone.refresh_from_db()
    assert (by_phone.company, by_phone.website) == ("B", "")
    assert LeadIdentity.objects.get(value="+36301234567").lead == by_phone


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        (A, 80),
        (A | {"address": {"locality": "x"}, "socials": ["https://instagram.com/a"]}, 100),
        ({"company": "A", "phones": ["+36301234567"]}, 25),
    ],
)
def test_the_score_says_how_well_it_can_be_reached(save, facts, score):
    assert save(**facts).lead.score == score


@pytest.mark.parametrize("facts", [{"company": "A"}, {"company": "A", "socials": ["https://instagram.com/a"]}, {}])
def test_what_cannot_be_reached_is_not_kept(save, facts):
    assert save(**facts) is None
    assert not Lead.objects.exists()


def in_threads(calls):
    """All at once, each with a connection of its own; their results, or the first error."""
    start = threading.Barrier(len(calls))

    def run(call):
        try:
            start.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.fixture
def nobody_sees_the_other(monkeypatch):
    """The first look of every save finds nothing and waits for the others to have looked: the race at its worst.

    On SQLite a transaction waits for the one before, so there they look one after the other and the wait is left out.
    """
    looked, known, seen = threading.Barrier(4), services._known, threading.local()

    def blind(*args):
        if getattr(seen, "once", False):
            return known(*args)
        seen.once = True
        if connections["default"].vendor != "sqlite":
            looked.wait(10)
        return None

    monkeypatch.setattr(services, "_known", blind)


def test_saves_of_one_company_at_the_same_time_make_one_lead(save, nobody_sees_the_other):
    facts = [{"company": f"A {n}", "phones": ["+36301234567"], "emails": [f"a{n}@firma.com.tr"]} for n in range(4)]
    kept = in_threads([lambda f=f: save(**f) for f in facts])
    assert sorted(one.created for one in kept) == [False, False, False, True]
    assert sorted(Lead.objects.get().emails) == [f"a{n}@firma.com.tr" for n in range(4)]


def test_it_is_the_constraint_that_holds_them_together(save, people, nobody_sees_the_other, monkeypatch):
    """The control of the test above: with identities nobody else can have, the same race makes four leads."""
    keys = services.keys_of
    monkeypatch.setattr(services, "keys_of", lambda f, s: [(k, f"{threading.get_ident()}{v}") for k, v in keys(f, s)])
    in_threads([lambda: save(**A)] * 4)
    assert Lead.objects.count() == 4
    monkeypatch.undo()
    lead = Lead.objects.first()
    with pytest.raises(IntegrityError), transaction.atomic():
        LeadIdentity.objects.bulk_create(
            LeadIdentity(workspace=people.acme, lead=lead, kind="phone", value="+1") for _ in range(2)
        )


def test_a_refusal_that_is_no_race_is_an_error(save):
    with pytest.raises(IntegrityError):
        save(**A, latitude=91.0, longitude=0.0)
