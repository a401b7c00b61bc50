"""What a crawl does and what it leaves alone."""

import pytest

from ajansops.demo.server import Reply, redirect, text
from ajansops.kit.runners import Item
from jobs.claims import job_view
from jobs.models import JobItem
from sites import services
from sites.models import CrawledPage, Report, Site
from sites.seo.entry import Entry
from sites.seo.robots import Robots
from sites.seo.runner import CrawlRunner
from tests.sites.conftest import codes

pytestmark = pytest.mark.django_db(transaction=True)

PLAIN = "text/plain"


def page(*links: str, title: str = "A title that is long enough to be one") -> str:
    anchors = "".join(f'<a href="{link}">to {link}</a> ' for link in links)
    return f"<!doctype html><html lang=en><head><title>{title}</title></head><body><h1>{title}</h1>{anchors}</body>"


def seen(job) -> set[str]:
    return {row.url.partition("//")[2].partition("/")[2] for row in CrawledPage.objects.filter(job=job)}


def test_links_are_followed_and_reported_on(crawl, website):
    server = website({"/": page("/a"), "/a": page("/b"), "/b": page("/", "/gone")})
    job, report = crawl(server)
    assert (job.status, seen(job)) == ("completed", {"", "a", "b", "gone"})
    assert report.pages == 3
    assert all(0 <= score <= 100 for score in report.scores.values())
    assert "broken_link" in codes(report, "/b")
    assert "broken_link" not in codes(report, "/a")
    assert set(server.asked.values()) == {1}


@pytest.mark.parametrize("name", ["performance", "accessibility", "best_practices", "seo"])
def test_a_score_and_its_explanation_make_100(crawl, website, name):
    _, report = crawl(website({"/": page("/gone")}))
    assert report.scores[name] + sum(row["points"] for row in report.explanation[name]) == 100


def test_what_robots_forbids_is_not_fetched(crawl, website):
    robots = text("User-agent: AjansOpsBot\nDisallow: /private\n", PLAIN)
    server = website({"/robots.txt": robots, "/": page("/private/a", "/open"), "/private/a": page(), "/open": page()})
    job, _ = crawl(server)
    assert server.asked["/private/a"] == 0
    assert server.asked["/open"] == 1
    assert "private/a" not in seen(job)


def test_another_port_of_an_address_is_another_site(crawl, website):
    second = website({"/": page()})
    job, _ = crawl(website({"/": page(second.url + "/")}))
    assert (sum(second.asked.values()), job.total) == (0, 3)


@pytest.mark.parametrize(
    ("status", "code", "pages"), [(404, None, 1), (500, "robots_unavailable", 0), (503, "robots_unavailable", 0)]
)
def test_robots_that_is_missing_allows_and_one_that_fails_forbids(crawl, website, status, code, pages):
    server = website({"/robots.txt": text("", PLAIN, status=status), "/": page()})
    job, report = crawl(server)
    assert server.asked["/"] == pages
    assert (report is not None) == bool(pages)
    assert (job.status, (job.error or {}).get("code")) == ("failed" if code else "completed", code)


def test_a_site_that_shuts_us_out_says_so(crawl, website):
    server = website({"/robots.txt": text("User-agent: *\nDisallow: /\n", PLAIN), "/": page()})
    job, report = crawl(server)
    assert (job.status, job.error["code"], report) == ("failed", "robots_disallowed", None)
    assert server.asked["/"] == 0


@pytest.mark.parametrize("most", [1, 2, 7])
def test_max_pages_is_exact(crawl, website, most):
    links = [f"/{number}" for number in range(20)]
    server = website({"/": page(*links)} | {link: page(*links) for link in links})
    job, report = crawl(server, max_pages=most, concurrency=8)
    assert CrawledPage.objects.filter(job=job).count() == report.pages == most
    assert job.total == most + 2, "robots and the report"


def test_max_pages_holds_for_the_sitemap_too(crawl, website):
    urls = "".join(f"<url><loc>{{site}}/{number}</loc></url>" for number in range(20))
    tree = {"/sitemap.xml": text(f"<urlset>{urls}</urlset>", "application/xml"), "/": page()}
    job, report = crawl(website(tree), max_pages=5)
    assert CrawledPage.objects.filter(job=job).count() == 5
    assert "sitemap_missing" not in codes(report)


