"""Pages for the tests of this folder."""

from collections.abc import Mapping, Sequence

from ajansops.kit.net import Hop
from sites.seo.facts import PageFacts
from sites.seo.page import parse

URL = "https://example.com/coffee"
SAFE_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "strict-transport-security": "max-age=63072000",
    "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
TITLE = "<title>Single origin coffee, roasted on Fridays</title>"
DESCRIPTION = (
    '<meta name="description" content="Coffee from one farm at a time, roasted every Friday and sent the same day.">'
)
CANONICAL = '<link rel="canonical" href="/coffee">'
VIEWPORT = '<meta name="viewport" content="width=device-width, initial-scale=1">'
OPEN_GRAPH = "".join(f'<meta property="og:{name}" content="x">' for name in ("title", "type", "image", "url"))
HEAD = TITLE + DESCRIPTION + CANONICAL + VIEWPORT + OPEN_GRAPH
BODY = "<h1>Coffee</h1><p>" + " ".join(f"word{number}" for number in range(250)) + "</p>"
HTML = '<html lang="en">'
GOOD = f"<!doctype html>{HTML}<head>{HEAD}</head><body>{BODY}</body></html>"


def page(
    html: str | bytes = GOOD,
    *,
    url: str = URL,
    status: int = 200,
    headers: Mapping[str, str] = SAFE_HEADERS,
    elapsed_ms: int = 80,
    hops: Sequence[Hop] = (),
) -> PageFacts:
    body = html.encode() if isinstance(html, str) else html
    return parse(url, status=status, headers=headers, body=body, elapsed_ms=elapsed_ms, hops=hops)
