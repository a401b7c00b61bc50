"""One HTML page, parsed: what the other modules of this package read from."""

import re
import unicodedata
from collections import Counter
from urllib.parse import urldefrag, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser, LexborNode

from leads.extract.model import words

MAX_HTML = 1_000_000  # characters; what stands behind them is not read
MAX_DEPTH = 1_000  # elements open at once; the parser's time grows with the square of it (20 s at 100,000)
MAX_TEXT = 150_000  # characters of visible text
MAX_LINKS = 3_000
MAX_URL = 2_000

INVISIBLE = "script, style, noscript, template, svg, head, textarea, option"
BLOCKS = (
    "address, article, aside, blockquote, br, dd, div, dl, dt, figure, footer, form, h1, h2, h3, h4, h5, h6, header,"
    " hr, li, main, nav, ol, p, pre, section, table, td, th, tr, ul"
)
SPACES = re.compile(r"[^\S\n]+")
LINES = re.compile(r"\s*\n\s*")
WORD_BREAKS = re.compile(r"[-_+.\s]+")
TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Never open for long: they have no end tag, or their next sibling ends them.
FLAT = words(
    "area base br col dd dt embed hr img input li link meta option p param source tbody td th thead tr track wbr"
)

SOCIAL_HOSTS = words(
    "facebook.com instagram.com linkedin.com pinterest.com tiktok.com twitter.com x.com xing.com youtube.com"
)
# Paths that share or show one thing instead of naming an account.
NOT_AN_ACCOUNT = words("embed hashtag intent p pin plugins reel share sharer sharer.php sharearticle watch")


class HtmlPage:
    """A stranger's page. Nothing in it makes reading it fail."""

    def __init__(self, html: str, url: str) -> None:
        # A lone surrogate cannot be encoded, and the parser takes bytes.
        self.tree = LexborHTMLParser(_shallow(html[:MAX_HTML]).encode("utf-8", "replace"))
        self.url = url if is_url(url) else ""
        self.base = self._base()

    def _base(self) -> str:
        node = self.tree.css_first("base[href]")
        return join(self.url, attribute(node, "href")) or self.url if node else self.url

    @property
    def lang(self) -> str:
        """The language tag of the document as it stands there: `tr`, `en-GB`, or nothing."""
        node = self.tree.css_first("html")
        return attribute(node, "lang").strip()[:35] if node else ""

    @property
    def language(self) -> str:
        """The base of the tag: `tr`, `en`."""
        return self.lang.lower().replace("_", "-").partition("-")[0]

    def links(self) -> list[tuple[str, str]]:
        """(href as written, text) of every link."""
        nodes = self.tree.css("a[href], area[href]")[:MAX_LINKS]
        return [(attribute(node, "href").strip()[:MAX_URL], node.text(strip=True)[:200]) for node in nodes]

    def absolute(self, href: str) -> str:
        """The address that a link leads to, without fragment; empty when it leads to no web page."""
        return join(self.base, href)

    def visible_text(self) -> str:
        """What a reader sees, a line per block: a number and its neighbour in the next cell stay two.

        Read this last, it changes the tree.
        """
        for node in self.tree.css(INVISIBLE):
            node.decompose()
        for node in self.tree.css(BLOCKS):
            node.insert_before("\n")
            node.insert_after("\n")
        text = self.tree.body.text() if self.tree.body else ""
        return tidy(text)[:MAX_TEXT]


def _shallow(html: str) -> str:
    """The page up to where it is nested too deep."""
    if html.count("<") < MAX_DEPTH:
        return html
    still_open: Counter[str] = Counter()
    depth = 0
    for tag in TAG.finditer(html):
        name = tag[2].lower()
        if name in FLAT:
            continue
        if not tag[1]:
            still_open[name] += 1
            depth += 1
        elif still_open[name]:
            still_open[name] -= 1
            depth -= 1
        if depth > MAX_DEPTH:
            return html[: tag.start()]
    return html


def tidy(text: str) -> str:
    """Runs of blanks as one, and of blank lines as one line break."""
    return LINES.sub("\n", SPACES.sub(" ", text)).strip()


def fold(text: str) -> str:
    """Lower case without accents, words apart by one blank: `İletişim` and `iletisim` are the same word."""
    marked = unicodedata.normalize("NFD", text.casefold())
    plain = "".join(letter for letter in marked if not unicodedata.combining(letter)).replace("ı", "i")
    return WORD_BREAKS.sub(" ", plain).strip()


def attribute(node: LexborNode, name: str) -> str:
    """Its value; empty when it is missing or has none."""
    return node.attributes.get(name) or ""


def is_url(url: str) -> bool:
    """Whether it is an http(s) address that can be taken apart."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def join(base: str, href: str) -> str:
    """`href` seen from `base`, without fragment; empty when that is no http(s) address."""
    try:
        url = urldefrag(urljoin(base, href.strip())).url
    except ValueError:
        return ""
    return url if len(url) <= MAX_URL and is_url(url) else ""


def social(url: str) -> str:
    """The address of an account on a social network, without its query; empty for anything else."""
    if not is_url(url):
        return ""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    steps = [step for step in parts.path.split("/") if step]
    known = any(host == network or host.endswith(f".{network}") for network in SOCIAL_HOSTS)
    if not known or not steps or steps[0].lower() in NOT_AN_ACCOUNT:
        return ""
    return f"https://{host}/{'/'.join(steps)}"