@pytest.mark.parametrize(("depth", "expected"), [(0, {""}), (1, {"", "a"}), (2, {"", "a", "b"})])
def test_max_depth_counts_clicks(crawl, website, depth, expected):
    server = website({"/": page("/a"), "/a": page("/b"), "/b": page("/c"), "/c": page()})
    job, _ = crawl(server, max_depth=depth)
    assert seen(job) == expected


def test_a_redirect_is_recorded_and_its_target_fetched_once(crawl, website):
    server = website(
        {"/": page("/old", "/new"), "/old": redirect("/older"), "/older": redirect("/new"), "/new": page()}
    )
    job, report = crawl(server)
    assert server.asked == {"/": 1, "/old": 1, "/older": 1, "/new": 1}
    row = CrawledPage.objects.get(job=job, url=f"{server.url}/old")
    assert (row.status, row.redirect_to) == (301, f"{server.url}/older")
    assert "redirect_chain" in codes(report, "/new")
    assert "broken_link" not in codes(report)


def test_redirects_in_a_circle_end_and_are_broken(crawl, website):
    server = website({"/": page("/a"), "/a": redirect("/b"), "/b": redirect("/a")})
    _, report = crawl(server)
    assert server.asked["/a"] == 1
    assert "broken_link" in codes(report, "/")


def test_a_redirect_to_a_private_address_is_refused(crawl, website):
    private = website({"/": page(), "/secret": page()}, host="127.0.0.2")
    away = lambda site: Reply(status=302, headers={"Location": f"{private.url}/secret"})  # noqa: E731
    job, _ = crawl(website({"/": page("/away"), "/away": away}))
    assert (sum(private.asked.values()), job.status) == (0, "completed")


def test_robots_that_redirects_to_a_private_address_is_refused(crawl, website):
    private = website({"/robots.txt": text("User-agent: *\nAllow: /\n", PLAIN)}, host="127.0.0.2")
    away = lambda site: Reply(status=302, headers={"Location": f"{private.url}/robots.txt"})  # noqa: E731
    job, _ = crawl(website({"/robots.txt": away, "/": page()}))
    assert sum(private.asked.values()) == 0
    assert (job.status, job.error["code"]) == ("failed", "fetch_failed")


def test_a_site_at_a_private_address_is_not_fetched(crawl, website):
    private = website({"/": page()}, host="127.0.0.2")
    job, report = crawl(private, delay_seconds=0)
    assert (job.status, report, sum(private.asked.values())) == ("failed", None, 0)


def test_external_links_are_not_fetched(crawl, website):
    job, report = crawl(website({"/": page("https://elsewhere.example.org/", "mailto:a@example.org")}))
    assert seen(job) == {""}
    assert "broken_link" not in codes(report)


def test_what_is_not_html_is_recorded_by_status(crawl, website):
    server = website({"/": page("/file.pdf"), "/file.pdf": text("%PDF", "application/pdf")})
    job, report = crawl(server)
    assert CrawledPage.objects.get(job=job, url__endswith="file.pdf").status == 200
    assert report.pages == 1
    assert codes(report, "/file.pdf") == set()


def test_a_page_that_cannot_be_fetched_fails_alone_and_links_to_it_are_broken(crawl, website):
    broken = lambda site: Reply(b"not gzip", headers={"Content-Encoding": "gzip"})  # noqa: E731
    server = website({"/": page("/a", "/broken"), "/a": page(), "/broken": broken})
    job, report = crawl(server)
    assert (job.status, job.failed) == ("completed", 1)
    assert server.asked["/broken"] == 4, "retried three times"
    assert JobItem.objects.get(job=job, key__endswith="/broken").state == "failed"
    assert CrawledPage.objects.get(job=job, url__endswith="/broken").error == "fetch_failed"
    issue = report.issues.get(code="broken_link")
    assert issue.url == f"{server.url}/"
    assert issue.details["links"][0]["url"] == f"{server.url}/broken"


