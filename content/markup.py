"""HTML that came from outside, made safe or made plain."""

import html
import re

import nh3

# No images, styles, forms or frames: an imported description is shown inside our pages and the customer's shop.
SHOP_TAGS = {
    "p", "br", "ul", "ol", "li", "strong", "em", "b", "i", "u", "h2", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td", "blockquote", "a",
}  # fmt: skip
SHOP_ATTRIBUTES = {"a": {"href"}}
WRITTEN_TAGS = {"p", "br", "ul", "ol", "li", "strong", "em", "b", "i"}
LINKS = {"http", "https", "mailto"}

_BREAK = re.compile(r"</(?:p|li|ul|ol|div|h[1-6]|tr|td|th|blockquote)>|<br\b[^>]*>", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def shop_html(text: str) -> str:
    """A description as a shop wrote it, without what could do harm. Links get rel="noopener noreferrer"."""
    cleaned = nh3.clean(_CONTROL.sub("", text), tags=SHOP_TAGS, attributes=SHOP_ATTRIBUTES, url_schemes=LINKS)
    return cleaned.strip()


def written_html(text: str) -> str:
    """A description as a provider wrote it: our few tags and no attribute at all."""
    return nh3.clean(_CONTROL.sub("", text), tags=WRITTEN_TAGS, attributes={}).strip()


def line(text: str) -> str:
    """Without control characters, on one line."""
    return " ".join(_CONTROL.sub("", text).split())


def plain(text: str) -> str:
    """What a reader of the HTML sees, on one line."""
    return line(html.unescape(nh3.clean(_BREAK.sub(" ", text), tags=set())))
