"""The pages of one crawl, and where its addresses led."""

from collections.abc import Iterable, Mapping
from functools import cached_property

from sites.seo.facts import PageFacts, SiteFacts


class Crawl:
    """Pages that several addresses redirect to count once, the first time."""

    def __init__(self, site: SiteFacts, pages: Iterable[PageFacts]) -> None:
        self.site = site
        seen: dict[str, PageFacts] = {}
        self._led_to: dict[str, PageFacts] = {}
        for page in pages:
            first = seen.setdefault(page.url, page)
            for address in (page.url, *(hop.url for hop in page.hops)):
                self._led_to.setdefault(address, first)
        self.pages = tuple(seen.values())

    def page(self, url: str) -> PageFacts | None:
        """What was fetched at the address, redirects followed; None when it was not, or did not answer."""
        return self._led_to.get(url)

    def dead(self, url: str) -> dict[str, int | str] | None:
        """Why the address leads nowhere: its status or the failure. None when it does, or was not tried."""
        if page := self.page(url):
            return {"status": page.status} if page.status >= 400 else None
        reason = self.site.failed.get(url)
        return None if reason is None else {"error": reason}

    @property
    def every_link_known(self) -> bool:
        return self.site.complete and not any(
            page.truncated or page.links_total > len(page.links) for page in self.pages
        )

    @cached_property
    def linked(self) -> Mapping[str, frozenset[str]]:
        """By the address a link led to in the end: the pages that link to it, itself left out."""
        found: dict[str, set[str]] = {}
        for page in self.pages:
            for link in page.links:
                target = self._led_to.get(link.url)
                url = target.url if target else link.url
                if url != page.url:
                    found.setdefault(url, set()).add(page.url)
        return {url: frozenset(sources) for url, sources in found.items()}
