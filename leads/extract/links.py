"""Which links of a page lead to where a company says how to reach it."""

from urllib.parse import unquote, urlsplit

from leads.extract.page import HtmlPage, fold

MAX_CONTACT_LINKS = 3

# Best first, without accents: pages for reaching somebody, pages the law asks for, pages about the company.
TIERS = (
    ("iletisim", "bize ulasin", "contact", "kapcsolat", "elerhetoseg", "kontakt"),
    ("impresszum", "impressum", "imprint", "kunye", "legal notice"),
    ("hakkimizda", "hakkinda", "kurumsal", "about", "rolunk", "bemutatkozas", "uber uns"),
)
NOT_A_PAGE = (".pdf", ".jpg", ".jpeg", ".png", ".zip", ".doc", ".docx", ".vcf")


def contact_links(html: str, url: str) -> list[str]:
    """At most three pages of the same site, best first."""
    page = HtmlPage(html, url)
    ranked: dict[str, float] = {}
    for href, label in page.links():
        target = page.absolute(href)
        rank = _rank(target, label)
        if rank is not None and _site(target) == _site(page.url) and target != page.absolute(""):
            ranked[target] = min(rank, ranked.get(target, rank))
    # The sort is stable: of equals the first on the page.
    return sorted(ranked, key=lambda target: ranked[target])[:MAX_CONTACT_LINKS]


def _rank(target: str, label: str) -> float | None:
    """0 is best; None when it is none of these. Being just the word beats having it somewhere (`Contact lenses`)."""
    path = urlsplit(target).path.rstrip("/")
    if not target or path.lower().endswith(NOT_A_PAGE):
        return None
    texts = (fold(label), fold(unquote(path.rpartition("/")[2]).removesuffix(".html").removesuffix(".php")))
    for tier, words in enumerate(TIERS):
        if any(text.replace(" us", "") == word for word in words for text in texts):
            return tier
        if any(word in text for word in words for text in texts):
            return tier + 0.5
    return None


def _site(url: str) -> tuple[str, int | None]:
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www."), parts.port
