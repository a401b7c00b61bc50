"""POST and GET /api/seo/scrape."""

import pytest

from accounts.roles import Role
from accounts.services import members
from ajansops.kit.clock import iso
from jobs.models import Job
from sites import services
from tests.conftest import Api

PATH = "/api/seo/scrape"
NEVER = {"running": False, "lastScrapedAt": None, "totalReports": 0, "lastRun": None}


@pytest.mark.parametrize("kind", [int, str])
def test_it_works(acme, site, kind):
    answer = acme.post(PATH, {"siteId": kind(site.pk)})
    assert answer.status_code == 202, answer.content
    assert answer.json() == {"success": True, "data": {"jobId": Job.objects.get().pk}}
    assert acme.get(f"{PATH}?siteId={site.pk}").json()["data"] == NEVER | {"running": True}


def test_409_while_running(acme, site):
    acme.post(PATH, {"siteId": site.pk})
    answer = acme.post(PATH, {"siteId": site.pk})
    assert (answer.status_code, answer.json()["error"]) == (409, "Conflict")


def test_before_the_first_run_nothing_is_known(acme, site):
    assert acme.get(PATH).json() == {"success": True, "data": NEVER}


@pytest.mark.django_db(transaction=True)
def test_the_status_after_a_run(acme, crawl, website, alice):
    job, report = crawl(website({"/": "<title>Home</title>"}))
    services.create_site(alice, name="Second", domain="second.example.org")
    expected = {
        "running": False,
        "lastScrapedAt": iso(job.completed_at),
        "totalReports": 1,
        "lastRun": {"action": "scrape.seo.success", "at": iso(job.completed_at)},
    }
    assert acme.get(PATH).json()["data"] == expected
    assert acme.get(f"{PATH}?siteId={report.site_id}").json()["data"] == expected
    second = report.site_id + 1
    assert acme.get(f"{PATH}?siteId={second}").json()["data"] == NEVER


@pytest.mark.django_db(transaction=True)
def test_a_run_that_failed_is_a_run_but_no_scrape(acme, crawl, website):
    job, _ = crawl(website({"/": "<title>Home</title>"}, host="127.0.0.2"), delay_seconds=0)
    data = acme.get(PATH).json()["data"]
    assert data["lastScrapedAt"] is None
    assert data["lastRun"] == {"action": "scrape.seo.failure", "at": iso(job.completed_at)}


def test_another_workspace_sees_nothing_of_it(acme, other, site):
    acme.post(PATH, {"siteId": site.pk})
    assert other.get(PATH).json()["data"] == NEVER


@pytest.mark.parametrize("pk", ["foreign", "abc", "", "0"])
def test_a_site_that_is_not_there_is_404_in_the_query_and_400_in_the_body(acme, foreign, pk):
    pk = str(foreign.pk) if pk == "foreign" else pk
    assert acme.get(f"{PATH}?siteId={pk}").status_code == 404
    answer = acme.post(PATH, {"siteId": pk})
    assert (answer.status_code, answer.json()["errors"]) == (400, {"siteId": ["Does not exist."]})


@pytest.mark.parametrize(("body", "field"), [({}, "siteId"), ({"siteId": "1", "fast": True}, "fast")])
def test_400_names_the_field(acme, body, field):
    answer = acme.post(PATH, body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 202)])
def test_a_viewer_looks_and_an_editor_starts(people, site, role, status):
    members.add_member(people.acme, people.bob, role)
    bob = Api(user=people.bob)
    assert bob.get(PATH).status_code == 200
    assert bob.post(PATH, {"siteId": site.pk}).status_code == status


def test_without_credentials_it_is_401_and_without_scope_403(scoped, site):
    assert Api().get(PATH).status_code == 401
    assert Api().post(PATH, {"siteId": site.pk}).status_code == 401
    assert scoped("seo:write").get(PATH).status_code == 403
    assert scoped("seo:read").post(PATH, {"siteId": site.pk}).status_code == 403
