"""What is read off a page."""

import json

import pytest

from ajansops.kit.net import Hop
from sites.seo.facts import MAX_CHARS, MAX_IMAGES, MAX_LINKS, Hreflang, JsonLd, Link, PageFacts, Reference
from tests.sites.seo.pages import GOOD, HTML, SAFE_HEADERS, URL, page

HTML_TYPE = {"content-type": "text/html"}


def test_it_works():
    facts = page()
    assert facts.titles == ("Single origin coffee, roasted on Fridays",)
    assert facts.h1s == ("Coffee",)
    assert facts.lang == "en"
    assert facts.canonicals == (Reference("/coffee", URL),)
    assert facts.word_count == 251
    assert facts.has_content
    assert facts.indexable
    assert not facts.truncated


RICH = f"""{HTML}<head><base href="/shop/"><title>One</title><title>Two</title>
<link rel="alternate" hreflang="tr" href="https://example.com/tr"><link rel=alternate hreflang=hu href="mailto:x">
<script type="application/ld+json">{{"@graph": [{{"@type": ["Product", "Thing"]}}, {{"@type": "Offer"}}]}}</script>
<script type="application/ld+json">{{"@type": </script><script src="http://cdn.example.com/x.js"></script></head>
<body><nav><a href="a#x">First <b>link</b></a><a href=a>again</a></nav><a rel="ugc NoFollow" href=/b>B</a>
<a href="tel:1">T</a><img src=1.png><img src=2.png alt><img src=3.png alt=" A  cup "><img src=4.png role=presentation>
<img id=logo class="wide old" src="data:image/png;base64,AAAA"><svg><title>Icon</title></svg>
<noscript><img src=pixel.gif></noscript><main>Hello <i>world</i><script>var x = "<h1>no</h1>"</script></main></body>"""


@pytest.mark.parametrize(
    "facts",
    [
        page(),
        page(RICH, hops=[Hop("http://example.com/", 301)]),
        page(b"%PDF", headers={"content-type": "application/pdf"}),
        page("", status=404),
    ],
)
def test_facts_survive_json(facts):
    assert PageFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_lists_of_a_page():
    facts = page(RICH)
    assert facts.titles == ("One", "Two")
    assert facts.links == (
        Link("https://example.com/shop/a", False, "First link"),
        Link("https://example.com/b", True, "B"),
    )
    assert facts.hreflangs == (
        Hreflang("tr", "https://example.com/tr", "https://example.com/tr"),
        Hreflang("hu", "mailto:x", None),
    )
    assert facts.json_ld[0] == JsonLd(("Product", "Thing", "Offer"), "")
    assert facts.json_ld[1].error
    assert facts.mixed_content == ("http://cdn.example.com/x.js",)
    assert facts.word_count == 2


def test_an_image_has_a_text_an_empty_one_or_none():
    images = {image.src: image for image in page(RICH).images}
    assert {src: image.alt for src, image in images.items()} == {
        "1.png": None,
        "2.png": "",
        "3.png": "A cup",
        "4.png": "",
        "data:image/png;base64,AAAA": None,
    }
    assert images["data:image/png;base64,AAAA"].element == "img#logo.wide.old"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("İstanbul'da ışık, çığ, şöğü", "text/html; charset=windows-1254"),
        ("İstanbul'da ışık, çığ, şöğü", "text/html; charset=ISO-8859-9"),
        ("Árvíztűrő tükörfúrógép", "text/html; charset=iso-8859-2"),
        ("Árvíztűrő tükörfúrógép", 'text/html;charset="windows-1250"'),
        ("İstanbul", "text/html; charset=utf-8"),
    ],
)
def test_the_header_names_the_charset(text, headers):
    charset = headers.partition("charset=")[2].strip('"')
    body = f"<meta charset=koi8-r><title>{text}</title>".encode(charset)
    assert page(body, headers={"content-type": headers}).titles == (text,)


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ('<meta charset="windows-1254"><title>ışık</title>'.encode("cp1254"), "ışık"),
        ('<meta http-equiv=x content="text/html; charset=iso-8859-9"><title>ışık</title>'.encode("cp1254"), "ışık"),
        ("\ufeff<meta charset=windows-1254><title>ışık</title>".encode(), "ışık"),
        ("\ufeff<title>ışık</title>".encode("utf-16-le"), "ışık"),
        ("<meta charset=utf-16><title>ışık</title>".encode(), "ışık"),
        ("<title>ışık</title>".encode(), "ışık"),
        ("<meta charset=iso-8859-1><title>“quoted”</title>".encode("cp1252"), "“quoted”"),
        (b"<title>\xfd\xfek</title>", "\ufffd\ufffdk"),
    ],
)
def test_without_a_header_the_mark_then_the_page_then_utf_8(body, title):
    assert page(body, headers=HTML_TYPE).titles == (title,)


