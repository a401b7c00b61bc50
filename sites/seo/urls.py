"""One spelling per address, whose site it is on, and which addresses a crawl should not follow."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qsl, urlsplit

import tldextract

from ajansops.kit.net import BadUrl, Url, parse_url

MAX_CHARS: Final = 2000  # of a normalised URL
MAX_QUERY_VARIANTS: Final = 50  # pages per path that differ only by their query
MAX_SAME_CONTENT: Final = 20  # pages per crawl with one text hash
MAX_REPEATS: Final = 3  # of a run of path segments: /a/a/a, /a/b/a/b/a/b
MAX_DEPTH: Final = 12  # path segments; our choice, real sites stay below eight

_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")  # RFC 3986 §2.3
_PERCENT: Final = re.compile(r"%([0-9A-Fa-f]{2})?")
_DROPPED: Final = str.maketrans("", "", "\t\n\r")  # as browsers do inside a URL (WHATWG URL, basic parser)
_WHITESPACE: Final = " \t\n\r\f\0"

_CALENDAR_WORDS: Final = frozenset({"calendar", "takvim", "naptar", "events", "etkinlikler", "esemenyek", "agenda"})
_DATE_KEYS: Final = frozenset(
    {"year", "month", "week", "day", "yil", "ay", "hafta", "gun", "ev", "honap", "het", "nap"}
)
_DATE: Final = re.compile(r"\d{4}(?:-\d{1,2}){1,2}")

# The list that ships with the package; private suffixes count, as two shops on one hosted platform are two sites.
_suffixes = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def normalise(base: str, href: str) -> str | None:
    """The one spelling of what `href` means on the page `base`; None when a crawler has no business there.

    No fragment, ASCII lower-case host, no default port, no dot segments, percent-encoding only where needed.
    Path and query keep their case and order: servers tell them apart.
    """
    reference = href.strip(_WHITESPACE).translate(_DROPPED).replace(" ", "%20")
    try:
        url = _base(base).join(reference)
    except BadUrl:  # mailto:, javascript:, a user name, a host that is none: nothing to crawl
        return None
    path, mark, query = url.target.partition("?")
    text = f"{url.origin}{_without_dots(_decode(path))}{mark}{_decode(query)}"
    return text if len(text) <= MAX_CHARS else None


@lru_cache(maxsize=64)
def _base(url: str) -> Url:
    """Read once for all the links of a page."""
    return parse_url(url)


def site_key(url: str) -> str:
    """The registrable domain (`shop.com.tr`); for an address, localhost or a private name, host and port.

    Raises `BadUrl`.
    """
    parsed = parse_url(url)
    return registrable_domain(parsed) or f"{parsed.host}:{parsed.port}"


def registrable_domain(url: Url) -> str:
    """Empty when the host is an address or has no public suffix."""
    return "" if url.address else _suffixes.extract_str(url.host).top_domain_under_public_suffix


def same_site(a: str, b: str) -> bool:
    """Whether a crawl of `a` may go on to `b`. Raises `BadUrl`."""
    return site_key(a) == site_key(b)


def is_trap(url: str) -> bool:
    """Whether the address alone looks like one of endlessly many."""
    parts = urlsplit(url)
    segments = [segment for segment in parts.path.split("/") if segment]
    return len(segments) > MAX_DEPTH or _repeats(segments) or _is_calendar(segments, parts.query)


def path_key(url: str) -> str:
    """What query variants have in common: the key under which the caller counts them."""
    return url.partition("?")[0]


def admits(url: str, variants: Mapping[str, int]) -> bool:
    """Whether one more address of this path may be queued, given how many with a query there are by `path_key`."""
    return "?" not in url or variants.get(path_key(url), 0) < MAX_QUERY_VARIANTS


def repeats_content(text_hash: str, pages: Mapping[str, int]) -> bool:
    """Whether so many pages of the crawl had this text that links on a further one are not worth following."""
    return bool(text_hash) and pages.get(text_hash, 0) >= MAX_SAME_CONTENT


def _decode(text: str) -> str:
    """Percent-encoding in its one form (RFC 3986 §6.2.2): upper-case, and none around unreserved characters."""
    return _PERCENT.sub(_one_form, text)


def _one_form(found: re.Match[str]) -> str:
    if found[1] is None:
        return "%25"  # a bare percent sign
    byte = int(found[1], 16)
    return chr(byte) if byte in _UNRESERVED else f"%{found[1].upper()}"


def _without_dots(path: str) -> str:
    """RFC 3986 §5.2.4; empty segments stay, servers tell /a//b from /a/b."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _repeats(segments: list[str]) -> bool:
    """Whether a run of segments follows itself `MAX_REPEATS` times."""
    for size in range(1, len(segments) // MAX_REPEATS + 1):
        for start in range(len(segments) - size * MAX_REPEATS + 1):
            run = segments[start : start + size]
            if segments[start : start + size * MAX_REPEATS] == run * MAX_REPEATS:
                return True
    return False


def _is_calendar(segments: list[str], query: str) -> bool:
    """Days without end: a calendar's own path with a date, or a query that turns its pages."""
    given = dict(parse_qsl(query, max_num_fields=None))
    turned = sum(value.isdigit() for key, value in given.items() if key.lower() in _DATE_KEYS)
    if turned > 1 or any(_DATE.fullmatch(value) for value in given.values()):
        return True
    words = [segment.lower() for segment in segments]
    at = next((index for index, word in enumerate(words) if word in _CALENDAR_WORDS), None)
    return at is not None and any(word.isdigit() or _DATE.fullmatch(word) for word in words[at + 1 :])
