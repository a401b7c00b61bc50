"""What a site's robots.txt lets us fetch (RFC 9309)."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from protego import Protego

from sites.seo.urls import normalise

USER_AGENT: Final = "AjansOpsBot"  # the product token that a group of rules may name
MAX_BYTES: Final = 512 * 1024  # RFC 9309 §2.5 asks for at least 500 KiB
MAX_DELAY: Final = 30.0  # seconds; a longer Crawl-delay is cut to this
MAX_SITEMAPS: Final = 50

_ALLOW_ALL: Final = ""
_DISALLOW_ALL: Final = "User-agent: *\nDisallow: /\n"


@dataclass(frozen=True)
class Robots:
    """`status` is that of the answer after redirects, None when there was none."""

    status: int | None
    text: str  # the rules in force

    @classmethod
    def parse(cls, text: str | None, status: int | None) -> Self:
        """No such file (4xx, or only redirects) allows everything; no answer or 5xx forbids everything (§2.3.1)."""
        if status is None or status >= 500:
            return cls(status, _DISALLOW_ALL)
        if not 200 <= status < 300:
            return cls(status, _ALLOW_ALL)
        return cls(status, _cut((text or "").removeprefix("\ufeff")))

    @classmethod
    def load(cls, stored: str) -> Self:
        """What `dump` gave."""
        status, _, text = stored.partition("\n")
        return cls(int(status) if status else None, text)

    def dump(self) -> str:
        """As plain text: the status on the first line, then the rules."""
        return f"{'' if self.status is None else self.status}\n{self.text}"

    def allowed(self, url: str) -> bool:
        return self._rules.can_fetch(url, USER_AGENT)

    @property
    def crawl_delay(self) -> float | None:
        """Seconds between two requests, at most `MAX_DELAY`; None when the site does not say."""
        delay = self._rules.crawl_delay(USER_AGENT)
        return min(delay, MAX_DELAY) if delay is not None and math.isfinite(delay) and delay >= 0 else None

    @property
    def sitemaps(self) -> tuple[str, ...]:
        """Absolute, normalised, of any site: the caller decides which it trusts."""
        urls = (normalise(listed, listed) for listed in self._rules.sitemaps)
        return tuple(dict.fromkeys(url for url in urls if url))[:MAX_SITEMAPS]

    @cached_property
    def _rules(self) -> Protego:
        return Protego.parse(self.text)


def _cut(text: str) -> str:
    """At the last whole line within `MAX_BYTES`: half a rule could mean more than the whole."""
    encoded = text.replace("\0", "").encode("utf-8", "replace")
    if len(encoded) <= MAX_BYTES:
        return encoded.decode()
    return encoded[:MAX_BYTES].rpartition(b"\n")[0].decode()
