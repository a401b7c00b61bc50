"""Sitemaps, and what pretends to be one."""

import gzip

import pytest

from sites.seo.sitemap import MAX_BYTES, MAX_URLS, Sitemap, parse

NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
ONE = f"<urlset {NS}><url><loc> https://example.com/a&amp;b </loc><lastmod>2026-01-01</lastmod></url></urlset>"
FOUND = Sitemap(urls=("https://example.com/a&b",))


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ONE.encode(), FOUND),
        (gzip.compress(ONE.encode()), FOUND),
        (ONE.replace(NS, "").encode(), FOUND),
        (
            b'<?xml version="1.0" encoding="windows-1254"?>' + ONE.replace("a&amp;b", "ş").encode("cp1254"),
            Sitemap(urls=("https://example.com/%C5%9F",)),
        ),
        (ONE.replace("</urlset>", "<url><loc>https://example.com/a&amp;b#x</loc></url></urlset>").encode(), FOUND),
        (
            ONE.replace(
                "<lastmod>", '<i:image xmlns:i="x"><i:loc>https://example.com/i.png</i:loc></i:image><lastmod>'
            ).encode(),
            FOUND,
        ),
        (ONE.replace("</urlset>", "<url><loc>mailto:a@b.c</loc></url></urlset>").encode(), FOUND),
        (f"<urlset {NS}/>".encode(), Sitemap()),
        (
            f"<sitemapindex {NS}><sitemap><loc>https://example.com/1.xml.gz</loc></sitemap></sitemapindex>".encode(),
            Sitemap(children=("https://example.com/1.xml.gz",)),
        ),
    ],
)
def test_sitemaps_are_read(body, expected):
    assert parse(body) == expected


LAUGHS = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", "no element"),
        (b"\x00\xff garbage", "not well-formed"),
        (b"<html><body>404</body></html>", "not a sitemap but <html>"),
        (f"{LAUGHS}<urlset><url><loc>https://example.com/&b;</loc></url></urlset>".encode(), "DOCTYPE"),
        (b'<!DOCTYPE urlset SYSTEM "file:///etc/passwd"><urlset/>', "DOCTYPE"),
        (f"{LAUGHS}<urlset/>".encode("utf-16"), "DOCTYPE"),
        (b"<urlset><url><loc>https://example.com/&nbsp;</loc></url></urlset>", "undefined entity"),
        (b'<?xml version="1.0" encoding="no-such"?><urlset/>', "encoding"),
        (b'<?xml version="1.0" encoding="gb18030"?><urlset/>', "encoding"),
        (b"\x1f\x8bnot gzip at all", "not gzip"),
        (b"<urlset>" + b"<url>" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_sitemap_gives_nothing_and_says_why(body, problem):
    sitemap = parse(body)
    assert (sitemap.urls, sitemap.children) == ((), ())
    assert problem in sitemap.problem


def test_a_gzip_bomb_is_not_unpacked_past_the_limit():
    bomb = gzip.compress(f"<urlset {NS}><url><loc>https://example.com/</loc></url>".encode() + b" " * (20 * MAX_BYTES))
    assert len(bomb) < MAX_BYTES / 40
    assert parse(bomb) == Sitemap(urls=("https://example.com/",), problem=f"larger than {MAX_BYTES} bytes")


def test_addresses_past_the_limit_are_left_out():
    urls = "".join(f"<url><loc>https://example.com/{number}</loc></url>" for number in range(MAX_URLS + 10))
    sitemap = parse(f"<urlset>{urls}</urlset>".encode())
    assert len(sitemap.urls) == MAX_URLS
    assert sitemap.problem


def test_what_stood_before_a_fault_counts():
    sitemap = parse(ONE.replace("</urlset>", "<url>").encode())
    assert sitemap.urls == FOUND.urls
    assert sitemap.problem
