"""Every check finds its fault, and only its fault."""

from dataclasses import replace

import pytest

from ajansops.kit.net import Hop
from sites.seo.checks import CHECKS, Severity, check_page, check_site
from sites.seo.facts import SiteFacts
from tests.sites.seo.pages import (
    BODY,
    CANONICAL,
    DESCRIPTION,
    GOOD,
    HTML,
    OPEN_GRAPH,
    SAFE_HEADERS,
    TITLE,
    URL,
    VIEWPORT,
    page,
)

DESIGN_CODES = """
title_missing title_too_long title_too_short title_duplicate description_missing description_too_long
description_too_short description_duplicate h1_missing h1_multiple missing_alt canonical_missing canonical_broken
canonical_elsewhere noindex lang_missing hreflang_invalid viewport_missing broken_link redirect_chain mixed_content
slow_response large_page thin_content duplicate_content structured_data_invalid open_graph_missing robots_missing
sitemap_missing sitemap_dead_page orphan_page https_missing security_headers_missing
"""


def codes(issues):
    return {issue.code for issue in issues}


def swap(old, new):
    assert old in GOOD
    return page(GOOD.replace(old, new, 1))


def body(extra):
    return swap("</body>", f"{extra}</body>")


def head(extra):
    return swap("</head>", f"{extra}</head>")


def hreflang(lang, href="https://example.com/x"):
    return f'<link rel="alternate" hreflang="{lang}" href="{href}">'


# Code, a page that has this fault and no other, a similar one without it, and a part of the evidence.
CASES = [
    ("title_missing", swap(TITLE, "<title> </title>"), page(), {"titles": 1}),
    (
        "title_too_long",
        swap(TITLE, f"<title>{'é' * 61}</title>"),
        swap(TITLE, f"<title>{'é' * 60}</title>"),
        {"length": 61, "limit": 60},
    ),
    (
        "title_too_short",
        swap(TITLE, f"<title>{'x' * 29}</title>"),
        swap(TITLE, f"<title>{'x' * 30}</title>"),
        {"length": 29, "limit": 30},
    ),
    ("description_missing", swap(DESCRIPTION, ""), page(), {"descriptions": 0}),
    (
        "description_too_long",
        swap(DESCRIPTION, f'<meta name=description content="{"x" * 161}">'),
        swap(DESCRIPTION, f'<meta name=Description content="{"x" * 160}">'),
        {"length": 161, "limit": 160},
    ),
    (
        "description_too_short",
        swap(DESCRIPTION, f'<meta name=description content="{"x" * 69}">'),
        swap(DESCRIPTION, f'<meta name=description content="{"x" * 70}">'),
        {"length": 69, "limit": 70},
    ),
    ("h1_missing", swap("<h1>Coffee</h1>", "<h2>Coffee</h2>"), page(), {"headings": 0}),
    ("h1_multiple", body("<h1>Tea</h1>"), body("<h2>Tea</h2>"), {"count": 2, "headings": ["Coffee", "Tea"]}),
    (
        "missing_alt",
        body("<img src=/a.png class=hero>"),
        body('<img src=/a.png alt="">'),
        {"count": 1, "images": [{"src": "/a.png", "element": "img.hero"}]},
    ),
    ("canonical_missing", swap(CANONICAL, ""), page(), {}),
    (
        "canonical_elsewhere",
        swap('href="/coffee"', 'href="/tea"'),
        swap('href="/coffee"', f'href="{URL}#x"'),
        {"canonical": "https://example.com/tea"},
    ),
    (
        "noindex",
        head('<meta name="robots" content="noindex,follow">'),
        head('<meta name="robots" content="index">'),
        {"directives": ["noindex", "follow"]},
    ),
    ("lang_missing", swap(HTML, "<html>"), swap(HTML, "<html lang=tr>"), {}),
    ("hreflang_invalid", head(hreflang("turkish")), head(hreflang("tr")), {"count": 1}),
    ("hreflang_invalid", head(hreflang("en-UK")), head(hreflang("en-GB")), {"count": 1}),
    ("hreflang_invalid", head(hreflang("tr", "/tr")), head(hreflang("x-default")), {"count": 1}),
    (
        "hreflang_invalid",
        head(hreflang("tr") + hreflang("TR", "https://example.com/y")),
        head(hreflang("tr") + hreflang("tr")),
        {"problems": ["tr: 2 addresses"]},
    ),
    ("viewport_missing", swap(VIEWPORT, ""), page(), {"viewport": None}),
    (
        "viewport_not_zoomable",
        swap("initial-scale=1", "user-scalable=no"),
        swap("initial-scale=1", "user-scalable=yes"),
        {"viewport": "width=device-width, user-scalable=no"},
    ),
    (
        "redirect_chain",
        page(hops=[Hop("http://example.com/", 301), Hop("https://example.com/", 302)]),
        page(hops=[Hop("http://example.com/", 301)]),
        {"count": 2, "limit": 1},
    ),
    (
        "mixed_content",
        body("<script src=http://cdn.example.com/x.js></script>"),
        body("<script src=//cdn.example.com/x.js></script><a href=http://example.com>x</a>"),
        {"resources": ["http://cdn.example.com/x.js"]},
    ),
    ("slow_response", page(elapsed_ms=601), page(elapsed_ms=600), {"ms": 601, "limit": 600}),
    ("large_page", body("<!--" + "x" * 512_000 + "-->"), body("<!--" + "x" * 500_000 + "-->"), {"limit": 512_000}),
    ("thin_content", swap(BODY, "<h1>Coffee</h1>"), page(), {"words": 1, "limit": 150}),
    (
        "structured_data_invalid",
        head('<script type="application/ld+json">{"a": }</script>'),
        head('<script type="application/ld+json">{"@type": "Thing"}</script><script>{</script>'),
        {"count": 1, "blocks": 1},
    ),
    (
        "open_graph_missing",
        swap(OPEN_GRAPH, OPEN_GRAPH.replace("og:image", "og:video")),
        page(),
        {"missing": ["og:image"]},
    ),
    ("https_missing", page(url="http://example.com/coffee"), page(), {}),
    (
        "security_headers_missing",
        page(headers={**SAFE_HEADERS, "referrer-policy": ""}),
        page(),
        {"missing": ["referrer-policy"]},
    ),
]


