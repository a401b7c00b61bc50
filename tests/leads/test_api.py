"""Leads and their scrapes over HTTP."""

import pytest

from ajansops.kit.errors import DomainError
from leads.found import Found
from leads.models import Lead
from leads.services import scrape as services
from leads.services.keep import save_lead
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)

CORE, APP, LEADS = "/api/v1/leads/scrape", "/api/leads/scrape", "/api/v1/leads"
URL = "http://127.0.0.1:9/rehber"


@pytest.fixture
def lead(people, site) -> Lead:
    found = Found(company="Fırın A", website="https://firin.com.tr", emails=["merhaba@firin.com.tr"])
    return save_lead(people.acme.pk, found, source="website", site_id=site.pk).lead


# --- reading --------------------------------------------------------------------------------------


def test_a_lead_has_the_documented_fields(acme, lead, site):
    row = acme.get(f"{LEADS}/{lead.pk}").json()["data"]
    assert row | {"created_at": "", "updated_at": ""} == {
        "id": lead.pk,
        "company": "Fırın A",
        "contact": "",
        "emails": ["merhaba@firin.com.tr"],
        "phones": [],
        "website": "https://firin.com.tr",
        "address": {},
        "latitude": None,
        "longitude": None,
        "socials": [],
        "source": "website",
        "external_id": "",
        "score": 55,
        "status": "new",
        "tags": [],
        "site_id": site.pk,
        "owner_id": None,
        "created_at": "",
        "updated_at": "",
    }
    assert row["created_at"].endswith("Z")
    listed = acme.get(LEADS).json()
    assert (listed["data"], listed["meta"]["total"]) == ([row], 1)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?status=new", 1),
        ("?status=won", 0),
        ("?search=fırın", 1),
        ("?search=MERHABA@", 1),
        ("?search=firin.com", 1),
        ("?search=nobody", 0),
        ("?search=firin&status=new", 1),
    ],
)
def test_lists_are_narrowed(acme, lead, query, found):
    assert acme.get(LEADS + query).json()["meta"]["total"] == found


def test_an_unknown_status_is_an_error(acme):
    reply = acme.get(f"{LEADS}?status=hot")
    assert (reply.status_code, list(reply.json()["errors"])) == (422, ["status"])


def test_a_lead_of_another_workspace_does_not_exist(other, lead):
    assert other.get(f"{LEADS}/{lead.pk}").status_code == 404
    assert other.get(LEADS).json()["data"] == []
    assert other.get(f"{LEADS}/abc").status_code == 404


# --- starting -------------------------------------------------------------------------------------


def test_core_answers_with_the_job(acme, site):
    reply = acme.post(CORE, {"site_id": site.pk, "terms": [URL, URL], "limit": 5})
    assert reply.status_code == 202
    job = reply.json()["data"]
    assert (job["type"], job["status"], job["subject"]) == ("leads", "queued", f"site:{site.pk}")
    assert job["configuration"] == {"site_id": site.pk, "source": "website", "terms": [URL], "limit": 5}
    assert acme.get(f"/api/v1/jobs/{job['id']}").status_code == 200


@pytest.mark.parametrize("spelled", [str, int])
def test_app_answers_with_the_jobs_id_and_takes_the_sites_terms(acme, site, spelled):
    site.lead_search_terms = [URL]
    site.save()
    reply = acme.post(APP, {"siteId": spelled(site.pk)})
    assert (reply.status_code, list(reply.json()), list(reply.json()["data"])) == (202, ["success", "data"], ["jobId"])


@pytest.mark.parametrize(("path", "name"), [(CORE, "site_id"), (APP, "siteId")])
def test_a_second_scrape_of_the_site_waits_for_the_first(acme, site, path, name):
    body = {name: site.pk, "terms": [URL]}
    assert acme.post(path, body).status_code == 202
    reply = acme.post(path, body)
    assert reply.status_code == 409
    assert "conflict" in {reply.json().get("code"), reply.json()["error"]}


REFUSED = [
    ({"terms": []}, "terms"),
    ({}, "terms"),
    ({"terms": ["seramik atölyesi"]}, "terms"),
    ({"terms": ["ftp://firma.com.tr"]}, "terms"),
    ({"terms": [URL], "limit": 0}, "limit"),
    ({"terms": [URL], "limit": 1001}, "limit"),
    ({"terms": [URL], "source": "magic"}, "source"),
    ({"terms": [URL], "depth": 3}, "depth"),
    ({"terms": ["http://127.0.0.1/" + "a" * 2001]}, "terms.0"),
]


