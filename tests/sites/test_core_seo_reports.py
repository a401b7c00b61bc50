"""GET /api/v1/seo/reports and /api/v1/seo/reports/{id}."""

import pytest

from sites import services
from tests.conftest import Api

REPORTS = "/api/v1/seo/reports"
URL = "https://lale.example.org/page"


def issue(code: str, element: str = "", severity: str = "warning") -> dict:
    return {"type": code, "severity": severity, "element": element}


@pytest.fixture
def submit(alice):
    return lambda *issues, url=URL: services.submit_report(alice, url=url, scores={"seo": 90}, issues=issues)


def test_it_works(acme, submit, site):
    report = submit(issue("noindex"))
    body = acme.get(REPORTS).json()
    (row,) = body["data"]
    assert row | {"created_at": ""} == {
        "id": report.pk,
        "url": URL,
        "site_id": site.pk,
        "job_id": None,
        "source": "api",
        "pages": 1,
        "scores": {"performance": None, "accessibility": None, "best_practices": None, "seo": 90},
        "issues_count": 1,
        "created_at": "",
    }
    detail = acme.get(f"{REPORTS}/{report.pk}").json()["data"]
    assert row.items() <= detail.items()
    assert detail["explanation"] == {}


def test_it_says_what_is_new_fixed_and_persisting(acme, submit):
    submit(issue("noindex"), issue("missing_alt", "img.a"))
    submit(issue("other"), url="https://lale.example.org/another")
    second = submit(issue("noindex"), issue("missing_alt", "img.b"))
    detail = acme.get(f"{REPORTS}/{second.pk}").json()["data"]
    compared = {
        name: [(row["issue_type"], row["details"].get("element")) for row in rows]
        for name, rows in detail["comparison"].items()
    }
    assert compared == {
        "new": [("missing_alt", "img.b")],
        "fixed": [("missing_alt", "img.a")],
        "persisting": [("noindex", None)],
    }
    assert detail["comparison_counts"] == {"new": 1, "fixed": 1, "persisting": 1}


def test_of_a_first_report_all_is_new(acme, submit):
    first = submit(issue("noindex"))
    submit()
    counts = acme.get(f"{REPORTS}/{first.pk}").json()["data"]["comparison_counts"]
    assert counts == {"new": 1, "fixed": 0, "persisting": 0}


def test_another_workspaces_report_is_no_past(acme, charlie, submit):
    services.submit_report(charlie, url=URL, scores={}, issues=[issue("noindex")])
    second = submit(issue("noindex"))
    assert acme.get(f"{REPORTS}/{second.pk}").json()["data"]["comparison_counts"]["new"] == 1


def test_filters_narrow(acme, submit, site, foreign):
    inside, outside = submit(), submit(url="https://outside.example.org/")
    assert [row["id"] for row in acme.get(REPORTS).json()["data"]] == [outside.pk, inside.pk]
    assert [row["id"] for row in acme.get(f"{REPORTS}?site_id={site.pk}").json()["data"]] == [inside.pk]
    assert [row["id"] for row in acme.get(f"{REPORTS}?url={outside.url}").json()["data"]] == [outside.pk]
    assert acme.get(f"{REPORTS}?site_id={foreign.pk}").status_code == 404


def test_the_number_of_queries_does_not_grow_with_the_rows(acme, submit, django_assert_num_queries):
    acme.get(REPORTS)  # the first call of a minute also marks the key as used
    for rows in (1, 5):
        for _ in range(rows):
            submit(issue("noindex"))
        with django_assert_num_queries(3):
            acme.get(REPORTS)


@pytest.mark.parametrize("path", ["", "/{pk}"])
def test_without_a_key_it_is_401_and_without_its_scope_403(scoped, submit, path):
    path = REPORTS + path.format(pk=submit().pk)
    assert Api().get(path).status_code == 401
    assert scoped("seo:write").get(path).status_code == 403
    assert scoped("seo:read").get(path).status_code == 200


def test_a_viewer_may_read(viewer, submit):
    assert viewer.get(f"{REPORTS}/{submit().pk}").status_code == 200


def test_another_workspaces_report_is_404(other, submit):
    assert other.get(f"{REPORTS}/{submit().pk}").status_code == 404
    assert other.get(REPORTS).json()["data"] == []
