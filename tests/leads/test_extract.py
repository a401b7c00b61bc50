"""What is read from a stranger's page, and what is not."""

import http.client
import json
import time
from urllib.parse import urlsplit

import pytest

from ajansops.demo.website import EXPECTED_LEADS, DemoDirectory
from leads.extract import Address, Geo, contact_links, contacts, organisations

URL = "https://atolye.example/tr/"


def body(html, lang="tr"):
    return f'<!doctype html><html lang="{lang}"><body>{html}</body></html>'


def ld(*blocks):
    return "".join(f'<script type="application/ld+json">{json.dumps(block)}</script>' for block in blocks)


# --- e-mails ------------------------------------------------------------------------------------

EMAILS = {
    "<a href='mailto:info@firma.example?subject=Hi'>write</a>": ["info@firma.example"],
    "<a href='MAILTO:a@firma.example,b%40firma.example'>write</a>": ["a@firma.example", "b@firma.example"],
    "<p>Mail: info@firma.example.</p>": ["info@firma.example"],
    "<p>satis [at] firma.example</p>": ["satis@firma.example"],
    "<p>info(kukac)ceg.hu</p>": ["info@ceg.hu"],
    "<p>bilgi (at) firma (nokta) com (dot) tr</p>": ["bilgi@firma.com.tr"],
    "<p>Info@Firma.example <b>INFO@firma.example</b></p>": ["info@firma.example"],
    "<table><tr><td>a@firma.example</td><td>b@firma.example</td></tr></table>": ["a@firma.example", "b@firma.example"],
    "<p>in<b>fo@fir</b>ma.example</p>": ["info@firma.example"],
    "<p>çağrı@çömlek.example</p>": ["çağrı@çömlek.example"],
    "<p>logo@2x.png, icon@firma.example.svg</p>": [],
    "<p>you@domain.com, adiniz@firma.example, someone@example.com</p>": [],
    "<p>info@firma, a..b@firma.example, @firma.example, info@@firma.example</p>": [],
    "<p>info@-firma.example, info@firma..example</p>": [],
    "<script>var a = 'hidden@firma.example'</script><style>/* b@firma.example */</style>": [],
    "<template>c@firma.example</template><!-- d@firma.example -->": [],
    "<a href='mailto:'>x</a><a href='mailto:?subject=a'>y</a>": [],
}


@pytest.mark.parametrize("html", EMAILS)
def test_emails_are_found_in_links_and_text_and_bad_ones_dropped(html):
    assert list(contacts(body(html), URL).emails) == EMAILS[html]


# --- phones -------------------------------------------------------------------------------------

PHONES = [
    ("tr", "<p>0212 555 01 23</p>", ["+902125550123"]),
    ("tr", "<p>+90 (212) 555 01 23</p>", ["+902125550123"]),
    ("tr", "<a href='tel:0212-555-01-23'>call</a> 0212 555 01 23", ["+902125550123"]),
    ("tr", "<a href='https://wa.me/905015550123?text=hi'>WhatsApp</a>", ["+905015550123"]),
    ("tr", "<p>0<b>212</b> 555 01 23</p>", ["+902125550123"]),
    ("tr", "<table><tr><td>0212 555 01 23</td><td>34000</td></tr></table>", ["+902125550123"]),
    ("tr", "<p>Tel: 0212 555 01 23<br>Faks: 0212 555 01 24</p>", ["+902125550123"]),
    ("tr", "<p>Tel/Faks: 0212 555 01 23</p>", ["+902125550123"]),
    ("tr", "<p>Vergi No: 0212 555 01 23</p>", []),
    ("tr", "<p>555 01, 0212 555, 12.05.2024, 1.240,00</p>", []),
    ("hu", "<p>06 1 555 0123</p>", ["+3615550123"]),
    ("hu", "<p>06-20/555-0123</p>", ["+36205550123"]),
    ("en-GB", "<p>020 7946 0123</p>", ["+442079460123"]),
    ("en", "<p>020 7946 0123</p>", []),
    ("en", "<p>+44 (0)20 7946 0123</p>", ["+442079460123"]),
    ("", "<a href='tel:+36 30 555 0123'>x</a><a href='tel:'>y</a><a href='tel:112'>z</a>", ["+36305550123"]),
]


