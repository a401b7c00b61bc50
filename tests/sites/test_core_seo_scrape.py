"""POST /api/v1/seo/scrape."""

import pytest

from jobs.models import Job
from tests.conftest import Api

PATH = "/api/v1/seo/scrape"


@pytest.mark.parametrize("kind", [int, str])
def test_it_works(acme, site, kind):
    answer = acme.post(PATH, {"site_id": kind(site.pk)})
    assert answer.status_code == 202, answer.content
    data = answer.json()["data"]
    assert (data["type"], data["status"], data["subject"]) == ("seo", "queued", f"site:{site.pk}")
    assert data["id"] == acme.get(f"/api/v1/jobs/{data['id']}").json()["data"]["id"]
    assert answer.json()["message"]


def test_a_second_one_while_it_runs_is_409(acme, site):
    acme.post(PATH, {"site_id": site.pk})
    assert acme.post(PATH, {"site_id": site.pk}).status_code == 409
    assert Job.objects.count() == 1


@pytest.mark.parametrize("pk", ["foreign", "abc", 0, -1, "9" * 30, 2**63 - 1, "１", "٣", True, 1.5, {"id": 1}, [1], ""])
def test_a_site_that_is_not_there_is_an_error_of_the_field(acme, foreign, pk):
    answer = acme.post(PATH, {"site_id": foreign.pk if pk == "foreign" else pk})
    assert (answer.status_code, answer.json()["errors"]) == (422, {"site_id": ["Does not exist."]})
    assert not Job.objects.exists()


def test_a_number_beyond_64_bits_is_no_json_of_ours(acme, site):
    assert acme.post(PATH, {"site_id": 2**63}).status_code == 400


@pytest.mark.parametrize(
    ("body", "field"), [({}, "site_id"), ({"site_id": None}, "site_id"), ({"site_id": "1", "depth": 1}, "depth")]
)
def test_422_names_the_field(acme, body, field):
    answer = acme.post(PATH, body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_without_a_key_it_is_401(site):
    assert Api().post(PATH, {"site_id": site.pk}).status_code == 401


def test_it_needs_its_scope_and_an_editor(scoped, viewer, site):
    assert scoped("seo:read", "sites:write").post(PATH, {"site_id": site.pk}).status_code == 403
    assert viewer.post(PATH, {"site_id": site.pk}).status_code == 403
    assert scoped("seo:write").post(PATH, {"site_id": site.pk}).status_code == 202
