"""Each host of a site has its own robots.txt (asked of the runner itself: loopback has no subdomains)."""

import asyncio

from ajansops.demo.server import text
from ajansops.kit.runners import Item, JobView
from sites.seo.robots import Robots
from sites.seo.runner import CrawlRunner


def visits(job: JobView, *urls: str) -> list[str]:
    """The errors of visiting `urls` one after the other."""

    async def run() -> list[str]:
        runner = CrawlRunner()
        try:
            return [(await runner.work(Item(1, job, url, {"depth": 1}, 1), None)).error for url in urls]
        finally:
            await runner.aclose()

    return asyncio.run(run())


def job(start_url: str) -> JobView:
    memory = {"robots": Robots.parse("User-agent: *\nDisallow: /a\n", 200).dump()}
    return JobView("seo_1", 1, "seo", {"start_url": start_url}, test_mode=False, memory=memory)


def test_another_host_is_asked_for_its_rules_once(website):
    shop = website(
        {"/robots.txt": text("User-agent: *\nDisallow: /b\n", "text/plain"), "/a": "a", "/b": "b", "/c": "c"}
    )
    found = visits(job("http://127.0.0.1:9/"), f"{shop.url}/a", f"{shop.url}/b", f"{shop.url}/c")
    assert found == ["", "robots_disallowed", ""]
    assert shop.asked == {"/robots.txt": 1, "/a": 1, "/c": 1}


def test_a_host_whose_rules_cannot_be_had_is_left_alone(website):
    private = website({"/a": "a"}, host="127.0.0.2")
    assert visits(job("http://127.0.0.1:9/"), f"{private.url}/a") == ["robots_disallowed"]


def test_the_sites_own_rules_are_those_of_the_job(website):
    own = website({"/a": "a", "/b": "b", "/robots.txt": text("", "text/plain")})
    assert visits(job(f"{own.url}/"), f"{own.url}/a", f"{own.url}/b") == ["robots_disallowed", ""]
    assert own.asked == {"/b": 1}