@pytest.mark.parametrize(("lang", "html", "expected"), PHONES)
def test_phones_are_e164_and_valid(lang, html, expected):
    assert list(contacts(body(html, lang), URL).phones) == expected


@pytest.mark.parametrize(
    ("url", "lang", "region", "expected"),
    [
        ("https://firma.com.tr/", "en", None, "+902125550123"),
        ("https://firma.example/", "tr-TR", None, "+902125550123"),
        ("https://firma.example/", "en", "TR", "+902125550123"),
        ("https://firma.hu/", "hu", "TR", "+902125550123"),
        ("https://firma.io/", "tr", None, "+902125550123"),
    ],
)
def test_a_national_number_is_read_in_the_region_that_the_page_is_of(url, lang, region, expected):
    assert contacts(body("0212 555 01 23", lang), url, region).phones == (expected,)


def test_the_country_of_the_structured_data_is_the_region_before_the_language():
    shop = {"@type": "Store", "name": "A", "address": {"@type": "PostalAddress", "addressCountry": "Hungary"}}
    assert contacts(body(ld(shop) + "06 1 555 0123", "en-GB"), URL).phones == ("+3615550123",)


# --- the rest of a contact ----------------------------------------------------------------------


def test_accounts_are_kept_and_share_buttons_are_not():
    html = """<a href="http://www.Instagram.com/atolye/?hl=tr">i</a> <a href="https://hu.linkedin.com/company/x">l</a>
    <a href="https://www.facebook.com/sharer.php?u=1">s</a> <a href="https://twitter.com/intent/tweet?t=1">t</a>
    <a href="https://instagram.com/">home</a> <a href="https://notinstagram.com/x">n</a> <a href="http://[bad">b</a>"""
    assert contacts(body(html), URL).socials == ("https://instagram.com/atolye", "https://hu.linkedin.com/company/x")


def test_the_address_is_the_one_companys_or_the_address_element():
    shop = {"@type": "Store", "name": "A", "address": {"streetAddress": "Çini Sokak 4", "addressLocality": "Kütahya"}}
    other = {"@type": "Store", "name": "B"}
    element = "<address>Üveges köz 3.<br>Budapest</address>"
    assert contacts(body(ld(shop) + element), URL).address == "Çini Sokak 4, Kütahya"
    assert contacts(body(ld(shop, other) + element), URL).address == "Üveges köz 3. Budapest"
    assert contacts(body("nothing"), URL).address == ""


@pytest.mark.parametrize(("lang", "expected"), [("tr", "tr"), ("en-GB", "en"), ("HU_hu", "hu"), ("", "")])
def test_the_language_is_the_base_of_the_tag(lang, expected):
    assert contacts(body("", lang), URL).lang == expected


# --- organisations ------------------------------------------------------------------------------


def test_a_whole_organisation_is_read():
    block = {
        "@context": "https://schema.org",
        "@type": ["Thing", "https://schema.org/Bakery"],
        "name": " Fırın &amp;\n Pasta ",
        "url": "/",
        "email": ["mailto:Info@firma.example", "bad@"],
        "telephone": "0212 555 01 23",
        "contactPoint": {"@type": "ContactPoint", "telephone": "+90 216 555 01 23", "email": "b@firma.example"},
        "address": [{"streetAddress": "A 1", "postalCode": 34000, "addressCountry": {"name": "TÜRKİYE"}}],
        "geo": {"latitude": "41,01", "longitude": 28.97},
        "sameAs": ["https://www.instagram.com/firin", "https://tr.wikipedia.org/wiki/Firin", 3],
        "description": {"@value": "Ekmek"},
    }
    (found,) = organisations(body(ld(block), lang="en"), URL)
    assert (found.name, found.url, found.description) == ("Fırın & Pasta", "https://atolye.example/", "Ekmek")
    assert found.emails == ("info@firma.example", "b@firma.example")
    assert found.phones == ("+902125550123", "+902165550123")
    assert found.address == Address(street="A 1", postal_code="34000", country="TR")
    assert (found.geo, found.socials, found.external_id) == (Geo(41.01, 28.97), ("https://instagram.com/firin",), None)


