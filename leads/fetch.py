"""Strangers' pages, fetched politely: by their robots.txt, and one request a host at a time."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Final

from ajansops.kit.errors import UpstreamError
from ajansops.kit.net import Client, Limits, Response, Url, address_allowed, parse_url
from ajansops.kit.runners import ItemFailed
from sites.seo.charset import decode
from sites.seo.markup import tame
from sites.seo.robots import Robots

DELAY: Final = 1.0  # seconds between two requests to a host
ROBOTS_FOR: Final = 3600.0  # seconds that a robots.txt is believed; RFC 9309 allows a day
MAX_HOSTS: Final = 5_000  # remembered
MAX_ORIGINS: Final = 20  # of one host whose robots.txt is remembered
LIMITS: Final = Limits(max_body=3 * 2**20)  # bytes; the extraction reads no more than a part of that
HTML: Final = frozenset({"text/html", "application/xhtml+xml", ""})


class RobotsDisallow(ItemFailed):
    """The robots.txt of the website does not allow this page."""

    code = "robots_disallowed"


class NotAPage(ItemFailed):
    """There is no web page at this address."""

    code = "not_a_page"


@dataclass(frozen=True, slots=True)
class Page:
    """`url` is where redirects led; `html` is safe to parse."""

    url: str
    html: str


@dataclass(slots=True)
class _Host:
    """Of one host name. Whoever holds the lock is the one that speaks to it."""

    delay: float  # seconds
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    next_at: float = 0.0  # monotonic seconds
    robots: dict[str, tuple[float, Robots]] = field(default_factory=dict)  # by origin, with its last moment


class Fetcher:
    """One an event loop; `aclose` closes the client. Hosts in `allow_private` need no pauses: they are our own."""

    def __init__(self, client: Client, allow_private: Sequence[IPv4Network | IPv6Network]) -> None:
        self._allow_private = allow_private
        self._client = client
        self._hosts: OrderedDict[str, _Host] = OrderedDict()

    async def aclose(self) -> None:
        await self._client.aclose()

    async def page(self, url: str) -> Page:
        """Raises `RobotsDisallow`, `NotAPage`, a `NetError`, or `UpstreamError` for a server that has trouble."""
        asked = parse_url(url)
        host = self._host(asked.host)
        async with host.lock:
            robots = await self._permission(asked, host)
            reply = await self._get(str(asked), host, crawl_delay=robots.crawl_delay or 0)
        landed = parse_url(reply.url)
        if reply.hops:
            host = self._host(landed.host)
            async with host.lock:
                await self._permission(landed, host)
        _require_page(reply)
        html, _ = await asyncio.to_thread(tame, decode(reply.body, reply.headers.get("content-type", "")))
        return Page(str(landed), html)

    async def _permission(self, url: Url, host: _Host) -> Robots:
        robots = await self._robots(url, host)
        if not robots.allowed(str(url)):
            raise RobotsDisallow
        return robots

    async def _robots(self, url: Url, host: _Host) -> Robots:
        until, robots = host.robots.get(url.origin, (0.0, None))
        if robots is None or until < time.monotonic():
            reply = await self._get(f"{url.origin}/robots.txt", host)
            _require_health(reply)
            text = decode(reply.body, "text/plain; charset=utf-8")
            robots = Robots.parse(text, reply.status)
            if len(host.robots) >= MAX_ORIGINS:
                host.robots.clear()
            host.robots[url.origin] = (time.monotonic() + ROBOTS_FOR, robots)
        return robots

    async def _get(self, url: str, host: _Host, *, crawl_delay: float = 0) -> Response:
        await asyncio.sleep(max(0, host.next_at - time.monotonic()))
        try:
            return await self._client.get(url, limits=LIMITS)
        finally:
            host.next_at = time.monotonic() + max(host.delay, crawl_delay)

    def _host(self, name: str) -> _Host:
        """The one that all users of the host share. Of too many the one unused for longest goes that nobody holds."""
        if name not in self._hosts:
            self._hosts[name] = _Host(0 if self._is_ours(name) else DELAY)
        self._hosts.move_to_end(name)
        if len(self._hosts) > MAX_HOSTS:
            idle = next(key for key, host in self._hosts.items() if not host.lock.locked())
            if idle != name:
                del self._hosts[idle]
        return self._hosts[name]

    def _is_ours(self, host: str) -> bool:
        """Whether it is an address that only NET_ALLOW_PRIVATE opens: a development machine needs no mercy."""
        try:
            address = ip_address("127.0.0.1" if host == "localhost" else host)
        except ValueError:
            return False
        return address_allowed(address, self._allow_private) and not address_allowed(address, ())


def _require_health(reply: Response) -> None:
    """A server in trouble is asked again later; its robots.txt counts as a no until then (RFC 9309)."""
    if reply.status >= 500 or reply.status == 429:
        raise UpstreamError


def _require_page(reply: Response) -> None:
    _require_health(reply)
    if reply.status != 200 or reply.media_type not in HTML:
        raise NotAPage