@pytest.mark.parametrize(
    "charset", ["punycode", "zlib", "idna", "rot13", "no-such", "unicode_escape", "utf-7", "\ud800"]
)
def test_what_is_no_charset_of_pages_is_read_as_utf_8(charset):
    assert page("<title>ışık</title>", headers={"content-type": f"text/html; charset={charset}"}).titles == ("ışık",)


@pytest.mark.parametrize(
    ("header", "meta", "noindex"),
    [
        ("", "", False),
        ("noindex", "", True),
        ("NOINDEX, nofollow", "", True),
        ("otherbot: noindex", "", False),
        ("otherbot: noindex, googlebot: noindex", "", True),
        ("unavailable_after: 25 Jun 2030, noindex", "", True),
        ("", "none", True),
        ("", "index, NoIndex", True),
        ("", "max-snippet:20", False),
    ],
)
def test_noindex_is_read_from_the_header_and_the_page(header, meta, noindex):
    headers = {**HTML_TYPE, "x-robots-tag": header}
    assert page(f'<meta name="Robots" content="{meta}">', headers=headers).noindex is noindex


def test_what_is_kept_is_bounded():
    many = "".join(f"<a href=/{n}>{'x' * 999}</a><img src={n} alt='{'y' * 999}'>" for n in range(900))
    facts = page(f"<title>{'t' * 9999}</title>{many}<img src=bare>")
    assert (len(facts.links), facts.links_total) == (MAX_LINKS, 900)
    assert (len(facts.images), facts.images_total) == (MAX_IMAGES, 901)
    assert facts.images[0].src == "bare"  # what a check needs is what is kept
    assert len(facts.titles[0]) == MAX_CHARS
    assert len(json.dumps(facts.to_json())) < 500_000


def test_nothing_is_kept_that_postgresql_cannot_store():
    stored = json.dumps(
        page('<title>a\0b&#0;</title><script type="application/ld+json">{"@type": "\\ud800"}</script>').to_json()
    )
    assert "\\u0000" not in stored
    assert "\\ud800" not in stored


def test_the_text_hash_sees_the_text_and_not_what_is_around_it():
    def text_hash(body):
        return page(f"<title>{body}</title><nav>{len(body)}</nav><body>{body}</body>").text_hash

    assert text_hash("<p>Good  coffee</p>") == text_hash("<div>good</div> <b>COFFEE</b><script>1</script>")
    assert text_hash("<p>Good coffee</p>") != text_hash("<p>Good tea</p>")
    assert text_hash("") == ""


def test_only_html_is_read():
    facts = page(GOOD, headers={"content-type": "text/plain"})
    assert (facts.titles, facts.has_content, facts.html_bytes) == ((), False, len(GOOD))


def test_framing_rules_in_the_policy_count_as_frame_options():
    assert "x-frame-options" in page().security_headers
    assert (
        "x-frame-options"
        not in page(headers={**SAFE_HEADERS, "content-security-policy": "default-src *"}).security_headers
    )


def test_a_json_block_may_hold_markup():
    facts = page(
        '<script type="application/ld+json">{"@type": "Thing", "html": "<b>bold</b> <!-- x"}</script><h1>A</h1>'
    )
    assert facts.json_ld == (JsonLd(("Thing",), ""),)
    assert facts.h1s == ("A",)


@pytest.mark.parametrize(
    ("url", "policy", "expected"),
    [
        ("https://example.com/", "", ("http://example.com/a.png", "http://cdn.example.net/b.js")),
        ("http://example.com/", "", ("http://cdn.example.net/b.js",)),
        ("http://example.com", "", ("http://cdn.example.net/b.js",)),
        ("https://example.com/", "upgrade-insecure-requests", ()),
    ],
)
def test_things_loaded_over_http_are_mixed_content(url, policy, expected):
    html = "<img src=/own.png><img src=HTTP://example.com/a.png><script src=http://cdn.example.net/b.js></script>"
    html += "<link rel=stylesheet href=https://cdn.example.net/c.css><a href=http://example.net>link</a>"
    assert page(html, url=url, headers={**HTML_TYPE, "content-security-policy": policy}).mixed_content == expected
