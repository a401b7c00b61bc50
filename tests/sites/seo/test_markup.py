"""Hostile pages stay cheap, others stay as they are."""

import resource
import time

import pytest
from selectolax.lexbor import LexborHTMLParser

from sites.seo.markup import MAX_ATTRIBUTES, MAX_TAGS, tame
from tests.sites.seo.pages import page

SECONDS = 10  # the worst takes about 1.5 on the slow machine these were written on; without `tame`, minutes
MEGABYTES = 500  # beyond what the process had before


def numbered(pattern, count):
    return "".join(pattern % number for number in range(count))


BOMBS = {
    "nested tags": lambda: "<div>" * 100_000,
    "nested lists": lambda: "<ul><li>" * 50_000,
    "5 MB of attributes": lambda: "<p " + numbered("a%d ", 600_000) + ">",
    "attributes that look like ends of tags": lambda: "<p " + numbered('="  a%d=">" ', 300_000) + ">",
    "one attribute of 5 MB": lambda: f'<img alt="{"x" * 5_000_000}">',
    "attributes on the root over and over": lambda: numbered("<html a%d=1 b=2>", 100_000),
    "formatting that every paragraph repeats": lambda: numbered("<p><b id=%d></p>", 100_000),
    "links in links": lambda: numbered("<a href=/%d><div>", 100_000),
    "headings in headings": lambda: "<h1>x<div>" * 50_000,
    "wrong end tags": lambda: "<span>" * 10_000 + "</div>" * 90_000,
    "a tag hidden in a textarea": lambda: '<textarea><p x="</textarea><p ' + numbered('a%d=">" ', 300_000),
    "open quotes": lambda: "<p a='" * 800_000,
    "bare less-than signs": lambda: "<" * 5_000_000,
    "open comments": lambda: "<!--" * 1_000_000,
    "open scripts": lambda: "<script>" * 500_000,
    "nested drawings": lambda: "<svg>" * 500_000,
    "nested JSON": lambda: '<script type="application/ld+json">' + "[" * 4_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_pages_take_bounded_time_and_memory(name):
    html, before, started = BOMBS[name](), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    page(f"<title>t</title>{html}")
    assert time.process_time() - started < SECONDS
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MEGABYTES * 1024


@pytest.mark.parametrize(
    ("html", "tamed"),
    [
        ('<p class="a > b" id=x>1 &lt; 2</p>', '<p  class="a > b" id=x>1 &lt; 2</p>'),
        ("<a href=/>x</a>", "<a  href=/>x</a>"),
        ("1 < 2 <", "1 &lt; 2 &lt;"),
        ("a<!-- <p> -->b<!>c", "abc"),
        ("<B>x</B>", "<span >x</span>"),
        ("<title>a <b> c</title>", "<title >a &lt;b> c</title>"),
        ("<script>if (a<b) {}</script>x", "<script ></script>x"),
        ("<svg/><svg><path/></svg>x", "x"),
        ("<style>p > a {}", "<style ></style>"),
        ("<html lang=en><body><html lang=tr>", "<html  lang=en><body >"),
    ],
)
def test_what_the_parser_gets(html, tamed):
    assert tame(html) == (tamed, False)


@pytest.mark.parametrize(
    "html",
    [
        '<p a=b"c=">x<i>y</i>',
        '<p a=="x>y" b>z',
        '<p =" a=">" b>x',
        "<div/class=x>y",
        '<a href="x"title="y>z">w</a>',
        "<p a= >x</p><p a=\n'>'>y</p>",
        "<table><tr><td>1<td>2</table>",
    ],
)
def test_odd_tags_end_where_the_parser_ends_them(html):
    def shape(text):
        nodes = LexborHTMLParser(text).body.css("*")
        return [("span" if node.tag == "i" else node.tag, node.attributes) for node in nodes]

    assert shape(tame(html)[0]) == shape(html)


def test_tags_past_the_limit_are_cut_off_and_that_is_said():
    assert tame("<p>" * MAX_TAGS) == ("<p >" * MAX_TAGS, False)
    assert tame("<p>" * (MAX_TAGS + 1)) == ("<p >" * MAX_TAGS, True)
    assert page("<br>" * (MAX_TAGS + 1)).truncated


def test_a_tag_keeps_its_first_attributes():
    node = LexborHTMLParser(tame("<p " + numbered("a%d=1 ", 1000) + ">")[0]).css_first("p")
    assert list(node.attributes) == [f"a{number}" for number in range(MAX_ATTRIBUTES)]
