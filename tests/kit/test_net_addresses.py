"""Which URLs are read, and which addresses may be dialled: no connection is made here."""

import logging
from contextlib import nullcontext
from ipaddress import ip_address, ip_network

import pytest

from ajansops.kit.errors import Kind
from ajansops.kit.net import BadUrl, Blocked, address_allowed, parse_url
from ajansops.kit.net.addresses import Gate, own_addresses
from tests.kit.net_servers import LOOPBACK


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("http://example.com", "http://example.com/"),
        ("HTTPS://Example.COM:443/A?b=C#d", "https://example.com/A?b=C"),
        ("http://example.com:8080?x=1", "http://example.com:8080/?x=1"),
        ("http://example.com./a", "http://example.com/a"),
        ("https://münchen.example/", "https://xn--mnchen-3ya.example/"),
        (
            "https://ığdır.com.tr/kırmızı%20ayakkabı",
            "https://xn--dr-wna5ec.com.tr/k%C4%B1rm%C4%B1z%C4%B1%20ayakkab%C4%B1",
        ),
        ("https://r3---sn-4g5.example.com/", "https://r3---sn-4g5.example.com/"),
        ("http://under_score.example.com/?filter[color]=red", "http://under_score.example.com/?filter[color]=red"),
        ('http://example.com/"<a>', "http://example.com/%22%3Ca%3E"),
        ("http://[2A00:1450:4001::0001]:8080/", "http://[2a00:1450:4001::1]:8080/"),
        ("http://93.184.216.34/", "http://93.184.216.34/"),
    ],
)
def test_a_url_has_one_spelling(written, read):
    assert str(parse_url(written)) == read
    assert str(parse_url(read)) == read


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",  # decimal
        "http://0x7f000001/",  # hex
        "http://0x7f.1/",
        "http://0177.0.0.1/",  # octal
        "http://127.1/",  # short
        "http://127.0.0.0x1/",
        "http://127.0.0.1.1/",
        "http://256.0.0.1/",
        "http://１２７.1/",  # full-width digits
        "http://127。1/",
        "http://0/",
        "http://127.0.0.1\\@example.com/",
        "http://example.com@127.0.0.1/",
        "http://user:secret@example.com/",
        "http://@example.com/",
        "http://%31%32%37.0.0.1/",
        "http://example.com:80:90/",
        "http://example.com:0/",
        "http://example.com:65536/",
        "http://example.com:٨٠/",
        "http://exam\nple.com/",
        "http://example.com/\r\nHost: evil",
        "http://example.com/a b",
        " http://example.com/",
        "http://example.com/\x00",
        "http://example.com/\ud800",
        "http://example.com/\u200b",
        "http:///etc/passwd",
        "http://",
        "http:example.com",
        "//example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_",
        "http://[::1%25eth0]/",
        "http://[::1/",
        "http://::1/",
        "http://[1.2.3.4]/",
        "http://-a.example/",
        "http://a..example/",
        "http://.example/",
        "http://xn--zzz-.com/",
        "http://xn--0.com/",
        "http://℀.com/",
        f"http://{'a' * 64}.com/",
        f"http://{'.'.join(['a' * 63] * 4)}/",
        f"http://example.com/{'a' * 4096}",
    ],
)
def test_a_url_that_two_parsers_could_read_differently_is_refused(url):
    with pytest.raises(BadUrl) as caught:
        parse_url(url)
    assert (caught.value.code, caught.value.kind) == ("invalid_url", Kind.INVALID)


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("b", "https://example.com/a/b"),
        ("../b?c", "https://example.com/b?c"),
        ("?d", "https://example.com/a/?d"),
        ("//other.example/x", "https://other.example/x"),
        ("http://127.0.0.1:22/", "http://127.0.0.1:22/"),
    ],
)
def test_a_link_is_read_from_where_it_stands(reference, meant):
    assert str(parse_url("https://example.com/a/").join(reference)) == meant