@pytest.mark.parametrize(("body", "field"), REFUSED)
def test_what_cannot_be_scraped_is_named(acme, site, body, field):
    core = acme.post(CORE, {"site_id": site.pk, **body})
    app = acme.post(APP, {"siteId": site.pk, **body})
    assert (core.status_code, app.status_code) == (422, 400)
    assert list(core.json()["errors"]) == [field]


@pytest.mark.parametrize(
    ("source", "code"),
    [("apify", "apify_not_configured"), ("nominatim", "source_not_available"), ("csv", "source_not_available")],
)
def test_a_source_that_is_not_there_says_so(acme, site, source, code):
    reply = acme.post(CORE, {"site_id": site.pk, "source": source, "terms": [URL]})
    assert (reply.status_code, reply.json()["error"]) == (503, code)


@pytest.mark.parametrize(("path", "name"), [(CORE, "site_id"), (APP, "siteId")])
@pytest.mark.parametrize("which", ["foreign", "abc", "999999999999999999", ""])
def test_a_site_that_is_not_ours_does_not_exist(acme, foreign_site, path, name, which):
    pk = foreign_site.pk if which == "foreign" else which
    answer = acme.post(path, {name: pk, "terms": [URL]})
    assert (answer.status_code, answer.json()["errors"]) == (422 if path == CORE else 400, {name: ["Does not exist."]})
    assert acme.get(f"{path}?{name}={pk}").status_code == 404


# --- rights ---------------------------------------------------------------------------------------

READS = [("GET", LEADS), ("GET", CORE), ("GET", APP)]
WRITES = [("POST", CORE), ("POST", APP)]


@pytest.mark.parametrize(("method", "path"), READS + WRITES)
def test_without_a_key_nothing_answers(db, method, path):
    assert Api().call(method, path, {}).status_code == 401


@pytest.mark.parametrize(("method", "path"), READS + WRITES)
def test_a_key_needs_the_scope(people, key_for, method, path):
    scopes = ("leads:write", "sites:*") if method == "GET" else ("leads:read", "sites:*")
    assert Api(key=key_for(people.acme, *scopes)).call(method, path, {}).status_code == 403


@pytest.mark.parametrize(("method", "path"), READS + WRITES)
def test_a_viewer_reads_and_does_not_start(people, site, method, path):
    bob = Api(user=people.bob, x_workspace_id=str(people.acme.pk))
    body = {"site_id" if path == CORE else "siteId": site.pk, "terms": [URL]} if method == "POST" else None
    assert bob.call(method, path, body).status_code == (200 if method == "GET" else 403)


def test_the_service_asks_by_itself(alice, foreign_site):
    with pytest.raises(DomainError) as caught:
        services.start_scrape(alice, foreign_site, terms=[URL])
    assert caught.value.code == "not_found"


# --- status ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?siteId={site}"])
def test_the_status_before_during_and_after(acme, site, work, serve, query):
    path = APP + query.format(site=site.pk)

    def status():
        return acme.get(path).json()

    nothing = {"running": False, "lastScrapedAt": None, "totalLeads": 0, "lastRun": None}
    assert status() == {"success": True, "data": nothing}
    pages = serve({"/": "<html lang=tr><title>Fırın</title>a@firin.com.tr"})
    acme.post(APP, {"siteId": site.pk, "terms": [f"{pages.url}/"]})
    running = status()["data"]
    assert (running["running"], running["lastScrapedAt"]) == (True, None)
    assert running["lastRun"]["action"] == "scrape.lead.running"
    work()
    done = status()["data"]
    assert (done["running"], done["totalLeads"]) == (False, 1)
    assert done["lastRun"] == {"action": "scrape.lead.success", "at": done["lastScrapedAt"]}
    assert done["lastScrapedAt"].endswith("Z")
    assert set(acme.get(CORE).json()["data"]) == {"running", "last_scraped_at", "total_leads", "last_run"}


def test_a_failed_run_is_told_and_is_no_scrape(acme, site, work):
    acme.post(APP, {"siteId": site.pk, "terms": ["http://127.0.0.2/"]})
    work()
    status = acme.get(APP).json()["data"]
    assert (status["lastRun"]["action"], status["lastScrapedAt"]) == ("scrape.lead.failed", None)


def test_the_status_of_one_workspace_is_not_anothers(acme, other, site, lead):
    acme.post(CORE, {"site_id": site.pk, "terms": [URL]})
    status = other.get(APP).json()["data"]
    assert status == {"running": False, "lastScrapedAt": None, "totalLeads": 0, "lastRun": None}
