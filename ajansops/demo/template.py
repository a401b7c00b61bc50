"""Page files: header lines (`title: …`), an empty line, then the HTML of the page's <main>.

Headers: path, lang, title, description; canonical (default: the page itself); alternates (`tr=/ en=/en`); robots;
sitemap (`no` keeps it out); omit (names of what a healthy page has and this one lacks).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

PAGES = Path(__file__).parent / "pages"
LAYOUT = Template((PAGES / "layout.html").read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Page:
    """One file, read."""

    headers: Mapping[str, str]
    main: str

    @property
    def path(self) -> str:
        return self.headers["path"]

    @property
    def lang(self) -> str:
        return self.headers["lang"]


def load(folder: str) -> list[Page]:
    """The pages of `pages/<folder>`, in the order of their paths."""
    files = (PAGES / folder).glob("*.html")
    return sorted((_parse(file.read_text(encoding="utf-8")) for file in files), key=lambda page: page.path)


def _parse(source: str) -> Page:
    head, _, main = source.partition("\n\n")
    pairs = (line.partition(": ") for line in head.splitlines())
    return Page({name: value for name, _, value in pairs}, main)


def render(page: Page, *, nav: str = "") -> str:
    """The whole document; `{site}` in it is still to be replaced by the base URL."""
    omitted = page.headers.get("omit", "").split()
    return LAYOUT.substitute(
        attributes="" if "lang" in omitted else f' lang="{page.lang}"',
        head="\n".join(tag for name, tag in _head(page) if name not in omitted),
        nav=nav,
        main=page.main,
    )


def _head(page: Page) -> Iterator[tuple[str, str]]:
    headers = page.headers
    title, description = escape(headers["title"]), escape(headers["description"])
    yield "viewport", '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield "title", f"<title>{title}</title>"
    yield "description", f'<meta name="description" content="{description}">'
    yield "canonical", f'<link rel="canonical" href="{{site}}{headers.get("canonical", page.path)}">'
    for name, value in {"title": title, "description": description, "type": "website"}.items():
        yield "og", f'<meta property="og:{name}" content="{value}">'
    yield "og", f'<meta property="og:url" content="{{site}}{page.path}">'
    yield "og", '<meta property="og:image" content="{site}/pictures/lale-vazo.png">'
    if "robots" in headers:
        yield "robots", f'<meta name="robots" content="{headers["robots"]}">'
    for tag, _, path in (pair.partition("=") for pair in headers.get("alternates", "").split()):
        yield "alternates", f'<link rel="alternate" hreflang="{tag}" href="{{site}}{path}">'