def test_a_good_page_has_no_issue():
    assert check_page(page()) == []


@pytest.mark.parametrize(("code", "bad", "good", "evidence"), CASES)
def test_each_page_check_finds_its_fault_alone(code, bad, good, evidence):
    (issue,) = check_page(bad)
    assert (issue.code, issue.url, issue.severity) == (code, bad.url, CHECKS[code].severity)
    assert evidence.items() <= issue.details.items()
    assert check_page(good) == []


@pytest.mark.parametrize(
    "facts", [page("", status=404), page("", status=500), page(b"%PDF", headers={"content-type": "application/pdf"})]
)
def test_only_html_with_status_200_is_judged(facts):
    assert check_page(facts) == []


def test_hsts_is_not_asked_of_plain_http():
    headers = {name: value for name, value in SAFE_HEADERS.items() if name != "strict-transport-security"}
    assert codes(check_page(page(url="http://example.com/coffee", headers=headers))) == {"https_missing"}
    assert codes(check_page(page(headers=headers))) == {"security_headers_missing"}


def test_every_code_of_the_design_is_there_and_tested():
    assert CHECKS.keys() >= set(DESIGN_CODES.split())
    assert CHECKS.keys() == {code for code, *_ in CASES} | {code for code, *_ in SITE_CASES}


HOME = "https://example.com/"


def at(path, *, links=(), noindex=False, **options):
    """A page unlike any other, which links to these paths."""
    name = path.strip("/") or "home"
    html = GOOD.replace("Single origin", f"{name} origin").replace("one farm", f"{name} farm").replace("word0", name)
    html = html.replace('href="/coffee"', f'href="{path}"')
    html = html.replace("</body>", "".join(f"<a href={target}>to {target}</a>" for target in links) + "</body>")
    html = html.replace("</head>", '<meta name="robots" content="noindex"></head>') if noindex else html
    return page(html, url=f"https://example.com{path}", **options)


def site(**changes):
    return replace(SiteFacts(url=HOME, robots_status=200, sitemap_urls=(HOME,)), **changes)


def alike(facts, other, *names):
    return replace(facts, **{name: getattr(other, name) for name in names})


home, a, b = at("/", links=["/a", "/b"]), at("/a", links=["/"]), at("/b", links=["/"])
gone = page("", url="https://example.com/gone", status=404)
FAILED = {"https://example.com/down": "timeout"}


