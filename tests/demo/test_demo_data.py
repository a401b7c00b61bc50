"""The demo's data is what it says it is: each planted fault is there, and nothing else is wrong."""

import csv
import http.client
import json
import re
from collections import Counter
from io import BytesIO, StringIO
from urllib.parse import urljoin, urlsplit

import pytest
from PIL import Image
from protego import Protego
from selectolax.lexbor import LexborHTMLParser

from ajansops.demo import pictures
from ajansops.demo.catalogue import catalogue
from ajansops.demo.website import DEAD_PAGE, EXPECTED_LEADS, FAULTS, DemoDirectory, DemoSite

COLOURS = {
    "black": (0, 0, 0),
    "blue": (30, 70, 200),
    "brown": (130, 80, 40),
    "green": (30, 140, 60),
    "grey": (128, 128, 128),
    "orange": (255, 130, 0),
    "pink": (255, 140, 180),
    "purple": (120, 40, 150),
    "red": (200, 20, 30),
    "turquoise": (60, 205, 200),
    "white": (255, 255, 255),
    "yellow": (250, 210, 30),
}
HREFLANG = re.compile(r"[a-z]{2}(-[A-Z]{2})?|x-default")


@pytest.fixture(scope="module")
def site():
    with DemoSite() as running:
        yield running.url


@pytest.fixture(scope="module")
def directory():
    with DemoDirectory() as running:
        yield running.url


def fetch(url, **headers):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def sitemap(site):
    return re.findall(r"<loc>(.*?)</loc>", fetch(f"{site}/sitemap.xml")[2].decode())


@pytest.fixture(scope="module")
def trees(site):
    return {path: LexborHTMLParser(fetch(site + path)[2]) for path in FAULTS}


# --- the catalogue ------------------------------------------------------------------------------


def rows():
    return list(csv.DictReader(StringIO(catalogue("http://127.0.0.1:9"))))


def products():
    return [row for row in rows() if row["Title"]]


def test_the_catalogue_has_twelve_products_and_one_row_that_cannot_be_one():
    first = {row["Handle"]: row for row in reversed(rows())}
    assert (len(products()), [handle for handle, row in first.items() if not row["Title"]]) == (12, ["untitled-sample"])
    assert 15 <= len(rows()) <= 20


def test_each_row_has_its_own_sku_and_a_price():
    skus = Counter(row["Variant SKU"] for row in rows())
    assert "" not in skus
    assert set(skus.values()) == {1}
    assert all(float(row["Variant Price"]) > 0 for row in rows())


def test_each_product_has_a_picture_at_the_site_it_was_asked_for():
    assert {row["Image Src"] for row in products()} == {
        f"http://127.0.0.1:9/pictures/{name}.png" for name in pictures.names()
    }
    assert "{site}" not in catalogue("http://127.0.0.1:9")


# --- the pictures -------------------------------------------------------------------------------


def nearest_colour(pixel):
    return min(COLOURS, key=lambda name: sum((a - b) ** 2 for a, b in zip(COLOURS[name], pixel, strict=True)))


@pytest.mark.parametrize("name", pictures.names())
def test_the_picture_has_mostly_the_colour_that_the_text_says(name):
    image = Image.open(BytesIO(pictures.render(name)))
    by_colour = Counter()
    for count, pixel in image.getcolors(image.width * image.height):
        by_colour[nearest_colour(pixel)] += count
    del by_colour["white"]  # the backdrop
    product = next(row for row in products() if row["Handle"] == name)
    colour = by_colour.most_common(1)[0][0]
    assert colour in product["Title"].lower().split()
    assert colour in product["Tags"].split(", ")


def test_the_pictures_lie_stand_and_are_square():
    sizes = [Image.open(BytesIO(pictures.render(name))).size for name in pictures.names()]
    assert {(width > height) - (width < height) for width, height in sizes} == {-1, 0, 1}


def test_an_unknown_picture_is_a_key_error():
    with pytest.raises(KeyError):
        pictures.render("nothing")


# --- the client's website -----------------------------------------------------------------------


