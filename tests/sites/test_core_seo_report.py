"""POST /api/v1/seo/report."""

import pytest

from sites.models import Report
from tests.conftest import Api

PATH = "/api/v1/seo/report"
SCORES = {"performance": 85, "accessibility": 92, "best_practices": 88, "seo": 95}
BODY = {
    "url": "https://example.com/page",
    "scores": SCORES,
    "issues": [{"type": "missing_alt", "severity": "warning", "element": "img.hero-image"}],
}


def test_it_works(acme):
    answer = acme.post(PATH, BODY)
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    assert (data["url"], data["scores"]) == (BODY["url"], SCORES)
    (issue,) = data["issues"]
    assert (issue["issue_type"], issue["severity"]) == ("missing_alt", "warning")
    assert (issue["url"], issue["details"]) == (BODY["url"], {"element": "img.hero-image"})
    assert Report.objects.get().source == "api"


def test_scores_may_be_missing_and_issues_too(acme):
    data = acme.post(PATH, {"url": "https://example.com/", "scores": {"seo": 0}}).json()["data"]
    assert data["scores"] == {"performance": None, "accessibility": None, "best_practices": None, "seo": 0}
    assert data["issues"] == []


def test_a_page_of_a_site_belongs_to_it(acme, site, foreign):
    acme.post(PATH, BODY | {"url": f"https://{site.domain}:443/a/../b"})
    acme.post(PATH, BODY | {"url": f"https://{foreign.domain}/"})
    rows = Report.objects.order_by("id").values_list("url", "site")
    assert list(rows) == [("https://lale.example.org/b", site.pk), ("https://foreign.example.org/", None)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "not a url"}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://example.com/" + "x" * 2000}, "url"),
        ({"url": "https://example.com/" + "ş" * 1900}, "url"),
        ({"scores": {"seo": 101}}, "scores.seo"),
        ({"scores": {"seo": -1}}, "scores.seo"),
        ({"scores": {"pwa": 50}}, "scores.pwa"),
        ({"scores": 5}, "scores.non_field_errors"),
        ({"issues": [{"type": "x", "severity": "fatal"}]}, "issues.0.severity"),
        ({"issues": [{"severity": "error"}]}, "issues.0.type"),
        ({"issues": [{"type": "x", "severity": "error", "line": 3}]}, "issues.0.line"),
        ({"issues": "none"}, "issues"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_422_names_the_field(acme, change, field):
    answer = acme.post(PATH, BODY | change)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]
    assert not Report.objects.exists()


def lighthouse(**changes) -> dict:
    """The parts of a Lighthouse 12 result that are read, shaped as `lighthouse --output=json` writes them."""
    audits = {
        "image-alt": {
            "id": "image-alt",
            "title": "Image elements do not have `[alt]` attributes",
            "score": 0,
            "scoreDisplayMode": "binary",
            "details": {"type": "table", "items": [{"node": {"type": "node", "selector": "main > img"}}]},
        },
        "document-title": {"id": "document-title", "title": "Has a title", "score": 1, "scoreDisplayMode": "binary"},
        "video-caption": {"id": "video-caption", "title": "Videos", "score": None, "scoreDisplayMode": "notApplicable"},
    }
    references = [{"id": name, "weight": 10} for name in audits]
    return {
        "lighthouseVersion": "12.2.1",
        "requestedUrl": "https://example.com/",
        "finalDisplayedUrl": "https://example.com/start",
        "categories": {
            "performance": {"id": "performance", "score": None, "auditRefs": []},
            "accessibility": {"id": "accessibility", "score": 0.5, "auditRefs": references},
            "seo": {"id": "seo", "score": 0.91, "auditRefs": []},
        },
        "audits": audits,
    } | changes


@pytest.mark.parametrize("wrap", [lambda result: result, lambda result: {"lighthouseResult": result}])
def test_a_lighthouse_result_is_read_as_it_is(acme, wrap):
    answer = acme.post(PATH, wrap(lighthouse()))
    assert answer.status_code == 201, answer.content
    data = answer.json()["data"]
    assert data["url"] == "https://example.com/start"
    assert data["scores"] == {"performance": None, "accessibility": 50, "best_practices": None, "seo": 91}
    assert [issue["issue_type"] for issue in data["issues"]] == ["image_alt"]
    assert data["issues"][0]["details"]["element"] == "main > img"
    report = Report.objects.get()
    assert (report.source, report.explanation["accessibility"]) == ("lighthouse", [{"code": "image_alt", "points": 50}])


@pytest.mark.parametrize("change", [{"categories": 5}, {"audits": None}, {"finalDisplayedUrl": "x", "requestedUrl": 1}])
def test_what_only_looks_like_lighthouse_is_422(acme, change):
    assert acme.post(PATH, lighthouse(**change)).status_code == 422
    assert not Report.objects.exists()


def test_without_a_key_it_is_401(db):
    assert Api().post(PATH, BODY).status_code == 401


@pytest.mark.parametrize("body", [BODY, lighthouse()])
def test_it_needs_its_scope_and_an_editor(scoped, viewer, body):
    refused = scoped("seo:read").post(PATH, body)
    assert (refused.status_code, refused.json()["required_scope"]) == (403, "seo:write")
    assert viewer.post(PATH, body).status_code == 403
    assert scoped("seo:write").post(PATH, body).status_code == 201
