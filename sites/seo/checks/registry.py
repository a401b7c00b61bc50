"""What a check is, and the list of all of them: the decorators below fill it when the modules are imported."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sites.seo.checks.crawl import Crawl
from sites.seo.facts import PageFacts

Details = dict[str, Any]  # the evidence, as JSON


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Category(StrEnum):
    """The four documented scores."""

    PERFORMANCE = "performance"
    ACCESSIBILITY = "accessibility"
    BEST_PRACTICES = "best_practices"
    SEO = "seo"


@dataclass(frozen=True, slots=True)
class Issue:
    """`element` is what to look for in the page's source; empty when it is about the page or the site as a whole."""

    code: str
    severity: Severity
    url: str
    element: str
    details: Details

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same issue in the next report: a code is found at most once on an address."""
        return self.code, self.url


PageTest = Callable[[PageFacts], Details | None]
SiteTest = Callable[[Crawl], Iterable[tuple[str, Details]]]


@dataclass(frozen=True, slots=True)
class Check:
    """`weight` is the points of its category's score that it costs when every page has the issue."""

    code: str
    severity: Severity
    category: Category
    weight: float
    element: str = ""
    site_wide: bool = False  # found once for the whole site, and then costs its whole weight

    def issue(self, url: str, details: Details) -> Issue:
        return Issue(self.code, self.severity, url, self.element, details)


CHECKS: Final[dict[str, Check]] = {}
_PAGE_TESTS: Final[list[tuple[Check, PageTest]]] = []
_SITE_TESTS: Final[list[tuple[Check, SiteTest]]] = []


def page_check(check: Check) -> Callable[[PageTest], PageTest]:
    """Declares a test of one HTML page with status 200: its details when the page has the issue."""

    def declare(test: PageTest) -> PageTest:
        _PAGE_TESTS.append((_added(check), test))
        return test

    return declare


def site_check(check: Check) -> Callable[[SiteTest], SiteTest]:
    """Declares a test of the whole crawl: address and details of every place that has the issue."""

    def declare(test: SiteTest) -> SiteTest:
        _SITE_TESTS.append((_added(check), test))
        return test

    return declare


def page_issues(page: PageFacts) -> Iterator[Issue]:
    if not page.has_content:
        return
    for check, test in _PAGE_TESTS:
        details = test(page)
        if details is not None:
            yield check.issue(page.url, details)


def site_issues(crawl: Crawl) -> Iterator[Issue]:
    for check, test in _SITE_TESTS:
        for url, details in test(crawl):
            yield check.issue(url, details)


def _added(check: Check) -> Check:
    if check.code in CHECKS:
        raise ValueError(f"two checks are called {check.code}")
    CHECKS[check.code] = check
    return check
