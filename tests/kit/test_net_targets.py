"""Which addresses are taken to send to later."""

import socket
from dataclasses import replace
from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError

from ajansops.kit.net import check_target

NAMES = {
    "hooks.example.com": ["93.184.216.34", "2606:2800:220:1::1"],
    "inside.example.com": ["10.0.0.7"],
    "half.example.com": ["93.184.216.34", "169.254.169.254"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "dev.example.com": ["127.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
}
MALFORMED = "Enter an address such as https://example.com/hook."
PLAIN = "Only https addresses are accepted."
REFUSED = "This address is not open to us: it has to be a public one."


@pytest.fixture(autouse=True)
def _names(monkeypatch):
    def resolve(host, port, **_options):
        if host not in NAMES:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in NAMES[host]]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)


@pytest.fixture
def allowing(settings):
    def allow(*networks: str) -> None:
        settings.ENV = replace(settings.ENV, net_allow_private=tuple(ip_network(one) for one in networks))

    allow()
    return allow


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://hooks.example.com/a?b=c", None),
        ("https://hooks.example.com:8443/", None),
        ("https://93.184.216.34/", None),
        ("https://not-yet.example.com/", None),  # a name that does not resolve now
        ("http://hooks.example.com/", PLAIN),
        ("http://not-yet.example.com/", PLAIN),
        ("http://127.0.0.1/", PLAIN),
        ("https://hooks.example.com:22/", REFUSED),
        ("https://not-yet.example.com:22/", REFUSED),
        ("https://127.0.0.1/", REFUSED),
        ("https://10.1.2.3/", REFUSED),
        ("https://169.254.169.254/latest", REFUSED),
        ("https://[::1]/", REFUSED),
        ("https://[::ffff:10.0.0.1]/", REFUSED),
        ("https://inside.example.com/", REFUSED),
        ("https://half.example.com/", REFUSED),
        ("https://mapped.example.com/", REFUSED),
        ("https://localhost/", REFUSED),
        ("https://LOCALHOST./", REFUSED),
        ("https://anything.localhost/", REFUSED),
        ("https://host.localdomain/", REFUSED),
        ("https://ip6-localhost/", REFUSED),
        ("https://ip6-loopback/", REFUSED),
        ("https://localhost6.localdomain6/", REFUSED),
        ("https://localhost.example.com/", None),
        ("https://2130706433/", MALFORMED),
        ("https://0x7f.1/", MALFORMED),
        ("https://127.1/", MALFORMED),
        ("https://user:pass@hooks.example.com/", MALFORMED),
        ("https://hooks.example.com\\@10.0.0.1/", MALFORMED),
        ("ftp://hooks.example.com/", MALFORMED),
        ("hooks.example.com", MALFORMED),
        ("https:///", MALFORMED),
    ],
)
def test_only_the_public_internet_is_a_target(allowing, url, said):
    assert refusal(url) == said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://127.0.0.1:9999/hook", None),
        ("http://dev.example.com:9999/hook", None),
        ("https://dev.example.com/", None),
        ("http://localhost:9999/", PLAIN),  # ::1 is not opened
        ("https://localhost/", REFUSED),
        ("http://hooks.example.com/", PLAIN),
        ("http://127.0.0.2/", PLAIN),
    ],
)
def test_what_the_operator_opened_may_be_http(allowing, url, said):
    allowing("127.0.0.1/32")
    assert refusal(url) == said


def refusal(url: str) -> str | None:
    try:
        check_target(url)
    except ValidationError as error:
        return error.messages[0]
    return None
