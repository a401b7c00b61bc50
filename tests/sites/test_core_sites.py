"""GET, POST /api/v1/sites; GET, PATCH, PUT, DELETE /api/v1/sites/{id}."""

import pytest

from sites import services
from sites.models import CrawledPage, Report, Site
from tests.conftest import Api

SITES = "/api/v1/sites"
BODY = {"name": "Örnek Site", "domain": "https://www.Example.com/"}
CRAWL = {"max_pages": 200, "max_depth": 10, "concurrency": 2, "delay_seconds": None}


def test_it_works(acme):
    answer = acme.post(SITES, BODY | {"tech_stack": "nextjs", "apify_keywords": ["seo"], "crawl": {"max_pages": 10}})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["message"] == "Site created successfully."
    assert body["data"] == acme.get(f"{SITES}/{body['data']['id']}").json()["data"]
    assert {name: value for name, value in body["data"].items() if not name.endswith("_at") and name != "id"} == {
        "name": "Örnek Site",
        "domain": "www.example.com",
        "tech_stack": "nextjs",
        "apify_keywords": ["seo"],
        "lead_search_terms": [],
        "pixel": {"enabled": True, "sample_rate": 1.0},
        "crawl": CRAWL | {"max_pages": 10},
    }


def test_the_list_is_the_workspaces_own(acme, site, foreign):
    body = acme.get(SITES).json()
    assert [row["id"] for row in body["data"]] == [site.pk]
    assert body["meta"]["total"] == 1


def test_the_number_of_queries_does_not_grow_with_the_rows(acme, alice, django_assert_num_queries, site):
    acme.get(SITES)  # the first call of a minute also marks the key as used
    with django_assert_num_queries(3):  # the key, the count, the page
        acme.get(SITES)
    for number in range(5):
        services.create_site(alice, name="More", domain=f"more{number}.example.org")
    with django_assert_num_queries(3):
        acme.get(SITES)


def test_a_patch_changes_only_what_it_names(acme, site):
    acme.patch(f"{SITES}/{site.pk}", {"crawl": {"max_pages": 7}, "pixel": {"enabled": False}, "tech_stack": "hugo"})
    answer = acme.patch(f"{SITES}/{site.pk}", {"crawl": {"concurrency": 3}})
    assert answer.status_code == 200, answer.content
    data = answer.json()["data"]
    assert data["crawl"] == CRAWL | {"max_pages": 7, "concurrency": 3}
    assert data["pixel"] == {"enabled": False, "sample_rate": 1.0}
    assert (data["name"], data["tech_stack"]) == ("Lale", "hugo")


def test_a_put_resets_what_it_does_not_name(acme, site):
    acme.patch(f"{SITES}/{site.pk}", {"crawl": {"max_pages": 7, "max_depth": 3}, "tech_stack": "hugo"})
    data = acme.put(f"{SITES}/{site.pk}", BODY | {"crawl": {"max_depth": 4}}).json()["data"]
    assert data["crawl"] == CRAWL | {"max_depth": 4}
    assert (data["name"], data["domain"], data["tech_stack"]) == ("Örnek Site", "www.example.com", "")


@pytest.mark.parametrize("domain", ["lale.example.org", "HTTPS://LALE.example.org/", "lale.example.org:443"])
def test_a_domain_is_there_once_in_a_workspace(acme, site, domain):
    answer = acme.post(SITES, {"name": "Again", "domain": domain})
    assert answer.status_code == 409
    assert answer.json()["error"] == "conflict"
    assert list(answer.json()["errors"]) == ["domain"]


def test_a_patch_to_a_domain_that_is_taken_changes_nothing(acme, alice, site):
    second = services.create_site(alice, name="Second", domain="second.example.org")
    assert acme.patch(f"{SITES}/{second.pk}", {"domain": site.domain, "name": "New"}).status_code == 409
    second.refresh_from_db()
    assert (second.name, second.domain) == ("Second", "second.example.org")


