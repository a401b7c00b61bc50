"""Two websites on loopback: an agency's client with planted faults, and a business directory with its companies."""

from dataclasses import dataclass
from functools import partial

from ajansops.demo import pictures, template
from ajansops.demo.server import Answer, LoopbackServer, Reply, Tree, redirect, text

PLAIN = "text/plain; charset=utf-8"

# What is wrong, and where. A fault of the whole site stands under "/"; one of a link under the page that has the link;
# a duplicate under both pages. `/eski-koleksiyon` is the dead page in the sitemap.
FAULTS: dict[str, tuple[str, ...]] = {
    "/": ("https_missing", "security_headers_missing", "sitemap_dead_page"),
    "/hakkimizda": ("description_missing", "canonical_missing"),
    "/urunler": ("missing_alt",),
    "/urunler/kupa": ("title_duplicate",),
    "/urunler/vazo": ("title_duplicate",),
    "/dersler": ("h1_missing", "broken_link"),
    "/blog/sir-nedir": ("canonical_elsewhere", "redirect_chain"),
    "/iletisim": ("noindex", "structured_data_invalid"),
    "/en": (),
    "/en/about": ("title_too_long", "description_too_long"),
    "/en/shipping": ("description_too_short", "h1_multiple"),
    "/en/care": ("description_duplicate",),
    "/en/gift-cards": ("description_duplicate",),
    "/en/journal/glazes": ("duplicate_content",),
    "/en/journal/glaze-notes": ("duplicate_content",),
    "/hu": (),
    "/hu/rolunk": ("title_too_short", "hreflang_invalid"),
    "/hu/szallitas": ("viewport_missing", "mixed_content"),
    "/hu/gyik": ("lang_missing", "open_graph_missing", "canonical_broken"),
    "/hu/akcio": ("title_missing", "thin_content", "orphan_page"),
}
DEAD_PAGE = "/eski-koleksiyon"

# No Content-Security-Policy, no X-Frame-Options: `security_headers_missing`.
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin-when-cross-origin"}


@dataclass(frozen=True, slots=True)
class ExpectedLead:
    """What is left of a company when its card, home and contact page are read and the bad data is dropped."""

    name: str
    emails: frozenset[str]
    phones: frozenset[str]  # E.164


def _lead(name: str, emails: str, phones: str) -> ExpectedLead:
    return ExpectedLead(name, frozenset(emails.split()), frozenset(phones.split()))


# By the slug in `/firma/<slug>/`. Numbers are from ranges kept for fiction where the country has one (GB), else 555.
EXPECTED_LEADS: dict[str, ExpectedLead] = {
    "toprak-seramik": _lead(
        "Toprak Seramik Atölyesi",
        "info@toprak-seramik.example satis@toprak-seramik.example",
        "+902745550110 +905015550111",
    ),
    "mavi-dokuma": _lead("Mavi Dokuma", "bilgi@mavi-dokuma.example", "+902585550120 +905015550121"),
    "bogaz-bakir": _lead(
        "Boğaz Bakır", "merhaba@bogaz-bakir.example atolye@bogaz-bakir.example", "+902125550130 +902165550131"
    ),
    "ege-sabun": _lead("Ege Sabun Evi", "info@ege-sabun.example", "+902325550140"),
    "tisza-kosar": _lead(
        "Tisza Kosárfonó", "info@tisza-kosar.example rendeles@tisza-kosar.example", "+3662555150 +36205550151"
    ),
    "buda-uveg": _lead("Buda Üvegműhely", "iroda@buda-uveg.example", "+3615550160 +36305550161"),
    "harbour-candles": _lead(
        "Harbour Candles", "hello@harbour-candles.example trade@harbour-candles.example", "+442079460170 +442079460171"
    ),
    "moss-and-oak": _lead("Moss & Oak Joinery", "workshop@moss-and-oak.example", "+441614960180"),
}


class DemoSite(LoopbackServer):
    """Lale Atölye, a pottery in three languages: mostly healthy, with the faults of `FAULTS`. Has the pictures too."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(client_tree(), host, port, headers=HEADERS)


class DemoDirectory(LoopbackServer):
    """A Turkish business directory at `/rehber`, and the website of each company below `/firma/<slug>/`."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(directory_tree(), host, port, headers=HEADERS)


def client_tree() -> Tree:
    """The client's website by path."""
    pages = template.load("client")
    navigation = {lang: _navigation(lang) for lang in ("tr", "en", "hu")}
    listed = [page.path for page in pages if page.headers.get("sitemap") != "no"]
    return {
        **{page.path: text(template.render(page, nav=navigation[page.lang])) for page in pages},
        "/katalog": redirect("/katalog-2024"),
        "/katalog-2024": redirect("/katalog-2025"),
        "/katalog-2025": redirect("/urunler"),
        "/robots.txt": text("User-agent: *\nDisallow: /sepet\n\nSitemap: {site}/sitemap.xml\n", PLAIN),
        "/sitemap.xml": _sitemap([*listed, DEAD_PAGE]),
        **_pictures(),
    }


def directory_tree() -> Tree:
    """The directory and its companies by path."""
    pages = template.load("directory")
    return {
        **{page.path: text(template.render(page)) for page in pages},
        "/": redirect("/rehber", 302),
        "/robots.txt": text("User-agent: *\nAllow: /\n\nSitemap: {site}/sitemap.xml\n", PLAIN),
        "/sitemap.xml": _sitemap([page.path for page in pages]),
        **_pictures(),
    }


def _navigation(lang: str) -> str:
    return (template.PAGES / f"nav.{lang}.html").read_text(encoding="utf-8")


def _sitemap(paths: list[str]) -> Answer:
    urls = "".join(f"<url><loc>{{site}}{path}</loc></url>\n" for path in paths)
    xml = '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return text(f"{xml}{urls}</urlset>\n", "application/xml")


def _picture(name: str, _site: str) -> Reply:
    return Reply(pictures.render(name), "image/png")


def _pictures() -> dict[str, Answer]:
    return {f"/pictures/{name}.png": partial(_picture, name) for name in pictures.names()}
