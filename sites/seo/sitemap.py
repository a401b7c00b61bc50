"""Reads sitemaps and sitemap indexes (sitemaps.org), also gzipped ones, of whatever somebody put there.

Expat rather than a tree, so that a bomb is left at its first line: no DTD is accepted, hence no entities.
"""

import zlib
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from sites.seo.urls import MAX_CHARS, normalise

MAX_BYTES: Final = 10 * 1024 * 1024  # decompressed
MAX_URLS: Final = 5_000  # pages and further sitemaps together; more than any crawl's budget of pages
MAX_DEPTH: Final = 50  # of elements; a sitemap has three levels
_CHUNK: Final = 64 * 1024
_GZIP: Final = b"\x1f\x8b"
_GZIP_WINDOW: Final = 31  # zlib's way to say: gzip header, largest window


@dataclass(frozen=True, slots=True)
class Sitemap:
    """Normalised pages and further sitemaps, without repeats; `problem` is empty when all of it was read."""

    urls: tuple[str, ...] = ()
    children: tuple[str, ...] = ()
    problem: str = ""


class _UnreadableError(Exception):
    """Ends the reading; what was found before it counts."""


@dataclass
class _Reader:
    """Expat's callbacks."""

    urls: dict[str, None] = field(default_factory=dict)
    children: dict[str, None] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    text: str = ""

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        if len(self.path) == MAX_DEPTH:
            raise _UnreadableError("elements nested too deeply")
        if not self.path and _local(name) not in {"urlset", "sitemapindex"}:
            raise _UnreadableError(f"not a sitemap but <{_local(name)[:50]}>")
        self.path.append(name)
        self.text = ""

    def data(self, text: str) -> None:
        self.text = (self.text + text)[: 2 * MAX_CHARS]

    def end(self, name: str) -> None:
        self.path.pop()
        # Extensions have their own `loc`: image:loc inside image:image.
        if _local(name) == "loc" and len(self.path) == 2:
            self._found(_local(self.path[1]), self.text.strip())

    def _found(self, parent: str, written: str) -> None:
        target = {"url": self.urls, "sitemap": self.children}.get(parent)
        url = normalise(written, written)
        if target is None or url is None:
            return
        target[url] = None
        if len(self.urls) + len(self.children) > MAX_URLS:
            target.pop(url)
            raise _UnreadableError(f"more than {MAX_URLS} addresses")


def parse(body: bytes) -> Sitemap:
    """Never raises: garbage is an empty sitemap with a `problem`."""
    reader = _Reader()
    try:
        _feed(reader, _plain(body))
        problem = ""
    except (_UnreadableError, expat.ExpatError, LookupError, ValueError) as error:  # the last two: unknown encodings
        problem = str(error)
    return Sitemap(tuple(reader.urls), tuple(reader.children), problem)


def _plain(body: bytes) -> bytes:
    """The XML, unzipped when it is gzip by its first bytes, whatever the address or header say."""
    if body.startswith(_GZIP):
        try:
            body = zlib.decompressobj(_GZIP_WINDOW).decompress(body, MAX_BYTES + 1)
        except zlib.error as error:
            raise _UnreadableError(f"not gzip: {error}") from error
    return body


def _feed(reader: _Reader, xml: bytes) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    whole = len(xml) <= MAX_BYTES
    for at in range(0, min(len(xml), MAX_BYTES), _CHUNK):
        parser.Parse(xml[at : at + _CHUNK], False)
    if not whole:
        raise _UnreadableError(f"larger than {MAX_BYTES} bytes")
    parser.Parse(b"", True)


def _refuse_doctype(*_declaration: object) -> None:
    raise _UnreadableError("has a DOCTYPE")


def _local(name: str) -> str:
    """The name without its namespace: some sites declare none, or an old one."""
    return name.rpartition(" ")[2]