@pytest.mark.parametrize("status", [404, 500])
def test_a_dead_home_page_is_reported(crawl, website, status):
    job, report = crawl(website({"/": text("", status=status)}))
    assert (job.status, report.pages, set(report.scores.values())) == ("completed", 0, {None})
    assert report.issues.get(code="start_page_dead").details == {"status": status}


def test_a_busy_site_is_asked_again_later(crawl, website):
    replies = iter([text("", status=503), text("", status=429), text(page())])

    def reply(site: str) -> Reply:
        return next(replies)(site)

    server = website({"/": reply})
    job, report = crawl(server)
    assert (job.status, report.pages, server.asked["/"]) == ("completed", 1, 3)


@pytest.mark.parametrize("link", ["/a/a/a", "/events/2026-01-01", "/x?year=2026&month=1"])
def test_traps_are_not_entered(crawl, website, link):
    job, _ = crawl(website({"/": page(link, "/fine"), "/fine": page()}))
    assert seen(job) == {"", "fine"}


def test_a_path_has_at_most_fifty_queries(crawl, website):
    links = [f"/list?page={number}" for number in range(80)]
    job, _ = crawl(website({"/": page(*links), "/list": page()}), concurrency=8)
    assert CrawledPage.objects.filter(job=job, url__contains="/list?").count() == 50


def test_pages_that_repeat_one_text_lead_no_further(crawl, website):
    server = website({"/": page("/p0")} | {f"/p{number}": _same_text(number + 1) for number in range(60)})
    job, _ = crawl(server, max_depth=100, concurrency=1)
    assert CrawledPage.objects.filter(job=job).count() == 1 + 21, "the twenty-first alike is read, not followed"


def _same_text(following: int) -> str:
    return f"<html lang=en><title>Same</title><h1>Same</h1><p>One text for all.</p><a href='/p{following}'>next</a>"


@pytest.mark.parametrize(
    ("robots", "expected"),
    [("", 0), ("User-agent: *\nCrawl-delay: 0.02\n", 20), ("User-agent: *\nCrawl-delay: 90", 30000)],
)
def test_crawl_delay_slows_the_job_down(alice, robots, expected):
    """By the row alone: nobody waits thirty seconds here."""
    site = services.create_site(alice, name="Slow", domain="127.0.0.1:9999")
    job = services.start_audit(alice, site)
    item = Item(1, job_view(job), "robots", {}, 1)
    CrawlRunner().save(item, Entry(Robots.parse(robots, 200), ()))
    job.refresh_from_db()
    assert job.interval_ms == expected


@pytest.mark.parametrize(
    ("domain", "options", "expected"),
    [
        ("example.org", {}, 1000),
        ("example.org", {"delay_seconds": 2.5}, 2500),
        ("example.org", {"delay_seconds": 0}, 0),
        ("127.0.0.1:8000", {}, 0),
        ("127.0.0.1:8000", {"delay_seconds": 1}, 1000),
        ("127.0.0.2", {}, 1000),
    ],
)
def test_a_site_that_is_not_ours_is_fetched_politely(alice, domain, options, expected):
    site = services.create_site(alice, name="Polite", domain=domain, crawl=options)
    job = services.start_audit(alice, site)
    assert (job.interval_ms, job.max_parallel) == (expected, 2)


def test_a_deleted_site_is_not_crawled_on(alice, website, work):
    server = website({"/": page()})
    site = services.create_site(alice, name="Gone", domain=server.domain)
    job = services.start_audit(alice, site)
    services.delete_site(alice, site)
    work()
    job.refresh_from_db()
    assert (job.status, job.error["code"], sum(server.asked.values())) == ("failed", "not_found", 0)


def test_only_the_last_crawls_pages_are_kept(crawl, website):
    server = website({"/": page("/a"), "/a": page()})
    first, _ = crawl(server)
    second, _ = crawl(server)
    assert set(CrawledPage.objects.values_list("job_id", flat=True)) == {second.pk}
    assert Report.objects.filter(site=Site.objects.get()).count() == 2
    assert first.pk != second.pk
