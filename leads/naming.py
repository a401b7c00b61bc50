"""What a company calls itself on its front page. Pure."""

import re

from leads.extract import organisations
from leads.extract.page import HtmlPage, attribute, tidy
from leads.found import clean
from leads.identity import netloc

MAX_NAME = 200  # characters
SEPARATORS = re.compile(r"\s+[|–—•·-]\s+|\s*»\s*")


def company_name(html: str, url: str) -> str:
    """From structured data, else the site's name, else the first part of the title, else the host."""
    described = organisations(html, url)
    if described:
        return clean(described[0].name)
    page = HtmlPage(html, url)
    given = page.tree.css_first('meta[property="og:site_name"]')
    title = page.tree.css_first("title")
    names = (attribute(given, "content") if given else "", SEPARATORS.split(title.text())[0] if title else "")
    return next((name for name in map(_line, names) if name), netloc(url))


def _line(text: str) -> str:
    return clean(tidy(text).replace("\n", " "))[:MAX_NAME]
