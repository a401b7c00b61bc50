"""GET /api/v1/seo/issues/{workspace_id}."""

import pytest

from sites import services
from tests.conftest import Api


@pytest.fixture
def path(people) -> str:
    return f"/api/v1/seo/issues/{people.acme.pk}"


@pytest.fixture
def submit(alice):
    def make(*codes: str, url: str = "https://example.com/page", severity: str = "warning"):
        issues = [{"type": code, "severity": severity, "details": {"length": 3}} for code in codes]
        return services.submit_report(alice, url=url, scores={}, issues=issues)

    return make


def test_it_works(acme, submit, path):
    submit("missing_alt")
    body = acme.get(path).json()
    (row,) = body["data"]
    assert set(row) == {"id", "url", "issue_type", "severity", "details", "created_at"}
    assert (row["url"], row["issue_type"], row["severity"]) == ("https://example.com/page", "missing_alt", "warning")
    assert row["details"] == {"length": 3}
    assert row["created_at"].endswith("Z")
    assert body["meta"]["total"] == 1


def test_only_the_latest_report_of_each_url_counts(acme, submit, path):
    submit("noindex", "missing_alt")
    submit("missing_alt")
    submit("h1_missing", url="https://example.com/other")
    codes = [row["issue_type"] for row in acme.get(path).json()["data"]]
    assert sorted(codes) == ["h1_missing", "missing_alt"]


def test_a_latest_report_without_issues_clears_them(acme, submit, path):
    submit("noindex")
    submit()
    assert acme.get(path).json()["data"] == []


def test_filters_narrow(acme, submit, path):
    submit("noindex", "missing_alt")
    submit("title_missing", url="https://example.com/other", severity="error")
    found = lambda query: {row["issue_type"] for row in acme.get(f"{path}?{query}").json()["data"]}  # noqa: E731
    assert found("severity=error") == {"title_missing"}
    assert found("type=noindex") == {"noindex"}
    assert found("severity=error&type=noindex") == set()
    assert acme.get(f"{path}?severity=fatal").status_code == 422


def test_it_is_paged(acme, submit, path):
    submit(*(f"code_{number}" for number in range(7)))
    pages = [acme.get(f"{path}?per_page=3&page={number}").json() for number in (1, 2, 3)]
    assert [len(page["data"]) for page in pages] == [3, 3, 1]
    assert len({row["id"] for page in pages for row in page["data"]}) == 7


def test_the_number_of_queries_does_not_grow_with_the_rows(acme, submit, path, django_assert_num_queries):
    acme.get(path)  # the first call of a minute also marks the key as used
    submit("a", "b", "c", "d")
    submit("e", url="https://example.com/other")
    with django_assert_num_queries(3):
        acme.get(path)


def test_another_workspace_is_404(acme, other, people, submit, path):
    submit("noindex")
    assert other.get(path).status_code == 404
    for workspace in (people.other.pk, 0, "abc"):
        assert acme.get(f"/api/v1/seo/issues/{workspace}").status_code == 404


def test_without_a_key_it_is_401_and_without_its_scope_403(scoped, viewer, path):
    assert Api().get(path).status_code == 401
    assert scoped("seo:write").get(path).status_code == 403
    assert scoped("seo:read").get(path).status_code == 200
    assert viewer.get(path).status_code == 200
