"""How a crawl enters a site: its robots.txt first, then the pages that its sitemaps list."""

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from typing import Final

from ajansops.kit.errors import UpstreamError
from ajansops.kit.net import Client, NetError, parse_url
from ajansops.kit.runners import ItemFailed
from sites.seo import sitemap
from sites.seo.robots import Robots
from sites.seo.sitemap import Sitemap

MAX_FILES: Final = 10  # sitemaps read of one site, those in an index included
SITEMAP_SECONDS: Final = 120.0  # after which no further one is begun; an item may take 300 s


class RobotsUnavailable(UpstreamError):
    """The site's robots.txt answers with an error, so nothing may be fetched."""

    code = "robots_unavailable"


class RobotsDisallow(ItemFailed):
    """The site's robots.txt does not let us read its home page."""

    code = "robots_disallowed"


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known before the first page. `problem` says why sitemaps gave nothing."""

    robots: Robots
    listed: tuple[str, ...]
    problem: str = ""


async def enter(client: Client, start_url: str, *, pause: float, enough: int) -> Entry:
    """Robots and the first `enough` or more listed addresses, of any site; `pause` is seconds between two fetches.

    Raises a `NetError`, or one of the errors above.
    """
    robots = await fetch_robots(client, start_url)
    if robots.status is None or robots.status >= 500:
        raise RobotsUnavailable
    if not robots.allowed(start_url):
        raise RobotsDisallow
    reader = _Sitemaps(client, max(pause, robots.crawl_delay or 0), enough)
    await reader.read(robots.sitemaps or (f"{parse_url(start_url).origin}/sitemap.xml",))
    return Entry(robots, tuple(reader.urls), reader.problem)


async def fetch_robots(client: Client, url: str) -> Robots:
    """The rules of the address's origin. Raises a `NetError`."""
    answer = await client.get(f"{parse_url(url).origin}/robots.txt")
    return Robots.parse(answer.body.decode("utf-8", "replace"), answer.status)


class _Sitemaps:
    """One after the other, breadth first."""

    def __init__(self, client: Client, pause: float, enough: int) -> None:
        self.urls: dict[str, None] = {}
        self.problem = ""
        self._client = client
        self._pause = pause
        self._enough = enough

    async def read(self, addresses: tuple[str, ...]) -> None:
        waiting, seen = deque(addresses), set[str]()
        until = time.monotonic() + SITEMAP_SECONDS
        while waiting and len(self.urls) < self._enough and len(seen) < MAX_FILES and time.monotonic() < until:
            address = waiting.popleft()
            if address not in seen:
                seen.add(address)
                await asyncio.sleep(self._pause)
                found = await self._fetch(address)
                self.urls.update(dict.fromkeys(found.urls))
                self.problem = self.problem or found.problem
                waiting.extend(found.children)

    async def _fetch(self, address: str) -> Sitemap:
        try:
            answer = await self._client.get(address)
        except NetError as error:
            return Sitemap(problem=error.code)
        if answer.status != 200:
            return Sitemap(problem=f"status {answer.status}")
        return await asyncio.to_thread(sitemap.parse, answer.body)