@pytest.mark.parametrize("path", FAULTS)
def test_each_page_of_the_manifest_answers(site, path):
    status, headers, _ = fetch(site + path)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_the_sitemap_has_the_manifest_and_one_dead_page(site):
    assert sorted(sitemap(site)) == sorted(site + path for path in [*FAULTS, DEAD_PAGE])
    assert fetch(site + DEAD_PAGE)[0] == 404


def test_robots_disallow_the_basket_only(site):
    robots = Protego.parse(fetch(f"{site}/robots.txt")[2].decode())
    assert [path for path in [*FAULTS, "/sepet"] if not robots.can_fetch(site + path, "AjansOps")] == ["/sepet"]
    assert list(robots.sitemaps) == [f"{site}/sitemap.xml"]


def test_a_page_calls_itself_by_the_name_it_was_called_by(site):
    body = fetch(f"{site}/en", Host="localhost:1234")[2].decode()
    assert 'href="http://localhost:1234/en"' in body


def test_a_host_that_is_no_host_stays_out_of_the_page(site):
    body = fetch(f"{site}/en", Host='"><script>')[2].decode()
    assert '"><script>' not in body
    assert f'href="{site}/en"' in body


def one(tree, selector, name):
    node = tree.css_first(selector)
    return (node.attributes.get(name) or "") if node else ""


def words(tree):
    main = tree.css_first("main")
    return len(re.findall(r"\w+", main.text(separator=" ")))


def own(codes, trees, text):
    """The manifest's pages whose `text` another page has too."""
    seen = Counter(filter(None, map(text, trees.values())))
    return {path for path, tree in trees.items() if seen[text(tree)] > 1}


def title(tree):
    node = tree.css_first("title")
    return node.text() if node else ""


def description(tree):
    return one(tree, 'meta[name="description"]', "content")


def broken_json(tree):
    for script in tree.css('script[type="application/ld+json"]'):
        try:
            json.loads(script.text())
        except ValueError:
            return True
    return False


def canonical_path(tree):
    return urlsplit(one(tree, 'link[rel="canonical"]', "href")).path


def internal(tree, site, path):
    links = [urljoin(site + path, node.attributes["href"]) for node in tree.css("a[href]")]
    return [link for link in links if link.startswith(site)]


def hops(url):
    status, headers, _ = fetch(url)
    return 1 + hops(headers["Location"]) if status in (301, 302) else 0


PAGE_CHECKS = {
    "title_missing": lambda tree: not title(tree),
    "title_too_long": lambda tree: len(title(tree)) > 60,
    "title_too_short": lambda tree: 0 < len(title(tree)) < 30,
    "description_missing": lambda tree: not description(tree),
    "description_too_long": lambda tree: len(description(tree)) > 160,
    "description_too_short": lambda tree: 0 < len(description(tree)) < 70,
    "h1_missing": lambda tree: not tree.css("h1"),
    "h1_multiple": lambda tree: len(tree.css("h1")) > 1,
    "missing_alt": lambda tree: any("alt" not in node.attributes for node in tree.css("img")),
    "canonical_missing": lambda tree: not canonical_path(tree),
    "noindex": lambda tree: "noindex" in one(tree, 'meta[name="robots"]', "content"),
    "lang_missing": lambda tree: not one(tree, "html", "lang"),
    "viewport_missing": lambda tree: not tree.css('meta[name="viewport"]'),
    "open_graph_missing": lambda tree: not tree.css('meta[property^="og:"]'),
    "thin_content": lambda tree: words(tree) <= 150,
    "structured_data_invalid": broken_json,
    "hreflang_invalid": lambda tree: any(
        not HREFLANG.fullmatch(node.attributes["hreflang"]) for node in tree.css("link[hreflang]")
    ),
    "mixed_content": lambda tree: any(node.attributes["src"].startswith("http://") for node in tree.css("[src]")),
}


def planted(code):
    return {path for path, codes in FAULTS.items() if code in codes}


