"""What two finds have to share to be one company."""

import pytest

from leads.found import Found
from leads.identity import is_own_host, keys_of, website_key
from leads.naming import company_name

WEBSITES = [
    ("https://www.firma.com.tr/tr/iletisim?x=1", "", "firma.com.tr"),
    ("http://shop.firma.com.tr:8080/", "", "firma.com.tr"),
    ("https://ceg.hu", "rehber.com.tr", "ceg.hu"),
    ("https://www.facebook.com/Firma/", "", "facebook.com/firma"),
    ("https://tr-tr.facebook.com/firma", "", "facebook.com/firma"),
    ("https://facebook.com/profile.php?id=1", "", "facebook.com/profile.php?id=1"),
    ("https://www.facebook.com/", "", ""),
    ("https://firma.blogspot.com/2024", "", "firma.blogspot.com"),
    ("https://rehber.com.tr/firma/a/", "rehber.com.tr", "rehber.com.tr/firma/a"),
    ("https://a.rehber.com.tr/", "rehber.com.tr", "a.rehber.com.tr"),
    ("https://www.rehber.com.tr/", "rehber.com.tr", "rehber.com.tr"),
    ("http://127.0.0.1:4000/firma/a/", "127.0.0.1:4000", "127.0.0.1:4000/firma/a"),
    ("http://127.0.0.1:4001/", "", "127.0.0.1:4001"),
    ("http://localhost/a", "", "localhost/a"),
    ("http://[2001:4860::1]/a", "", "2001:4860::1/a"),
    ("https://www.atolye.example/a", "", "atolye.example"),
    ("", "rehber.com.tr", ""),
]


@pytest.mark.parametrize(("url", "listed_on", "key"), WEBSITES)
def test_a_website_names_its_company(url, listed_on, key):
    assert website_key(url, listed_on) == key


@pytest.mark.parametrize(
    ("url", "listed_on", "own"),
    [
        ("https://firma.com.tr/a", "rehber.com.tr", True),
        ("https://rehber.com.tr/a", "rehber.com.tr", False),
        ("https://facebook.com/a", "", False),
        ("https://facebook.com/profile.php?id=1", "", False),
        ("https://facebook.com/", "", False),
        ("http://127.0.0.1:4000/", "", True),
        ("http://127.0.0.1:4000/a", "", False),
    ],
)
def test_a_host_is_a_companys_own_or_not(url, listed_on, own):
    assert is_own_host(url, listed_on) is own


def test_keys_come_surest_first_and_weak_contacts_are_none():
    found = Found(
        company="A",
        website="https://firma.com.tr",
        emails=["İ@Firma.com.tr", "a@b.com"],
        phones=["+36301234567", "+36301234568"],
        external_id="x1",
        weak=["a@b.com", "+36301234568"],
    )
    assert keys_of(found, "csv") == [
        ("external", "csv:x1"),
        ("domain", "firma.com.tr"),
        ("email", "i̇@firma.com.tr"),
        ("phone", "+36301234567"),
    ]


def test_a_company_without_anything_else_goes_by_its_name_where_it_was_listed():
    found = Found(company="Fırın A", phones=["+36301234567"], weak=["+36301234567"], host="rehber.com.tr")
    assert keys_of(found, "website") == [("external", "website:rehber.com.tr/fırın a")]
    assert keys_of(Found(), "website") == []


def test_long_values_that_differ_at_the_end_stay_different():
    one, two = (Found(website=f"https://facebook.com/{'a' * 1900}{end}") for end in "bc")
    ((_, a),), ((_, b),) = keys_of(one, "csv"), keys_of(two, "csv")
    assert (len(a), len(b)) == (512, 512)
    assert a != b


@pytest.mark.parametrize(
    ("html", "name"),
    [
        ('<script type="application/ld+json">{"@type": "Store", "name": "Fırın"}</script><title>x</title>', "Fırın"),
        ('<meta property="og:site_name" content=" Fırın  A "><title>x</title>', "Fırın A"),
        ("<title>Fırın A | Ana sayfa</title>", "Fırın A"),
        ("<title>Semi-detached - Home</title>", "Semi-detached"),
        ("<title> </title>", "firma.com.tr"),
        ("", "firma.com.tr"),
    ],
)
def test_a_company_is_named_by_its_front_page(html, name):
    assert company_name(html, "https://www.firma.com.tr/") == name
