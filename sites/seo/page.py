"""Reads the facts of a page off the answer to its fetch."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from ajansops.kit.net import Hop
from sites.seo.charset import decode
from sites.seo.facts import (
    MAX_CHARS,
    MAX_IMAGES,
    MAX_LINKS,
    MAX_OTHERS,
    MAX_URL_CHARS,
    SECURITY_HEADERS,
    Hreflang,
    Image,
    JsonLd,
    Link,
    PageFacts,
    Reference,
    clean,
)
from sites.seo.markup import tame
from sites.seo.urls import normalise

MAX_HTML_BYTES: Final = 10 * 1024 * 1024  # of the body; the rest is not read

_WORD: Final = re.compile(r"\w+(?:['’.-]\w+)*")
_ASIDE: Final = frozenset({"nav", "footer", "header", "aside"})  # around the text of a page, not it
_NO_TEXT: Final = frozenset({"script", "style", "template", "title", "textarea", "select", "noscript"})
_WITH_COLON: Final = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_LOADED: Final = (
    "img[src], script[src], iframe[src], audio[src], video[src], source[src], embed[src], object[data], "
    'link[rel~="stylesheet" i][href], link[rel~="icon" i][href], link[rel~="preload" i][href]'
)


def parse(
    url: str, *, status: int, headers: Mapping[str, str], body: bytes, elapsed_ms: int, hops: Sequence[Hop] = ()
) -> PageFacts:
    """The facts of one answer. `url` is the final one, `headers` have lower-case names, `body` is decompressed.

    Takes at most a few seconds of CPU whatever the body is; see `markup`.
    """
    url = normalise(url, "") or url
    content_type = headers.get("content-type", "")
    facts = PageFacts(
        url=url,
        status=status,
        content_type=content_type.partition(";")[0].strip().lower()[:MAX_CHARS],
        elapsed_ms=elapsed_ms,
        hops=tuple(hops),
        security_headers=_security_headers(headers),
        robots=_unique(_robots_header(headers.get("x-robots-tag", ""))),
        html_bytes=len(body),
    )
    if not facts.is_html:
        return facts
    html, cut = tame(decode(body[:MAX_HTML_BYTES], content_type))
    upgraded = "upgrade-insecure-requests" in headers.get("content-security-policy", "").lower()
    facts = replace(facts, truncated=cut or len(body) > MAX_HTML_BYTES)
    return _read(facts, LexborHTMLParser(html), upgraded=upgraded)


def _security_headers(headers: Mapping[str, str]) -> tuple[str, ...]:
    framing = "frame-ancestors" in headers.get("content-security-policy", "").lower()
    present = {name for name in SECURITY_HEADERS if headers.get(name, "").strip()}
    return tuple(name for name in SECURITY_HEADERS if name in present or (name == "x-frame-options" and framing))


def _robots_header(value: str) -> Iterator[str]:
    """Directives of `X-Robots-Tag` for everybody or Google: a name before a colon starts those of one crawler."""
    ours = True
    for part in value.lower().split(","):
        name, colon, rest = part.strip().partition(":")
        crawler = colon and name not in _WITH_COLON
        if crawler:
            ours = name.strip() == "googlebot"
        if ours:
            yield rest if crawler else part


def _read(facts: PageFacts, tree: LexborHTMLParser, *, upgraded: bool) -> PageFacts:
    base = _base(facts.url, tree)
    meta = _meta(tree)
    robots = (part.strip().lower() for name in ("robots", "googlebot") for part in meta.get(name, "").split(","))
    links, images = _links(base, tree), _images(tree)
    text = _visible_text(tree)
    words = _WORD.findall(text)
    return replace(
        facts,
        robots=_unique([*facts.robots, *robots]),
        lang=_attribute(tree.css_first("html"), "lang"),
        titles=_texts(tree.css("title")),
        descriptions=_descriptions(tree),
        h1s=_texts(tree.css("h1")),
        viewport=meta.get("viewport"),
        canonicals=_canonicals(base, tree),
        hreflangs=_hreflangs(base, tree),
        open_graph=_open_graph(tree),
        json_ld=_json_ld(tree),
        links=tuple(links[:MAX_LINKS]),
        links_total=len(links),
        images=tuple(images[:MAX_IMAGES]),
        images_total=len(images),
        mixed_content=() if upgraded else _mixed_content(facts.url, base, tree),
        word_count=len(words),
        text_hash=hashlib.sha256(" ".join(words).casefold().encode()).hexdigest() if words else "",
    )


def _base(url: str, tree: LexborHTMLParser) -> str:
    """What references are relative to: `base href` or the page itself."""
    href = _attribute(tree.css_first("base[href]"), "href")
    return (normalise(url, href) if href else None) or url


def _meta(tree: LexborHTMLParser) -> dict[str, str]:
    """The first content of each named meta tag."""
    named = [(node.attributes.get("name") or "", node) for node in tree.css("meta[name]")]
    return {name.strip().lower(): _attribute(node, "content") for name, node in reversed(named)}


def _descriptions(tree: LexborHTMLParser) -> tuple[str, ...]:
    nodes = tree.css('meta[name="description" i]')
    return tuple(_attribute(node, "content") for node in nodes[:MAX_OTHERS])


def _texts(nodes: Sequence[LexborNode]) -> tuple[str, ...]:
    return tuple(clean(node.text()) for node in nodes[:MAX_OTHERS])


def _canonicals(base: str, tree: LexborHTMLParser) -> tuple[Reference, ...]:
    nodes = tree.css('link[rel~="canonical" i]')
    return tuple(Reference(*_reference(base, node)) for node in nodes[:MAX_OTHERS])


def _hreflangs(base: str, tree: LexborHTMLParser) -> tuple[Hreflang, ...]:
    nodes = tree.css('link[rel~="alternate" i][hreflang]')
    return tuple(Hreflang(_attribute(node, "hreflang"), *_reference(base, node)) for node in nodes[:MAX_OTHERS])


def _reference(base: str, node: LexborNode) -> tuple[str, str | None]:
    href = clean(node.attributes.get("href") or "", MAX_URL_CHARS)
    return href, normalise(base, href) if href else None


def _open_graph(tree: LexborHTMLParser) -> tuple[str, ...]:
    nodes = tree.css('meta[property^="og:" i]')
    return _unique(_attribute(node, "property").lower() for node in nodes if _attribute(node, "content"))


def _links(base: str, tree: LexborHTMLParser) -> list[Link]:
    """One per address, in the order of the page; without texts past what is kept, as nested links share theirs."""
    links: dict[str, Link] = {}
    for node in tree.css("a[href], area[href]"):
        url = normalise(base, node.attributes.get("href") or "")
        if url and url not in links:
            nofollow = "nofollow" in (node.attributes.get("rel") or "").lower().split()
            links[url] = Link(url, nofollow, clean(node.text()) if len(links) < MAX_LINKS else "")
    return list(links.values())


def _images(tree: LexborHTMLParser) -> list[Image]:
    """Those without a text first, so that they are the ones that are kept."""
    return sorted(map(_image, tree.css("img")), key=lambda image: image.alt is not None)


def _image(node: LexborNode) -> Image:
    given = node.attributes
    source = given.get("src") or given.get("data-src") or ""
    decoration = given.get("role") in {"presentation", "none"} or given.get("aria-hidden") == "true"
    named = given.get("aria-label") or given.get("aria-labelledby") or given.get("title")
    # An attribute without a value (`<img alt>`) is None in `given`, and an empty alt.
    alt = clean(given["alt"] or "") if "alt" in given else "" if decoration else clean(named) if named else None
    return Image(clean(source), alt, _element(node))


def _element(node: LexborNode) -> str:
    """The element as a selector that a person can find it by; not unique."""
    identity = f"#{node.attributes['id']}" if node.attributes.get("id") else ""
    classes = "".join(f".{name}" for name in (node.attributes.get("class") or "").split()[:3])
    return clean(f"{node.tag}{identity}{classes}", 100)


def _mixed_content(page: str, base: str, tree: LexborHTMLParser) -> tuple[str, ...]:
    """On a page that is itself http, only what other hosts serve: the rest moves to https together with the page."""
    found = (_source(node) for node in tree.css(_LOADED))
    suspects = (address for address in found if base.startswith("http:") or address[:5].lower() == "http:")
    urls = (normalise(base, address) for address in suspects)
    own = f"{page.partition('//')[2].partition('/')[0]}/" if page.startswith("http:") else None
    return _unique(
        url for url in urls if url and url.startswith("http:") and not (own and url.startswith(f"http://{own}"))
    )


def _source(node: LexborNode) -> str:
    given = node.attributes
    return (given.get("src") or given.get("href") or given.get("data") or "").strip()


def _json_ld(tree: LexborHTMLParser) -> tuple[JsonLd, ...]:
    nodes = tree.css('script[type="application/ld+json" i]')
    return tuple(_read_json_ld(node.text()) for node in nodes[:MAX_OTHERS])


def _read_json_ld(text: str) -> JsonLd:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        return JsonLd((), clean(str(error)))
    if not isinstance(data, dict | list):
        return JsonLd((), "neither an object nor an array")
    return JsonLd(_unique(_types(data)), "")


def _types(data: dict[str, Any] | list[Any]) -> Iterator[str]:
    """The `@type`s of the items, not of what is nested in them."""
    items = data if isinstance(data, list) else data.get("@graph", [data])
    for item in items if isinstance(items, list) else [items]:
        types = item.get("@type", []) if isinstance(item, dict) else []
        yield from (str(name) for name in (types if isinstance(types, list) else [types]))


def _visible_text(tree: LexborHTMLParser) -> str:
    """The text of `main`, or of the body without what stands around the text on every page of a site."""
    main = tree.css_first('main, [role="main"]')
    root, skipped = (main, _NO_TEXT) if main else (tree.body, _NO_TEXT | _ASIDE)
    texts, stack = [], [root] if root else []
    while stack:  # a recursion would not survive 20,000 nested elements
        node = stack.pop()
        if node.is_text_node:
            texts.append(node.text_content or "")
        elif node.tag not in skipped:
            stack.extend(reversed(list(node.iter(include_text=True))))
    return " ".join(texts)


def _attribute(node: LexborNode | None, name: str) -> str:
    return clean(node.attributes.get(name) or "") if node else ""


def _unique(values: Iterable[str]) -> tuple[str, ...]:
    """Without repeats and empty ones, in order, as many as are kept."""
    return tuple(islice(dict.fromkeys(cleaned for value in values if (cleaned := clean(value))), MAX_OTHERS))
