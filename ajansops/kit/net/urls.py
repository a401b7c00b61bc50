"""One reading of a URL.

Whatever two parsers could read differently is refused, and only what is rebuilt from the parts is ever sent.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final
from urllib.parse import quote, urljoin

import idna

from ajansops.kit.net.errors import BadUrl

MAX_CHARS: Final = 4096
DEFAULT_PORTS: Final = {"http": 80, "https": 443}
# Left as they are in path and query; everything else outside letters and digits is percent-encoded as UTF-8.
_TARGET_SAFE: Final = "/?%:@!$&'()*+,;=~-._[]"
_URL: Final = re.compile(r"(https?)://([^/?#]+)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"(\[[0-9a-f:.]+\]|[^:\[\]]+)(?::([0-9]{1,5}))?", re.IGNORECASE)
_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
# A last label that is a number makes every inet_aton form (2130706433, 0x7f.1, 0177.0.0.1, 127.1), and no real name.
_NUMERIC: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")


@dataclass(frozen=True)  # no slots: what is derived is kept, since one URL is asked for often
class Url:
    """An http or https URL in canonical form: lower-case ASCII host, no user, no fragment."""

    scheme: str
    host: str  # IPv6 without brackets
    port: int
    target: str  # path and query, starts with "/"

    @cached_property
    def address(self) -> IPv4Address | IPv6Address | None:
        """The host when it is an address and not a name."""
        if ":" in self.host:
            return IPv6Address(self.host)
        return IPv4Address(self.host) if _NUMERIC.fullmatch(self.host) else None

    @cached_property
    def authority(self) -> str:
        """What `Host` says: the port only when it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    @cached_property
    def text(self) -> str:
        """All of it."""
        return self.origin + self.target

    def __str__(self) -> str:
        return self.text

    def join(self, reference: str) -> "Url":
        """The URL that a link or `Location` on this page means. Raises `BadUrl`."""
        _refuse_characters(reference)  # before urljoin, which drops tabs and line ends silently
        try:
            return parse_url(urljoin(str(self), reference))
        except ValueError as error:  # urljoin on stray brackets
            raise BadUrl("stray brackets") from error


@lru_cache(maxsize=1024)
def parse_url(url: str) -> Url:
    """Read `url` or raise `BadUrl`, which names the host at most.

    Says nothing about whether its address or port may be fetched: `Client` does.
    """
    _refuse_characters(url)
    parts = _URL.fullmatch(url)
    authority = parts and _AUTHORITY.fullmatch(parts[2])
    if not parts or not authority:
        raise BadUrl("not an http(s) URL with a plain host")
    scheme = parts[1].lower()
    port = int(authority[2] or DEFAULT_PORTS[scheme])
    if not 0 < port < 2**16:
        raise BadUrl(f"no such port: {port}")
    target = quote(parts[3], safe=_TARGET_SAFE)
    return Url(scheme, _host(authority[1]), port, target if target.startswith("/") else f"/{target}")


def _refuse_characters(text: str) -> None:
    if len(text) > MAX_CHARS:
        raise BadUrl(f"longer than {MAX_CHARS} characters")
    # Not printable: controls, line ends, every space but " ", invisible format characters and lone surrogates.
    if not text.isprintable() or " " in text or "\\" in text:
        raise BadUrl("space, backslash or control character")


def _host(written: str) -> str:
    if written.startswith("["):
        return _ipv6(written)
    name = unicodedata.normalize("NFKC", written).lower().removesuffix(".")
    # Plain ASCII skips IDNA, which refuses live names such as r3---sn.example.com and under_score.example.com.
    if not name.isascii() or "xn--" in name:
        name = _ascii(name).removesuffix(".")
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise BadUrl(f"not a host name: {written!r}")
    if _NUMERIC.fullmatch(name):
        return _ipv4(name)
    return name


def _ascii(name: str) -> str:
    try:
        return idna.encode(name, uts46=True, std3_rules=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadUrl(f"not an international host name: {name!r}: {error}") from error


def _ipv4(name: str) -> str:
    try:
        return str(IPv4Address(name))
    except AddressValueError as error:
        raise BadUrl(f"a number, and not a dotted IPv4 address: {name!r}") from error


def _ipv6(written: str) -> str:
    try:
        return str(IPv6Address(written[1:-1]))
    except AddressValueError as error:
        raise BadUrl(f"not an IPv6 address: {written!r}") from error
