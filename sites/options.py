"""What can be set on a site: how it is crawled, how it is measured."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ajansops.kit.net import parse_url

POLITE_DELAY = 1.0  # seconds between two requests to a host that is not ours

# The least and the most of each number; the API, the admin and the crawler read the same table.
BOUNDS: dict[str, tuple[int, int]] = {
    "max_pages": (1, 5000),
    "max_depth": (0, 100),
    "concurrency": (1, 16),
    "delay_seconds": (0, 60),
    "sample_rate": (0, 1),
}


@dataclass(frozen=True, slots=True)
class CrawlOptions:
    """How far and how fast. `delay_seconds` None means polite, and none inside NET_ALLOW_PRIVATE: that is ours."""

    max_pages: int = 200
    max_depth: int = 10
    concurrency: int = 2
    delay_seconds: float | None = None

    @classmethod
    def of(cls, stored: dict[str, Any]) -> Self:
        """What is not stored has its default."""
        return cls(**stored)

    def interval_ms(self, start_url: str) -> int:
        """Between two starts of pages. Somebody who set 0 has answered for it: it is their client's own site."""
        delay = self.delay_seconds
        if delay is None:
            delay = 0 if _is_ours(start_url) else POLITE_DELAY
        return round(delay * 1000)


@dataclass(frozen=True, slots=True)
class PixelOptions:
    """`sample_rate` is the fraction of visitors that is measured."""

    enabled: bool = True
    sample_rate: float = 1.0


def default_crawl() -> dict[str, Any]:
    """Of a new site."""
    return asdict(CrawlOptions())


def default_pixel() -> dict[str, Any]:
    """Of a new site."""
    return asdict(PixelOptions())


def check_crawl(value: Any) -> None:
    """For forms and the admin; the API checks field by field."""
    _check(value, default_crawl())


def check_pixel(value: Any) -> None:
    """As `check_crawl`."""
    _check(value, default_pixel())


def _check(value: Any, known: dict[str, Any]) -> None:
    if not isinstance(value, dict) or set(value) - set(known):
        raise ValidationError(gettext("Only these can be set: %(names)s.") % {"names": ", ".join(known)})
    for name, entry in value.items():
        if not _fits(name, entry, known[name]):
            low, high = BOUNDS.get(name, (0, 1))
            raise ValidationError(
                gettext("%(name)s must be between %(low)s and %(high)s.") % {"name": name, "low": low, "high": high}
            )


def _fits(name: str, entry: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(entry, bool):
        return isinstance(default, bool) and isinstance(entry, bool)
    if entry is None:
        return default is None
    number = int if isinstance(default, int) else int | float
    low, high = BOUNDS[name]
    return isinstance(entry, number) and low <= entry <= high


def _is_ours(url: str) -> bool:
    address = parse_url(url).address
    return address is not None and any(address in network for network in settings.ENV.net_allow_private)
