"""Addresses: one spelling, whose site, and which lead nowhere new."""

import pytest

from ajansops.kit.net import BadUrl
from sites.seo.urls import (
    MAX_QUERY_VARIANTS,
    MAX_SAME_CONTENT,
    admits,
    is_trap,
    normalise,
    path_key,
    repeats_content,
    same_site,
    site_key,
)

BASE = "https://example.com/shop/list?page=2"


@pytest.mark.parametrize(
    ("href", "expected"),
    [
        ("", BASE),
        ("#top", BASE),
        ("item", "https://example.com/shop/item"),
        ("../about", "https://example.com/about"),
        ("/a/./b/../c", "https://example.com/a/c"),
        ("https://example.com/a/../../b", "https://example.com/b"),
        ("/a/b/..", "https://example.com/a/"),
        ("/a/%2e%2e/b", "https://example.com/b"),
        ("/a//b", "https://example.com/a//b"),
        ("?page=3", "https://example.com/shop/list?page=3"),
        ("?b=2&a=1", "https://example.com/shop/list?b=2&a=1"),
        ("//cdn.example.com/x", "https://cdn.example.com/x"),
        ("HTTPS://EXAMPLE.com:443/Path?Q=A", "https://example.com/Path?Q=A"),
        ("http://example.com:80", "http://example.com/"),
        ("http://example.com:8080/", "http://example.com:8080/"),
        ("  /a\n/b  ", "https://example.com/a/b"),
        ("/my page", "https://example.com/my%20page"),
        ("/%7euser/%c3%a7", "https://example.com/~user/%C3%A7"),
        ("/çay?q=şeker", "https://example.com/%C3%A7ay?q=%C5%9Feker"),
        ("/100%", "https://example.com/100%25"),
        ("/%zz", "https://example.com/%25zz"),
        ("?next=/a/../b", "https://example.com/shop/list?next=/a/../b"),
        ("https://KÖFTE.com.tr/", "https://xn--kfte-5qa.com.tr/"),
        ("https://ışık.com.tr/", "https://xn--k-ekaa7p.com.tr/"),
        ("https://faß.de/", "https://xn--fa-hia.de/"),
        ("mailto:info@example.com", None),
        ("tel:+902121234567", None),
        ("javascript:void(0)", None),
        ("data:text/html,hi", None),
        ("ftp://example.com/", None),
        ("https://user:secret@example.com/", None),
        ("https://exa mple.com/", None),
        ("http://[::1", None),
        ("http://2130706433/", None),
        ("\\\\evil.example\\x", None),
    ],
)
def test_every_reference_has_one_spelling_or_none(href, expected):
    assert normalise(BASE, href) == expected


def test_a_dotless_i_and_a_dotted_i_are_two_hosts():
    assert normalise(BASE, "https://ışık.com.tr") != normalise(BASE, "https://işik.com.tr")


@pytest.mark.parametrize("href", ["/a/../b c?x=%e7#f", "https://ışık.com.tr/%7Eç", "/100%", "/a//./b/"])
def test_a_normalised_address_stays_as_it_is(href):
    once = normalise(BASE, href)
    assert once
    assert normalise(once, once) == once


def test_addresses_over_2000_characters_are_left_out():
    prefix = "https://example.com/"
    assert normalise(BASE, "/" + "a" * (2000 - len(prefix))) is not None
    assert normalise(BASE, "/" + "a" * (2001 - len(prefix))) is None
    assert normalise(BASE, "/" + "ş" * 1000) is None  # short only before encoding


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.shop.com.tr/a", "shop.com.tr"),
        ("http://shop.com.tr:8080/", "shop.com.tr"),
        ("https://a.b.co.uk/", "b.co.uk"),
        ("https://one.github.io/", "one.github.io"),
        ("https://www.ışık.com.tr/", "xn--k-ekaa7p.com.tr"),
        ("http://localhost:8000/", "localhost:8000"),
        ("http://127.0.0.1/", "127.0.0.1:80"),
        ("http://[::1]:8001/", "::1:8001"),
        ("https://intranet/", "intranet:443"),
    ],
)
def test_a_site_is_a_registrable_domain_or_a_host_with_its_port(url, key):
    assert site_key(url) == key


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("https://www.example.com/", "http://blog.example.com/x", True),
        ("https://example.com/", "https://example.org/", False),
        ("https://example.com/", "https://notexample.com/", False),
        ("https://one.github.io/", "https://two.github.io/", False),
        ("http://127.0.0.1:8000/a", "http://127.0.0.1:8000/b", True),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8001/", False),
        ("http://localhost/", "http://localhost:8080/", False),
    ],
)
def test_same_site(a, b, same):
    assert same_site(a, b) is same


def test_what_is_no_address_has_no_site():
    with pytest.raises(BadUrl):
        site_key("mailto:a@example.com")


@pytest.mark.parametrize(
    ("path", "trap"),
    [
        ("/a/a", False),
        ("/a/a/a", True),
        ("/x/a/b/a/b/a/b", True),
        ("/a/b/a/b", False),
        ("/" + "/".join("abcdefghijkl"), False),
        ("/" + "/".join("abcdefghijklm"), True),
        ("/blog/2024/05/12/new-roast", False),
        ("/events/spring-fair", False),
        ("/events/2031-04", True),
        ("/takvim/2031/04/", True),
        ("/calendar", False),
        ("/x?year=2031&month=4", True),
        ("/x?date=2031-04-01", True),
        ("/x?page=4&size=20", False),
    ],
)
def test_addresses_without_end_are_traps(path, trap):
    assert is_trap(f"https://example.com{path}") is trap


def test_a_path_admits_fifty_queries_and_always_itself():
    full = {path_key("https://example.com/list"): MAX_QUERY_VARIANTS}
    assert admits("https://example.com/list?a=1", {})
    assert admits("https://example.com/list?a=1", {"https://example.com/list": MAX_QUERY_VARIANTS - 1})
    assert not admits("https://example.com/list?a=51", full)
    assert admits("https://example.com/list", full)
    assert admits("https://example.com/other?a=1", full)


def test_the_same_text_twenty_times_is_a_trap_and_no_text_is_not():
    assert not repeats_content("hash", {"hash": MAX_SAME_CONTENT - 1})
    assert repeats_content("hash", {"hash": MAX_SAME_CONTENT})
    assert not repeats_content("", {"": MAX_SAME_CONTENT})