@pytest.mark.parametrize("code", PAGE_CHECKS)
def test_the_fault_is_where_the_manifest_says_and_nowhere_else(trees, code):
    assert {path for path, tree in trees.items() if PAGE_CHECKS[code](tree)} == planted(code)
    assert planted(code)


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("title_duplicate", title),
        ("description_duplicate", description),
        ("duplicate_content", lambda tree: tree.css_first("main").text()),
    ],
)
def test_the_twins_are_where_the_manifest_says(trees, code, text):
    assert own(FAULTS, trees, text) == planted(code)
    assert len(planted(code)) == 2


def test_a_canonical_leads_to_the_page_itself_unless_planted(site, trees):
    elsewhere = {path: canonical_path(tree) for path, tree in trees.items() if canonical_path(tree) not in ("", path)}
    answers = {path: fetch(site + target)[0] for path, target in elsewhere.items()}
    assert {path for path, status in answers.items() if status == 200} == planted("canonical_elsewhere")
    assert {path for path, status in answers.items() if status == 404} == planted("canonical_broken")


def test_links_work_but_for_the_planted_ones(site, trees):
    broken, chained, linked = set(), set(), set()
    for path, tree in trees.items():
        for link in internal(tree, site, path):
            linked.add(urlsplit(link).path)
            broken |= {path} if fetch(link)[0] == 404 else set()
            chained |= {path} if hops(link) > 1 else set()
    assert broken == planted("broken_link")
    assert chained == planted("redirect_chain")
    assert set(FAULTS) - linked == planted("orphan_page")


def test_the_alternates_of_the_home_pages_point_at_each_other(site, trees):
    def alternates(path):
        return {node.attributes["hreflang"]: node.attributes["href"] for node in trees[path].css("link[hreflang]")}

    homes = {"tr": f"{site}/", "en": f"{site}/en", "hu": f"{site}/hu", "x-default": f"{site}/"}
    assert [alternates(path) for path in ("/", "/en", "/hu")] == [homes] * 3


def test_some_security_headers_are_missing(site):
    headers = fetch(f"{site}/")[1]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert (headers["Content-Security-Policy"], headers["X-Frame-Options"]) == (None, None)


def loaded(tree):
    """What a browser fetches by itself."""
    for node in tree.css(
        "[src], [srcset], link[rel='stylesheet'], link[rel='icon'], link[rel='preload'], object[data]"
    ):
        yield from (
            node.attributes.get(name) for name in ("src", "srcset", "href", "data") if node.attributes.get(name)
        )
    for style in tree.css("style"):
        yield from re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", style.text())


def test_nothing_is_loaded_from_another_host_but_the_mixed_content(site, directory):
    foreign = set()
    for url in sitemap(site) + sitemap(directory):
        base = site if url.startswith(site) else directory
        addresses = [urljoin(url, address) for address in loaded(LexborHTMLParser(fetch(url)[2]))]
        foreign |= {urlsplit(url).path for address in addresses if not address.startswith(base)}
        assert all(fetch(address)[0] == 200 for address in addresses if address.startswith(base))
    assert foreign == planted("mixed_content")


# --- the directory ------------------------------------------------------------------------------


def test_every_page_of_the_directory_answers_and_all_of_it_may_be_read(directory):
    robots = Protego.parse(fetch(f"{directory}/robots.txt")[2].decode())
    pages = sitemap(directory)
    assert all(fetch(page)[0] == 200 and robots.can_fetch(page, "AjansOps") for page in pages)
    assert {f"{directory}/firma/{slug}/" for slug in EXPECTED_LEADS} < set(pages)


def test_the_directory_has_only_valid_structured_data(directory):
    tree = LexborHTMLParser(fetch(f"{directory}/rehber")[2])
    assert len(tree.css('script[type="application/ld+json"]')) == len(EXPECTED_LEADS)
    assert not broken_json(tree)


def test_a_stopped_site_frees_its_port():
    running = DemoSite().start()
    port = urlsplit(running.url).port
    running.stop()
    with DemoSite(port=port) as again:
        assert fetch(again.url + "/en")[0] == 200


def test_a_site_that_never_started_can_be_stopped():
    DemoSite().stop()
