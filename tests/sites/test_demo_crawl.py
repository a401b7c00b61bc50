"""The demo site has known faults: a crawl finds all of them where they are."""

import pytest

from ajansops.demo.website import DEAD_PAGE, FAULTS, DemoSite

pytestmark = pytest.mark.django_db(transaction=True)

# Where a report has an issue that the manifest lists under the page one has to open to repair it.
ELSEWHERE = {
    ("/", "sitemap_dead_page"): DEAD_PAGE,  # on the address that is dead
    ("/blog/sir-nedir", "redirect_chain"): "/urunler",  # on the page the chain ends at
}
EVERYWHERE = {"https_missing"}  # the demo speaks http, so every page of it has this one


def test_every_planted_fault_is_found_and_nothing_worse(crawl):
    with DemoSite() as server:
        job, report = crawl(server, concurrency=8)
        issues = {(issue.url.removeprefix(server.url), issue.code): issue for issue in report.issues.all()}
    planted = {(path, code) for path, codes in FAULTS.items() for code in codes}
    expected = {(ELSEWHERE.get(fault, fault[0]), fault[1]) for fault in planted}
    assert job.status == "completed"
    assert expected - set(issues) == set()
    errors = {place for place, issue in issues.items() if issue.severity == "error" and issue.code not in EVERYWHERE}
    assert errors - expected == set(), "a healthy page has no error"