def test_another_workspace_may_have_the_same_domain(other, site):
    assert other.post(SITES, {"name": "Ours too", "domain": site.domain}).status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"domain": "no domain"}, "domain"),
        ({"domain": "intranet"}, "domain"),
        ({"domain": ""}, "domain"),
        ({"apify_keywords": "seo"}, "apify_keywords"),
        ({"lead_search_terms": ["x"] * 101}, "lead_search_terms"),
        ({"crawl": {"max_pages": 5001}}, "crawl.max_pages"),
        ({"crawl": {"max_pages": 0}}, "crawl.max_pages"),
        ({"crawl": {"concurrency": 17}}, "crawl.concurrency"),
        ({"crawl": {"delay_seconds": -1}}, "crawl.delay_seconds"),
        ({"crawl": {"speed": 1}}, "crawl.speed"),
        ({"pixel": {"sample_rate": 1.1}}, "pixel.sample_rate"),
        ({"pixel": {"enabled": None}}, "pixel.enabled"),
        ({"workspace_id": 1}, "workspace_id"),
    ],
)
def test_422_names_the_field(acme, change, field):
    answer = acme.post(SITES, BODY | change)
    assert answer.status_code == 422
    assert answer.json()["error"] == "validation_failed"
    assert list(answer.json()["errors"]) == [field]
    assert not Site.objects.exists()


def test_422_when_it_is_missing(acme):
    assert set(acme.post(SITES, {}).json()["errors"]) == {"name", "domain"}


def test_a_deleted_site_takes_its_reports_along(acme, alice, site):
    services.submit_report(alice, url=f"https://{site.domain}/x", scores={"seo": 50})
    job = services.start_audit(alice, site)
    CrawledPage.objects.create(job=job, url="https://lale.example.org/", depth=0)
    assert acme.delete(f"{SITES}/{site.pk}").status_code == 204
    assert acme.get(f"{SITES}/{site.pk}").status_code == 404
    assert not Report.objects.exists()
    assert not CrawledPage.objects.exists()


CALLS = [("GET", ""), ("POST", ""), ("GET", "/{pk}"), ("PATCH", "/{pk}"), ("PUT", "/{pk}"), ("DELETE", "/{pk}")]


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_without_a_key_it_is_401(site, method, path):
    assert Api().call(method, SITES + path.format(pk=site.pk), BODY).status_code == 401


@pytest.mark.parametrize(("method", "path"), CALLS[2:])
@pytest.mark.parametrize("pk", ["foreign", "0", "abc", "9" * 30, "1.0"])
def test_another_workspaces_site_is_404(acme, foreign, method, path, pk):
    pk = foreign.pk if pk == "foreign" else pk
    assert acme.call(method, SITES + path.format(pk=pk), BODY).status_code == 404
    assert Site.objects.get().name == "Foreign"


@pytest.mark.parametrize(
    ("method", "path", "scope", "status"),
    [
        ("GET", "", "sites:read", 200),
        ("POST", "", "sites:write", 201),
        ("GET", "/{pk}", "sites:read", 200),
        ("PATCH", "/{pk}", "sites:write", 200),
        ("PUT", "/{pk}", "sites:write", 200),
        ("DELETE", "/{pk}", "sites:delete", 204),
    ],
)
def test_each_call_needs_its_scope(scoped, site, method, path, scope, status):
    every = {"sites:read", "sites:write", "sites:delete"}
    path = SITES + path.format(pk=site.pk)
    refused = scoped(*every - {scope}).call(method, path, BODY)
    assert refused.status_code == 403
    assert refused.json()["required_scope"] == scope
    assert scoped(scope).call(method, path, BODY).status_code == status


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_viewer_only_reads(viewer, site, method, path):
    status = viewer.call(method, SITES + path.format(pk=site.pk), BODY).status_code
    assert status == (200 if method == "GET" else 403)
