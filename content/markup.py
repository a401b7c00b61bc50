"""HTML that came from outside, made safe or made plain."""

import html
import re

import nh3
from markdown_it import MarkdownIt

# No images, styles, forms or frames: an imported description is shown inside our pages and the customer's shop.
SHOP_TAGS = {
    "p", "br", "ul", "ol", "li", "strong", "em", "b", "i", "u", "h2", "h3", "h4", "h5", "h6",
    "table", "thead", "tbody", "tr", "th", "td", "blockquote", "a",
}  # fmt: skip
SHOP_ATTRIBUTES = {"a": {"href"}}
WRITTEN_TAGS = {"p", "br", "ul", "ol", "li", "strong", "em", "b", "i"}
LINKS = {"http", "https", "mailto"}
POST_TAGS = SHOP_TAGS | {"h1", "hr", "s", "del", "sub", "sup", "code", "pre", "img"}
POST_ATTRIBUTES = {
    "a": {"href", "title"},
    "code": {"class"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"style", "colspan", "rowspan"},
    "th": {"style", "colspan", "rowspan"},
}

_BREAK = re.compile(r"</(?:p|li|ul|ol|div|h[1-6]|tr|td|th|blockquote)>|<br\b[^>]*>", re.IGNORECASE)
_LANGUAGE = re.compile(r"language-[\w+#.-]{1,30}")  # of a block of code, for highlighters
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def shop_html(text: str) -> str:
    """A description as a shop wrote it, without what could do harm. Links get rel="noopener noreferrer"."""
    cleaned = nh3.clean(_CONTROL.sub("", text), tags=SHOP_TAGS, attributes=SHOP_ATTRIBUTES, url_schemes=LINKS)
    return cleaned.strip()


def written_html(text: str) -> str:
    """A description as a provider wrote it: our few tags and no attribute at all."""
    return nh3.clean(_CONTROL.sub("", text), tags=WRITTEN_TAGS, attributes={}).strip()


class _Markdown(MarkdownIt):
    """Leaves the judgement of addresses to the sanitiser: one that is refused would stand there as it was typed."""

    def validateLink(self, url: str) -> bool:  # noqa: N802  # the library's name
        return True


_MARKDOWN = _Markdown("commonmark").enable(["table", "strikethrough"])


def post_html(text: str) -> str:
    """Markdown, also with HTML in it, as HTML that can do no harm. Links get rel="noopener noreferrer"."""
    cleaned = nh3.clean(
        _MARKDOWN.render(_CONTROL.sub("", text)),
        tags=POST_TAGS,
        attributes=POST_ATTRIBUTES,
        attribute_filter=_kept,
        filter_style_properties={"text-align"},
        url_schemes=LINKS,
    )
    return cleaned.strip()


def _kept(tag: str, attribute: str, value: str) -> str | None:
    """Of classes only the language of a block of code."""
    return value if attribute != "class" or _LANGUAGE.fullmatch(value) else None


def line(text: str) -> str:
    """Without control characters, on one line."""
    return " ".join(_CONTROL.sub("", text).split())


def plain(text: str) -> str:
    """What a reader of the HTML sees, on one line."""
    return line(html.unescape(nh3.clean(_BREAK.sub(" ", text), tags=set())))