@pytest.mark.parametrize("reference", ["/\\evil.example", "\t//evil.example", "javascript:alert(1)", "//[", "//a@b/"])
def test_a_link_is_read_as_strictly_as_a_url(reference):
    with pytest.raises(BadUrl):
        parse_url("https://example.com/").join(reference)


DENIED = """
0.0.0.0 0.255.255.255 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.170 192.0.2.1 192.88.99.1 192.168.0.1
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::808:808 64:ff9b:1::1 100::1 2001::1
2001:1ff::1 2001:db8::1 2002:7f00:1:: 2002:808:808:: 3fff::1 4000::1 5f00::1 fc00::1 fd00:ec2::254 fe80::1 fec0::1
ff02::1
"""
ALLOWED = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 168.63.129.15 169.253.0.1
172.15.255.255 172.32.0.1 192.0.1.1 192.167.0.1 198.17.0.1 198.20.0.1 223.255.255.255 ::ffff:8.8.8.8
2001:200::1 2001:4860:4860::8888 2003::1 2606:4700::1111 2a00:1450:4001::1 3ffe::1
"""


@pytest.mark.parametrize(
    ("text", "allowed"), [*((text, False) for text in DENIED.split()), *((text, True) for text in ALLOWED.split())]
)
def test_an_address_is_judged_by_our_own_list(text, allowed):
    assert address_allowed(ip_address(text), ()) is allowed


@pytest.mark.parametrize(
    ("text", "allowed"), [("10.1.2.3", True), ("::ffff:10.1.2.3", True), ("10.2.0.0", False), ("fd00::1", True)]
)
def test_allow_private_opens_its_networks_and_no_more(text, allowed):
    networks = [ip_network("10.1.0.0/16"), ip_network("fd00::/64")]
    assert address_allowed(ip_address(text), networks) is allowed


@pytest.mark.parametrize(
    ("addresses", "port", "passes"),
    [
        (["8.8.8.8"], 443, True),
        (["8.8.8.8"], 8443, True),
        (["8.8.8.8"], 22, False),
        (["127.0.0.1"], 5432, True),
        (["127.0.0.1", "8.8.8.8"], 5432, False),
        (["127.0.0.1", "8.8.8.8"], 443, True),
        (["8.8.8.8", "10.0.0.1"], 443, False),
    ],
)
def test_a_port_beyond_the_web_is_open_only_inside_allow_private(addresses, port, passes):
    gate = Gate(LOOPBACK)
    with nullcontext() if passes else pytest.raises(Blocked):
        gate.judge(map(ip_address, addresses), port)


def test_the_machines_own_public_address_is_refused(monkeypatch):
    own = ip_address("8.8.4.4")
    monkeypatch.setattr("ajansops.kit.net.addresses.own_addresses", lambda: frozenset({own}))
    Gate().judge([ip_address("8.8.8.8")], 443)
    Gate([ip_network("8.8.4.4/32")]).judge([own], 443)
    for text in ("8.8.4.4", "::ffff:8.8.4.4"):
        with pytest.raises(Blocked):
            Gate().judge([ip_address(text)], 443)


def test_own_addresses_are_read_from_proc(tmp_path):
    (tmp_path / "fib_trie").write_text(
        "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 0.0.0.0\n        /0 universe UNICAST\n"
        "     |-- 5.6.7.8\n        /32 host LOCAL\n     |-- 5.6.7.255\n        /32 link BROADCAST\n"
    )
    assert own_addresses(tmp_path) == {ip_address("5.6.7.8")}
    (tmp_path / "if_inet6").write_text("2a000000000000000000000000000001 04 40 00 82     eth0\n")
    assert own_addresses(tmp_path) == {ip_address("5.6.7.8"), ip_address("2a00::1")}


def test_a_machine_that_hides_its_addresses_is_warned_about(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, logger="ajansops.kit.net.addresses"):
        assert own_addresses(tmp_path) == frozenset()
    assert "not refused" in caplog.text
