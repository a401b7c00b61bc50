"""All checks of a crawl. To add one, write a function under a `Check` in `pages` or `whole`."""

from collections.abc import Iterable

from sites.seo.checks import pages, whole
from sites.seo.checks.crawl import Crawl
from sites.seo.checks.registry import CHECKS, Category, Check, Issue, Severity, page_issues, site_issues
from sites.seo.facts import PageFacts, SiteFacts

__all__ = ["CHECKS", "Category", "Check", "Issue", "Severity", "check_page", "check_site", "pages", "whole"]


def check_page(page: PageFacts) -> list[Issue]:
    """What is wrong with the page as such; nothing unless it is HTML with status 200."""
    return list(page_issues(page))


def check_site(site: SiteFacts, crawled: Iterable[PageFacts]) -> list[Issue]:
    """What only the whole crawl shows; give every fetched address, dead ones and redirects included."""
    return list(site_issues(Crawl(site, crawled)))
