"""One page of a crawl: what a single fetch says, and where it leads."""

import asyncio
from dataclasses import dataclass
from typing import Final

from ajansops.kit.errors import UpstreamError
from ajansops.kit.net import BadUrl, Blocked, Client, Response, TooLarge
from ajansops.kit.runners import ItemFailed
from sites.seo.facts import PageFacts
from sites.seo.page import parse
from sites.seo.robots import Robots
from sites.seo.urls import is_trap, normalise, same_site

TOO_LARGE, DISALLOWED = "too_large", "robots_disallowed"  # why a page that is not dead has no facts
REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
BUSY: Final = frozenset({429, 503})
ACCEPT: Final = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"}


class Busy(UpstreamError):
    """The site asks us to come back later."""

    code = "site_busy"

    def __init__(self, answer: Response) -> None:
        super().__init__()
        seconds = answer.headers.get("retry-after", "")
        self.retry_after = int(seconds) if seconds.isascii() and seconds.isdigit() and len(seconds) < 6 else 0


class Unfetchable(ItemFailed):
    """The address could not be fetched."""

    code = "fetch_failed"  # as that of all `NetError`s: which rule forbade it is nobody's business


@dataclass(frozen=True, slots=True)
class Visit:
    """`links` are those a crawl may follow; `dropped` counts those it would but for a trap's looks."""

    status: int | None = None
    facts: PageFacts | None = None
    redirect_to: str = ""
    links: tuple[str, ...] = ()
    dropped: int = 0
    error: str = ""


async def visit(client: Client, url: str, robots: Robots, *, patient: bool) -> Visit:
    """Fetch without following: where a redirect leads is a page of its own, so that nothing is fetched twice.

    Raises a `NetError` that may pass, `Unfetchable` for one that will not, and while `patient`, `Busy`.
    """
    if not robots.allowed(url):
        return Visit(error=DISALLOWED)
    try:
        answer = await client.get(url, headers=ACCEPT, follow=False)
    except TooLarge:
        return Visit(error=TOO_LARGE)
    except (Blocked, BadUrl) as error:
        raise Unfetchable from error
    if patient and answer.status in BUSY:
        raise Busy(answer)
    return await asyncio.to_thread(_read, url, answer, robots)


def _read(url: str, answer: Response, robots: Robots) -> Visit:
    location = answer.headers.get("location") if answer.status in REDIRECTS else None
    target = normalise(url, location) if location else None
    if target:
        links, dropped = _followed(url, [target], robots)
        return Visit(answer.status, redirect_to=target, links=links, dropped=dropped)
    facts = parse(url, status=answer.status, headers=answer.headers, body=answer.body, elapsed_ms=answer.elapsed_ms)
    links, dropped = _followed(url, _named(facts), robots)
    return Visit(answer.status, facts, links=links, dropped=dropped)


def _named(facts: PageFacts) -> list[str]:
    """Links, and what the page calls its original or its translations: whether these exist is for a check to say."""
    links = [link.url for link in facts.links]
    others = [*(canonical.url for canonical in facts.canonicals), *(version.url for version in facts.hreflangs)]
    return list(dict.fromkeys([*links, *(url for url in others if url)]))


def _followed(url: str, links: list[str], robots: Robots) -> tuple[tuple[str, ...], int]:
    """Those of the same site. Another origin has rules of its own, which are asked when it is visited."""
    origin = _origin(url)
    ours = [link for link in links if same_site(url, link) and (_origin(link) != origin or robots.allowed(link))]
    safe = tuple(link for link in ours if not is_trap(link))
    return safe, len(ours) - len(safe)


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
