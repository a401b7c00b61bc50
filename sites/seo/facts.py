"""What is kept of one fetched page: small, comparable, storable as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, NamedTuple, Self

from ajansops.kit.net import Hop

MAX_CHARS: Final = 300  # per text
MAX_URL_CHARS: Final = 2000  # as `urls.MAX_CHARS`, of a reference as written
MAX_LINKS: Final = 500
MAX_IMAGES: Final = 200
MAX_OTHERS: Final = 50  # of any other list

SECURITY_HEADERS: Final = (
    "strict-transport-security",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
)
_HTML_TYPES: Final = frozenset({"text/html", "application/xhtml+xml"})


def clean(text: str, limit: int = MAX_CHARS) -> str:
    """One line, cut, and storable: PostgreSQL's JSON has no NUL, and UTF-8 no lone surrogates."""
    flat = " ".join(text[: 20 * limit].replace("\0", "").split())[:limit]
    return flat.encode("utf-8", "replace").decode()


class Reference(NamedTuple):
    """An address as written, and normalised; `url` is None when it is none that could be fetched."""

    href: str
    url: str | None


class Hreflang(NamedTuple):
    """A `link rel=alternate hreflang`."""

    lang: str
    href: str
    url: str | None


class Link(NamedTuple):
    """The first link of a page to an address."""

    url: str
    nofollow: bool
    text: str


class Image(NamedTuple):
    """`alt` is None when a screen reader finds nothing; decoration that is declared so has an empty one."""

    src: str
    alt: str | None
    element: str  # like `img#logo.wide`


class JsonLd(NamedTuple):
    """One `application/ld+json` block; `error` is empty when it is JSON with a type or graph."""

    types: tuple[str, ...]
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFacts:
    """A fetched address. Everything after `html_bytes` is empty when it was not HTML.

    Texts are cut to `MAX_CHARS`, lists to the `MAX_` of their kind; a `..._total` says how many there were.
    """

    url: str
    status: int
    content_type: str
    elapsed_ms: int
    hops: tuple[Hop, ...]
    security_headers: tuple[str, ...]  # those of `SECURITY_HEADERS` that are there
    robots: tuple[str, ...]  # directives for all crawlers, lower-case, of the header and the page
    html_bytes: int  # of the decoded body, whatever its type
    truncated: bool = False  # there was more than we read
    lang: str = ""
    titles: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()
    h1s: tuple[str, ...] = ()
    viewport: str | None = None
    canonicals: tuple[Reference, ...] = ()
    hreflangs: tuple[Hreflang, ...] = ()
    open_graph: tuple[str, ...] = ()  # the properties that have content, like `og:title`
    json_ld: tuple[JsonLd, ...] = ()
    links: tuple[Link, ...] = ()
    links_total: int = 0
    images: tuple[Image, ...] = ()
    images_total: int = 0
    mixed_content: tuple[str, ...] = ()  # http: addresses of things to load; on an http: page, other hosts' only
    word_count: int = 0
    text_hash: str = ""  # of the main text without case and spacing; empty when there is none

    @property
    def is_html(self) -> bool:
        return self.content_type in _HTML_TYPES

    @property
    def has_content(self) -> bool:
        """Whether there is a page here to judge: not an error, not a picture."""
        return self.status == 200 and self.is_html

    @property
    def noindex(self) -> bool:
        return not {"noindex", "none"}.isdisjoint(self.robots)

    @property
    def nofollow(self) -> bool:
        return not {"nofollow", "none"}.isdisjoint(self.robots)

    @property
    def indexable(self) -> bool:
        """Whether search engines are meant to list this address, and not leave it for another one."""
        elsewhere = any(canonical.url not in {None, self.url} for canonical in self.canonicals)
        return self.has_content and not self.noindex and not elsewhere

    def to_json(self) -> dict[str, Any]:
        """For a JSON column; `from_json` reads it again, also after the database made lists of the tuples."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{name: _READERS.get(name, _plain)(value) for name, value in data.items()})


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "hops": lambda rows: tuple(Hop(**row) for row in rows),
    "canonicals": lambda rows: tuple(Reference(*row) for row in rows),
    "hreflangs": lambda rows: tuple(Hreflang(*row) for row in rows),
    "json_ld": lambda rows: tuple(JsonLd(tuple(types), error) for types, error in rows),
    "links": lambda rows: tuple(Link(*row) for row in rows),
    "images": lambda rows: tuple(Image(*row) for row in rows),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """What a crawl knows beside its pages. Addresses are normalised."""

    url: str  # where the crawl started; site-wide issues are reported on it
    robots_status: int | None  # None when nothing answered
    sitemap_urls: tuple[str, ...] = ()  # pages that sitemaps list
    sitemap_problem: str = ""  # why a sitemap that is there gave none
    failed: Mapping[str, str] = field(default_factory=dict)  # address to reason, of fetches without an answer
    complete: bool = True  # False when a budget ended the crawl before the queue was empty
