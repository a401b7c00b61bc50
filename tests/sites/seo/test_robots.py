"""robots.txt by RFC 9309."""

import pytest

from sites.seo.robots import MAX_BYTES, MAX_DELAY, Robots

URL = "https://example.com/private/page"
PRIVATE = "User-agent: *\nDisallow: /private/\n"


@pytest.mark.parametrize(
    ("text", "status", "allowed"),
    [
        (PRIVATE, 200, False),
        (PRIVATE, 404, True),
        (PRIVATE, 401, True),
        (PRIVATE, 301, True),
        ("", 200, True),
        (None, 200, True),
        ("", 500, False),
        ("", 503, False),
        (None, None, False),
        ("User-agent: *\nDisallow: /private/\nAllow: /private/page", 200, True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: ajansopsbot\nAllow: /", 200, True),
        ("User-agent: *\nAllow: /\n\nUser-agent: AjansOpsBot\nDisallow: /*page$", 200, False),
        ("User-agent: OtherBot\nDisallow: /", 200, True),
        ("\ufeffUser-agent: *\nDisallow: /", 200, False),
        ("<html>not found</html>", 200, True),
    ],
)
def test_what_may_be_fetched(text, status, allowed):
    assert Robots.parse(text, status).allowed(URL) is allowed


@pytest.mark.parametrize(
    ("line", "delay"),
    [
        ("Crawl-delay: 2.5", 2.5),
        ("Crawl-delay: 3600", MAX_DELAY),
        ("Crawl-delay: x", None),
        ("", None),
        ("Crawl-delay: -1", None),
        ("Crawl-delay: nan", None),
    ],
)
def test_a_delay_is_honoured_up_to_thirty_seconds(line, delay):
    assert Robots.parse(f"User-agent: *\n{line}\nDisallow:\n", 200).crawl_delay == delay


def test_sitemaps_are_the_absolute_ones_once():
    text = "Sitemap: https://EXAMPLE.com/a.xml\nSitemap: https://example.com/a.xml\nSitemap: /b.xml\n"
    assert Robots.parse(text, 200).sitemaps == ("https://example.com/a.xml",)


@pytest.mark.parametrize(("text", "status"), [(PRIVATE, 200), (PRIVATE, 404), (None, None), ("", 500), ("", 200)])
def test_rules_survive_storage(text, status):
    robots = Robots.parse(text, status)
    again = Robots.load(robots.dump())
    assert again == robots
    assert again.allowed(URL) is robots.allowed(URL)


def test_rules_past_512_kib_are_not_read_and_none_is_cut_in_half():
    filler = "#" * (MAX_BYTES - len(PRIVATE) - len("\nDisallow: /\n")) + "\n"
    robots = Robots.parse(f"{PRIVATE}{filler}Disallow: /public\n", 200)
    assert robots.allowed("https://example.com/other")
    assert not robots.allowed(URL)
    assert len(robots.dump().encode()) <= MAX_BYTES + 4  # the status line
