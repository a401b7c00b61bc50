"""From what a crawl saw to a report's content. Pure; runs in a thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ajansops.kit.net import Hop
from sites.seo.checks import Issue, check_page, check_site
from sites.seo.facts import PageFacts, SiteFacts
from sites.seo.scores import Scores, score
from sites.seo.visit import DISALLOWED, TOO_LARGE


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored page."""

    url: str
    status: int | None
    facts: Mapping[str, Any] | None
    redirect_to: str
    error: str
    in_sitemap: bool
    dropped: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """`pages` are those that were judged: HTML with status 200."""

    issues: Sequence[Issue]
    scores: Scores
    pages: int


def judge(site: SiteFacts, seen: Sequence[Seen]) -> Verdict:
    """All checks over all pages. `site` is completed by what the pages say."""
    rows = {row.url: row for row in seen}
    failed = {url: row.error for url, row in rows.items() if row.error not in {"", TOO_LARGE, DISALLOWED}}
    listed = [row.url for row in seen if row.in_sitemap]
    site = replace(
        site,
        sitemap_urls=tuple(dict.fromkeys([*site.sitemap_urls, *listed])),
        failed=failed | _led_astray(rows, failed),
        complete=not any(row.dropped for row in seen),
    )
    pages = _pages(rows)
    judged = {page.url: page for page in reversed(pages)}
    issues = [issue for page in judged.values() for issue in check_page(page)] + check_site(site, pages)
    measured = sum(page.has_content for page in judged.values())
    return Verdict(issues, score(issues, measured), measured)


def _pages(rows: Mapping[str, Seen]) -> list[PageFacts]:
    """Each page once for each address that led to it, the longest way first: of several, checks look at the first."""
    facts = {url: PageFacts.from_json(row.facts) for url, row in rows.items() if row.facts is not None}
    found = []
    for url in rows:
        end, hops = _follow(rows, url)
        if end in facts:
            found.append(replace(facts[end], hops=hops) if hops else facts[end])
    return sorted(found, key=lambda page: -len(page.hops))


def _follow(rows: Mapping[str, Seen], url: str) -> tuple[str, tuple[Hop, ...]]:
    """Where an address led in the end; a circle ends where it closes, at an address without facts."""
    hops: dict[str, Hop] = {}
    while url not in hops and (row := rows.get(url)) and row.redirect_to:
        hops[url] = Hop(url, row.status or 0)
        url = row.redirect_to
    return url, tuple(hops.values())


def _led_astray(rows: Mapping[str, Seen], failed: Mapping[str, str]) -> dict[str, str]:
    """Redirects that end at a failure or in a circle are as dead as these."""
    ends = {url: _follow(rows, url)[0] for url, row in rows.items() if row.redirect_to}
    circles = {url: "redirect_loop" for url, end in ends.items() if end in ends}
    return circles | {url: failed[end] for url, end in ends.items() if end in failed}
