"""Checks that need the whole crawl."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from sites.seo.checks.crawl import Crawl
from sites.seo.checks.registry import Category, Check, Details, Severity, site_check
from sites.seo.facts import PageFacts
from sites.seo.urls import same_site

SAMPLE: Final = 20  # addresses kept in the details of one issue
MIN_DUPLICATE_WORDS: Final = 20  # below, equal texts are menus and messages, and `thin_content` says so

_ERROR, _WARNING, _NOTICE, _SEO = Severity.ERROR, Severity.WARNING, Severity.NOTICE, Category.SEO

Found = Iterator[tuple[str, Details]]


def _groups(pages: Iterable[PageFacts], value: Callable[[PageFacts], str]) -> Iterator[tuple[str, list[str]]]:
    """Values that more than one indexable page has, with the pages."""
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for page in pages:
        if page.indexable and (key := value(page)):
            groups[key].append(page.url)
    return ((key, urls) for key, urls in groups.items() if len(urls) > 1)


def _duplicates(crawl: Crawl, name: str, value: Callable[[PageFacts], str]) -> Found:
    for key, urls in _groups(crawl.pages, value):
        for url in urls:
            others = [other for other in urls[: SAMPLE + 1] if other != url][:SAMPLE]
            yield url, {name: key, "count": len(urls), "others": others}


@site_check(Check("title_duplicate", _WARNING, _SEO, 8, "title"))
def title_duplicate(crawl: Crawl) -> Found:
    return _duplicates(crawl, "text", lambda page: next(filter(None, page.titles), ""))


@site_check(Check("description_duplicate", _WARNING, _SEO, 4, 'meta[name="description"]'))
def description_duplicate(crawl: Crawl) -> Found:
    return _duplicates(crawl, "text", lambda page: next(filter(None, page.descriptions), ""))


@site_check(Check("duplicate_content", _WARNING, _SEO, 8))
def duplicate_content(crawl: Crawl) -> Found:
    return _duplicates(
        crawl, "text_hash", lambda page: page.text_hash if page.word_count >= MIN_DUPLICATE_WORDS else ""
    )


@site_check(Check("canonical_broken", _ERROR, _SEO, 10, 'link[rel="canonical"]'))
def canonical_broken(crawl: Crawl) -> Found:
    """No address, several that differ, or one that leads nowhere."""
    for page in crawl.pages:
        if page.has_content and page.canonicals and (details := _canonical_fault(crawl, page)):
            yield page.url, details


def _canonical_fault(crawl: Crawl, page: PageFacts) -> Details | None:
    first = page.canonicals[0]
    if first.url is None:
        return {"canonical": first.href, "error": "not an address"}
    different = {canonical.url for canonical in page.canonicals}
    if len(different) > 1:
        return {"canonicals": [canonical.href for canonical in page.canonicals], "error": "several, which differ"}
    fault = crawl.dead(first.url)
    return {"canonical": first.url, **fault} if fault else None


@site_check(Check("broken_link", _ERROR, _SEO, 20, "a"))
def broken_link(crawl: Crawl) -> Found:
    """Internal links only: a crawl does not fetch other sites. Reported on the page that has them."""
    for page in crawl.pages:
        dead = [
            {"url": link.url, "text": link.text, **fault}
            for link in page.links
            if (fault := crawl.dead(link.url)) and same_site(link.url, page.url)
        ]
        if dead and page.has_content:
            yield page.url, {"count": len(dead), "links": dead[:SAMPLE]}


@site_check(Check("start_page_dead", _ERROR, _SEO, 50, site_wide=True))
def start_page_dead(crawl: Crawl) -> Found:
    """Often the only thing that a report on such a site can say."""
    if fault := crawl.dead(crawl.site.url):
        yield crawl.site.url, fault


@site_check(Check("robots_missing", _NOTICE, _SEO, 3, site_wide=True))
def robots_missing(crawl: Crawl) -> Found:
    status = crawl.site.robots_status
    if status is None or not 200 <= status < 300:
        yield crawl.site.url, {"status": status}


@site_check(Check("sitemap_missing", _NOTICE, _SEO, 3, site_wide=True))
def sitemap_missing(crawl: Crawl) -> Found:
    if not crawl.site.sitemap_urls:
        yield crawl.site.url, {"urls": 0, "problem": crawl.site.sitemap_problem}


@site_check(Check("sitemap_dead_page", _WARNING, _SEO, 5))
def sitemap_dead_page(crawl: Crawl) -> Found:
    """On the listed address itself, with its status or why it did not answer."""
    for url in crawl.site.sitemap_urls:
        if fault := crawl.dead(url):
            yield url, {"sitemap": True, **fault}


@site_check(Check("orphan_page", _NOTICE, _SEO, 4))
def orphan_page(crawl: Crawl) -> Found:
    """Only when every link is known: otherwise the page that links here may not have been read, or not to its end."""
    listed = frozenset(crawl.site.sitemap_urls)
    start = crawl.page(crawl.site.url)
    for page in crawl.pages if crawl.every_link_known else ():
        if page.indexable and page is not start and page.url not in crawl.linked:
            yield page.url, {"links": 0, "in_sitemap": page.url in listed}
