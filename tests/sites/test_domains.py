"""A domain has one form, whatever people type."""

import pytest

from ajansops.kit.net import parse_url
from sites.domains import domain_of, normal_domain, start_url


@pytest.mark.parametrize(
    ("written", "domain", "start"),
    [
        ("example.com", "example.com", "https://example.com/"),
        (" Example.COM. ", "example.com", "https://example.com/"),
        ("https://example.com/path?q=1#x", "example.com", "https://example.com/"),
        ("http://example.com:80/", "example.com", "https://example.com/"),
        ("example.com:443", "example.com", "https://example.com/"),
        ("example.com:8080", "example.com:8080", "http://example.com:8080/"),
        ("Örnek.com", "xn--rnek-4qa.com", "https://xn--rnek-4qa.com/"),
        ("ışık.com.tr", "xn--k-ekaa7p.com.tr", "https://xn--k-ekaa7p.com.tr/"),
        ("localhost", "localhost", "http://localhost/"),
        ("localhost:8000", "localhost:8000", "http://localhost:8000/"),
        ("127.0.0.1", "127.0.0.1", "http://127.0.0.1/"),
        ("http://[::1]:8000/", "[::1]:8000", "http://[::1]:8000/"),
        ("web:8000", "web:8000", "http://web:8000/"),
    ],
)
def test_a_domain_is_reduced_to_its_host(written, domain, start):
    assert normal_domain(written) == domain
    assert normal_domain(domain) == domain
    assert start_url(domain) == start


def test_dotted_and_dotless_i_are_different_domains():
    assert normal_domain("ırmak.com") != normal_domain("irmak.com")


@pytest.mark.parametrize("written", ["", "intranet", "a b.com", "user@example.com", "ftp://x.org", "1.2.3", "x..com"])
def test_what_is_no_host_is_refused(written):
    with pytest.raises(ValueError):
        normal_domain(written)


def test_the_domain_of_a_page_is_that_of_its_site():
    assert domain_of(parse_url("https://Example.com:443/a")) == normal_domain("example.com")
