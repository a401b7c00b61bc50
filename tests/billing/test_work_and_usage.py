"""What real work costs: usage and work done agree to the unit, and what fails costs nothing."""

import pytest

from ajansops.ai.contract import ProviderFailed
from ajansops.demo.server import text
from ajansops.kit.entitlements import Feature
from billing.ledger import used_of, verify_ledger
from content.models import Product, Variant
from jobs.models import Job
from leads.models import Lead
from sites.models import Audit, Report, Site
from tests.conftest import Api
from tests.leads.conftest import Pages
from tests.sites.test_audit import context

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    """Retries too, and more audits than five a minute."""
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))
    monkeypatch.setattr("sites.api.insight.AuditRunView.by_address", None)


@pytest.fixture(autouse=True)
def _counters_are_the_sums_of_their_ledgers(transactional_db):
    yield
    assert verify_ledger()["ledger_mismatches"] == 0


@pytest.fixture
def used(people):
    return lambda feature: used_of(people.acme.pk, feature)


@pytest.fixture
def shops():
    """Three companies on one page, and their websites."""
    names = ["bir", "iki", "uc"]
    links = ",".join(f'{{"@type":"Store","name":"{n}","telephone":"+90 212 555 01 0{i}"}}' for i, n in enumerate(names))
    page = f'<html lang="tr"><script type="application/ld+json">[{links}]</script>'
    server = Pages({"/shops": page, "/": "<title>Home</title>", "/robots.txt": text("")}).start()
    yield server.url
    server.stop()


def fail(*args, **kwargs):
    raise ProviderFailed


def test_a_scrape_costs_the_leads_it_kept(acme, people, shops, used, work):
    site = Site.objects.create(workspace=people.acme, name="S", domain="s.example.com")
    asked = {"site_id": site.pk, "terms": [f"{shops}/shops"], "limit": 50}
    assert acme.post("/api/v1/leads/scrape", asked).status_code == 202
    assert used(Feature.LEAD_SCRAPES) == 50
    work()
    assert used(Feature.LEAD_SCRAPES) == Lead.objects.count() == 3
    acme.post("/api/v1/leads/scrape", asked | {"terms": [f"{shops}/gone"]})
    work()
    assert used(Feature.LEAD_SCRAPES) == 3, "nothing found costs nothing"


def test_a_scrape_without_a_limit_takes_what_there_is(acme, people, limit):
    site = Site.objects.create(workspace=people.acme, name="S", domain="s.example.com")
    limit(Feature.LEAD_SCRAPES, 30)
    answer = acme.post("/api/v1/leads/scrape", {"site_id": site.pk, "terms": ["https://example.com"]})
    assert answer.json()["data"]["configuration"]["limit"] == 30


def test_a_crawl_costs_one_when_it_ends_with_a_report(acme, people, shops, used, work):
    site = Site.objects.create(workspace=people.acme, name="S", domain=shops.removeprefix("http://"))
    for runs in (1, 2):
        assert acme.post("/api/v1/seo/scrape", {"site_id": site.pk}).status_code == 202
        assert used(Feature.SEO_SCRAPES) == runs
        work()
        assert used(Feature.SEO_SCRAPES) == Report.objects.count() == runs


def test_a_crawl_without_a_report_costs_nothing(acme, people, used, work):
    site = Site.objects.create(workspace=people.acme, name="S", domain="127.0.0.2:9")
    acme.post("/api/v1/seo/scrape", {"site_id": site.pk})
    work()
    assert (Job.objects.get().status, used(Feature.SEO_SCRAPES)) == ("failed", 0)


@pytest.mark.parametrize("prefer", ["", "respond-async"])
def test_an_audit_costs_one_when_it_is_stored(acme, used, work, prefer, monkeypatch):
    assert acme.post("/api/audit/run", context(), prefer=prefer).status_code in {200, 202}
    work()
    assert used(Feature.AUDITS) == Audit.objects.count() == 1
    monkeypatch.setattr("ajansops.ai.offline.provider.Offline.audit", fail)
    answer = acme.post("/api/audit/run", context(), prefer=prefer)
    assert answer.status_code == (202 if prefer else 502)
    work()
    assert used(Feature.AUDITS) == Audit.objects.count() == 1


def test_texts_cost_one_each_when_they_are_written(acme, people, used, work, monkeypatch):
    for sku in "ABC":
        Product.objects.create(workspace=people.acme, sku=sku, title=f"Title of {sku}")
    assert acme.post("/v1/content/generate", {"content_types": ["description"]}).status_code == 202
    assert used(Feature.GENERATIONS) == 3
    Product.objects.filter(sku="B").update(deleted_at="2026-01-01T00:00:00Z")
    work()
    assert used(Feature.GENERATIONS) == Variant.objects.exclude(body="").count() == 2


def test_a_test_key_costs_as_much(people, key_for, used, work):
    api = Api(key=key_for(people.acme, test=True))
    assert api.post("/api/audit/run", context()).status_code == 200
    assert used(Feature.AUDITS) == 1
