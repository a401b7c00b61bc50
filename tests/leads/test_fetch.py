"""Fetching as a guest should."""

import asyncio
import time
from ipaddress import ip_network

import pytest

from ajansops.demo.server import text
from ajansops.kit.errors import UpstreamError
from ajansops.kit.net import Client
from leads import fetch
from leads.fetch import Fetcher, NotAPage, RobotsDisallow

LOOPBACK = [ip_network("127.0.0.1/32")]


def with_fetcher(use, allow=LOOPBACK):
    async def run():
        fetcher = Fetcher(Client(allow_private=allow, user_agent="AjansOpsBot/0.1 (+http://127.0.0.1/bot)"), allow)
        try:
            return await use(fetcher)
        finally:
            await fetcher.aclose()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("host", "delay"),
    [("127.0.0.1", 0), ("localhost", 0), ("127.0.0.2", 1), ("10.0.0.1", 1), ("firma.com.tr", 1), ("8.8.8.8", 1)],
)
def test_only_addresses_that_we_opened_ourselves_are_not_spared(host, delay):
    async def use(fetcher):
        return fetcher._host(host).delay

    assert with_fetcher(use) == delay


def test_between_two_requests_to_a_host_there_is_its_delay(serve, monkeypatch):
    monkeypatch.setattr(fetch, "DELAY", 0.15)
    monkeypatch.setattr(Fetcher, "_is_ours", lambda self, host: False)
    pages = serve({"/": "<html>", "/a": "<html>"})

    async def use(fetcher):
        started = time.monotonic()
        await asyncio.gather(fetcher.page(f"{pages.url}/"), fetcher.page(f"{pages.url}/a"))
        return time.monotonic() - started

    assert with_fetcher(use) >= 0.3, "robots.txt and two pages have two pauses between them"


def test_a_crawl_delay_that_is_longer_counts(serve):
    rules = text("User-agent: *\nCrawl-delay: 0.2", "text/plain")
    pages = serve({"/robots.txt": rules, "/": "<html>", "/a": "<html>"})

    async def use(fetcher):
        await fetcher.page(f"{pages.url}/")
        started = time.monotonic()
        await fetcher.page(f"{pages.url}/a")
        return time.monotonic() - started

    assert with_fetcher(use) >= 0.15


def test_the_memory_of_hosts_is_bounded_and_keeps_those_in_use(monkeypatch):
    monkeypatch.setattr(fetch, "MAX_HOSTS", 3)

    async def use(fetcher):
        async with fetcher._host("busy.example").lock:
            for number in range(9):
                fetcher._host(f"h{number}.example")
        return list(fetcher._hosts)

    assert with_fetcher(use) == ["busy.example", "h7.example", "h8.example"]


ANSWERS = [
    (text("<html>", status=404), NotAPage),
    (text("{}", "application/json"), NotAPage),
    (text("<html>", status=503), UpstreamError),
    (text("<html>", status=429), UpstreamError),
]


@pytest.mark.parametrize(("answer", "error"), ANSWERS)
def test_what_is_no_page_is_an_error(serve, answer, error):
    pages = serve({"/": answer})
    with pytest.raises(error):
        with_fetcher(lambda fetcher: fetcher.page(f"{pages.url}/"))


def test_a_robots_txt_is_believed_for_an_hour_only(serve, monkeypatch):
    rules = text("User-agent: *\nDisallow: /a", "text/plain")
    pages = serve({"/robots.txt": rules, "/": "<html>", "/a": "<html>"})

    async def use(fetcher):
        await fetcher.page(f"{pages.url}/")
        with pytest.raises(RobotsDisallow):
            await fetcher.page(f"{pages.url}/a")
        monkeypatch.setattr(fetch, "ROBOTS_FOR", -1)
        fetcher._hosts.clear()
        for _ in range(2):
            await fetcher.page(f"{pages.url}/")

    with_fetcher(use)
    assert pages.asked.count("/robots.txt") == 3


def test_a_page_is_read_in_its_own_charset(serve):
    pages = serve({"/": text("<meta charset=utf-8>Çömlek")})
    page = with_fetcher(lambda fetcher: fetcher.page(f"{pages.url}/"))
    assert "Çömlek" in page.html
    assert page.url == f"{pages.url}/"