# Code, the site and its pages with the fault, the same without it, where it is reported, and a part of the evidence.
SITE_CASES = [
    (
        "start_page_dead",
        (site(url="https://example.com/down", failed=FAILED), [home, a, b]),
        (site(failed=FAILED), [home, a, b]),
        {"https://example.com/down"},
        {"error": "timeout"},
    ),
    (
        "title_duplicate",
        (site(), [home, a, alike(b, a, "titles")]),
        (site(), [home, a, b]),
        {a.url, b.url},
        {"count": 2},
    ),
    (
        "title_duplicate",
        (site(), [home, a, alike(b, a, "titles")]),
        (site(), [home, a, alike(at("/b", noindex=True), a, "titles")]),
        {a.url, b.url},
        {"text": a.titles[0]},
    ),
    (
        "description_duplicate",
        (site(), [home, a, alike(b, a, "descriptions")]),
        (site(), [home, a, b]),
        {a.url, b.url},
        {"count": 2},
    ),
    (
        "duplicate_content",
        (site(), [home, a, alike(b, a, "text_hash")]),
        (site(), [home, a, replace(alike(b, a, "text_hash"), word_count=19)]),
        {a.url, b.url},
        {"count": 2},
    ),
    (
        "duplicate_content",
        (site(), [home, a, alike(b, a, "text_hash")]),
        (site(), [home, a, alike(b, a, "text_hash", "canonicals")]),
        {a.url, b.url},
        {"text_hash": a.text_hash},
    ),
    (
        "canonical_broken",
        (site(), [home, a, alike(b, at("/gone"), "canonicals"), gone]),
        (site(), [home, a, b, gone]),
        {b.url},
        {"canonical": gone.url, "status": 404},
    ),
    (
        "canonical_broken",
        (site(), [home, a, alike(b, page(GOOD.replace('"/coffee"', '"mailto:x"')), "canonicals")]),
        (site(), [home, a, b]),
        {b.url},
        {"canonical": "mailto:x", "error": "not an address"},
    ),
    (
        "broken_link",
        (site(), [at("/", links=["/gone", "/gone#x"]), gone]),
        (site(), [at("/", links=["/a"]), a]),
        {HOME},
        {"count": 1, "links": [{"url": gone.url, "text": "to /gone", "status": 404}]},
    ),
    (
        "broken_link",
        (site(failed=FAILED), [at("/", links=["/down"])]),
        (site(failed=FAILED), [at("/", links=["/never-tried"])]),
        {HOME},
        {"links": [{"url": "https://example.com/down", "text": "to /down", "error": "timeout"}]},
    ),
    ("robots_missing", (site(robots_status=404), [home, a, b]), (site(), [home, a, b]), {HOME}, {"status": 404}),
    ("robots_missing", (site(robots_status=None), [home, a, b]), (site(), [home, a, b]), {HOME}, {"status": None}),
    (
        "sitemap_missing",
        (site(sitemap_urls=(), sitemap_problem="has a DOCTYPE"), [home, a, b]),
        (site(), [home, a, b]),
        {HOME},
        {"problem": "has a DOCTYPE"},
    ),
    (
        "sitemap_dead_page",
        (site(sitemap_urls=(HOME, gone.url)), [home, a, b, gone]),
        (site(), [home, a, b, gone]),
        {gone.url},
        {"status": 404},
    ),
    (
        "orphan_page",
        (site(sitemap_urls=(HOME, b.url)), [at("/", links=["/a"]), a, at("/b", links=["/b"])]),
        (site(), [home, a, b]),
        {b.url},
        {"in_sitemap": True},
    ),
    (
        "orphan_page",
        (site(), [at("/", links=["/a"]), a, b]),
        (site(complete=False), [at("/", links=["/a"]), a, b]),
        {b.url},
        {"in_sitemap": False},
    ),
]


@pytest.mark.parametrize(("code", "bad", "good", "urls", "evidence"), SITE_CASES)
def test_each_site_check_finds_its_fault_alone(code, bad, good, urls, evidence):
    issues = check_site(*bad)
    assert codes(issues) == {code}
    assert {issue.url for issue in issues} == urls
    assert all(evidence.items() <= issue.details.items() for issue in issues)
    assert check_site(*good) == []


def test_canonicals_that_differ_are_broken_and_lead_elsewhere():
    both = replace(b, canonicals=a.canonicals + b.canonicals)
    assert codes(check_site(site(), [home, a, both])) == {"canonical_broken"}
    assert codes(check_page(both)) == {"canonical_elsewhere"}


def test_a_link_to_a_redirect_is_judged_by_where_it_leads():
    moved = page("", url="https://example.com/end", status=410, hops=[Hop("https://example.com/old", 301)])
    (issue,) = check_site(site(), [at("/", links=["/old"]), moved])
    assert issue.details["links"] == [{"url": "https://example.com/old", "text": "to /old", "status": 410}]
    fine = at("/end", hops=[Hop("https://example.com/old", 301)])
    assert check_site(site(), [at("/", links=["/old"]), fine]) == []


def test_pages_that_two_addresses_lead_to_are_no_duplicates():
    assert check_site(site(), [home, a, replace(a, hops=(Hop("https://example.com/old", 301),)), b]) == []


def test_the_evidence_of_many_broken_links_is_a_sample_and_a_count():
    paths = [f"/gone-{number}" for number in range(30)]
    dead = [page("", url=f"https://example.com{path}", status=404) for path in paths]
    (issue,) = check_site(site(), [at("/", links=paths), *dead])
    assert (issue.details["count"], len(issue.details["links"])) == (30, 20)
    assert issue.severity is Severity.ERROR


def test_an_issue_keeps_its_key_when_its_evidence_changes():
    first, second = (check_page(page(elapsed_ms=elapsed))[0] for elapsed in (700, 900))
    assert first != second
    assert first.key == second.key == ("slow_response", URL)