WHERE = {
    "a list": [{"@type": "Store", "name": "A"}],
    "a graph": {
        "@graph": [{"@type": "WebSite", "publisher": {"@id": "#a"}}, {"@id": "#a", "@type": "Store", "name": "A"}]
    },
    "nested": {
        "@type": "ItemList",
        "itemListElement": [{"@type": "ListItem", "item": {"@type": "Store", "name": "A"}}],
    },
    "a publisher": {"@type": "WebPage", "publisher": {"@type": "Organization", "name": "A"}},
    "twice": [{"@type": "Store", "name": "A"}, {"@type": "Organization", "name": "a"}],
}


@pytest.mark.parametrize("place", WHERE)
def test_an_organisation_is_found_wherever_it_stands(place):
    assert [one.name.upper() for one in organisations(body(ld(WHERE[place])), URL)] == ["A"]


NOT_ONE = {
    "a person": {"@type": "Person", "name": "A"},
    "a service": {"@type": "TaxiService", "name": "A"},
    "no name": {"@type": "Store", "url": "/"},
    "no type": {"name": "A"},
    "a brand's maker": {"@type": "Product", "manufacturer": {"@type": "Organization", "name": "A"}},
    "a text": "Store",
    "a name that is an object": {"@type": "Store", "name": {"a": 1}},
    "a type that is an object": {"@type": {"@id": "Store"}, "name": "A"},
}


@pytest.mark.parametrize("what", NOT_ONE)
def test_what_is_no_organisation_of_the_page_is_left_out(what):
    assert organisations(body(ld(NOT_ONE[what])), URL) == []


def test_one_broken_script_does_not_spoil_the_others():
    html = '<script type="application/ld+json">{"@type": "Store", }</script>' + ld({"@type": "Store", "name": "A"})
    assert [one.name for one in organisations(body(html), URL)] == ["A"]


def test_an_address_by_reference_is_followed():
    graph = {
        "@graph": [
            {"@id": "#p", "addressLocality": "Szeged"},
            {"@type": "Store", "name": "A", "address": {"@id": "#p"}},
        ]
    }
    assert organisations(body(ld(graph)), URL)[0].address.locality == "Szeged"


@pytest.mark.parametrize(
    "geo", [{"latitude": 91, "longitude": 0}, {"latitude": "x"}, {"latitude": 1e999}, [], "1,2", None]
)
def test_a_place_that_is_none_is_none(geo):
    assert organisations(body(ld({"@type": "Store", "name": "A", "geo": geo})), URL)[0].geo is None


def test_microdata_is_read_with_its_nested_items():
    html = """<div itemscope itemtype="http://schema.org/Store"><h1 itemprop="name">Moss &amp; Oak</h1>
    <div itemprop="address" itemscope itemtype="http://schema.org/PostalAddress">
      <p><span itemprop="streetAddress">Unit 6</span> <meta itemprop="addressCountry" content="GB"></p></div>
    <a itemprop="email" href="mailto:a@firma.example">mail</a> <b itemprop="telephone">0161 496 0123</b>
    <a itemprop="url" href="/">home</a>
    <div itemprop="review" itemscope itemtype="http://schema.org/Review"><i itemprop="name">Bad</i></div>
    <div itemscope itemtype="http://schema.org/Person"><i itemprop="name">Jo</i></div></div>"""
    (found,) = organisations(body(html, "en"), URL)
    assert (found.name, found.url) == ("Moss & Oak", "https://atolye.example/")
    assert found.address == Address(street="Unit 6", country="GB")
    assert (found.emails, found.phones) == (("a@firma.example",), ("+441614960123",))


# --- contact links ------------------------------------------------------------------------------

LINKS = [
    ("<a href='/iletisim'>İletişim</a>", ["https://atolye.example/iletisim"]),
    ("<a href='k'>Kapcsolat</a>", ["https://atolye.example/tr/k"]),
    ("<base href='/x/'><a href='contact.html#map'>Find us</a>", ["https://atolye.example/x/contact.html"]),
    ("<a href='https://www.atolye.example/contact'>c</a>", ["https://www.atolye.example/contact"]),
    (
        (
            "<a href='/about'>About</a><a href='/impressum'>Impressum</a><a href='/contact-lenses'>L</a>"
            "<a href='/c'>Contact us</a>"
        ),
        ["https://atolye.example/c", "https://atolye.example/contact-lenses", "https://atolye.example/impressum"],
    ),
    ("<a href='https://other.example/contact'>Contact</a>", []),
    (
        (
            "<a href='#contact'>Contact</a><a href='mailto:a@b.example'>Contact</a>"
            "<a href='javascript:contact()'>Contact</a>"
        ),
        [],
    ),
    ("<a href='/contact.pdf'>Contact</a><a href='http://[::1'>Contact</a><a href>Contact</a>", []),
    ("<a href='/urunler'>Ürünler</a>", []),
    ("<a href='/contact'>a</a><a href='/contact#b'>b</a>", ["https://atolye.example/contact"]),
]


@pytest.mark.parametrize(("html", "expected"), LINKS)
def test_contact_links_are_of_the_same_site_and_best_first(html, expected):
    assert contact_links(body(html), URL) == expected


# --- hostile pages ------------------------------------------------------------------------------

DEEP = "[" * 100_000
HOSTILE = {
    "nothing": "",
    "binary": "\x00\xff\ud800<a href='\ud800'>",
    "deep tags": "<div>" * 200_000 + "a@firma.example",
    "deep lists": "<li>x<ul>" * 100_000,
    "deep and closed": "<div></x>" * 50_000 + "</div>" * 50_000,
    "deep inline": "<b>" * 200_000 + "a@firma.example",
    "deep json": f'<script type="application/ld+json">{DEEP}</script>',
    "a huge number": ld({"@type": "Store", "name": "A", "telephone": 10**4000})
    + f'<script type="application/ld+json">{"9" * 10_000}</script>',
    "digits": "1" * 1_000_000,
    "spaced digits": "0212 " * 200_000,
    "signs": "@" * 500_000 + "a" * 500_000,
    "dotted": "a@" + "b." * 300_000,
    "blanks": " " * 500_000 + "[" * 100 + " " * 400_000,
    "many links": "<a href='tel:+902125550123'>x</a>" * 30_000,
    "deep microdata": "<div itemscope itemtype='http://schema.org/Store' itemprop='a'>" * 10_000,
    "many items": "<div itemscope itemtype='http://schema.org/Store'>" * 15_000,
    "reserved names": "<div itemscope itemtype='http://schema.org/Store'><i itemprop='@type @id'>Store</i></div>",
    "broken urls": "<base href='http://['><a href='http://[::'>contact</a><a href='//x:99999/contact'>contact</a>",
    "self reference": ld({"@id": "#a", "@type": "Store", "name": "A", "address": {"@id": "#a"}}),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_page_never_raises_nor_takes_long(what):
    started = time.process_time()
    for read in (organisations, contacts, contact_links):
        read(HOSTILE[what], URL)
        read(HOSTILE[what], "http://[")
    assert time.process_time() - started < 5  # seconds


def test_what_is_kept_of_a_page_is_capped():
    mails = " ".join(f"a{number}@firma.example" for number in range(100))
    shop = {"@type": "Store", "name": "A" * 5_000, "description": "b" * 5_000}
    found = contacts(body(mails), URL)
    (kept,) = organisations(body(ld(shop)), URL)
    assert (len(found.emails), len(kept.name), len(kept.description)) == (20, 200, 1_000)


# --- the demo directory -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def directory():
    with DemoDirectory() as running:
        yield running.url


def fetch(url):
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def test_the_demo_directory_gives_exactly_the_expected_leads(directory):
    found = {}
    for company in organisations(fetch(f"{directory}/rehber"), f"{directory}/rehber"):
        home = fetch(company.url)
        region = company.address.country or None
        read = [contacts(home, company.url, region)]
        read += [contacts(fetch(link), link, region) for link in contact_links(home, company.url)]
        emails = {*company.emails, *(mail for one in read for mail in one.emails)}
        phones = {*company.phones, *(phone for one in read for phone in one.phones)}
        found[urlsplit(company.url).path.strip("/").rpartition("/")[2]] = (company.name, emails, phones)
    assert found == {slug: (lead.name, lead.emails, lead.phones) for slug, lead in EXPECTED_LEADS.items()}
