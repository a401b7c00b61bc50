"""Which addresses may be dialled."""

import logging
import re
import socket
from collections.abc import Iterable, Sequence
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

from ajansops.kit.net.errors import Blocked

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PORTS: Final = frozenset({80, 443, 8080, 8443})

# Our own list: what the standard library calls private or global changes with its version and lacks half of these.
_PUBLIC_V6: Final = IPv6Network("2000::/3")  # all else is refused, ::/96, fc00::/7, fe80::/10, ff00::/8 among it
_REFUSED: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier NAT
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's host agent
        "169.254.0.0/16",  # link-local, cloud metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "2001::/23",  # Teredo, ORCHID and other assignments
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, wraps any IPv4
        "3fff::/20",  # documentation
    )
)

logger = logging.getLogger(__name__)


def address_allowed(ip: Address, allow_private: Sequence[Network] = ()) -> bool:
    """Whether `ip` is public by our list, or inside `allow_private`. IPv4 mapped into IPv6 counts as IPv4."""
    ip = _unmapped(ip)
    if any(ip in network for network in allow_private):
        return True
    if ip.version == 6 and ip not in _PUBLIC_V6:
        return False
    return not any(ip in network for network in _REFUSED)


class Gate:
    """Judges where a connection would go: to public addresses, unless `public` is off, and to `allow_private`."""

    def __init__(self, allow_private: Sequence[Network] = (), *, public: bool = True) -> None:
        self._allow_private = tuple(allow_private)
        self._public = public
        self._own = own_addresses() if public else frozenset()
        self._open = lru_cache(maxsize=1024)(self._judged)  # each request to an address asks, and nothing here changes

    def judge(self, addresses: Iterable[Address], port: int) -> None:
        """Raise `Blocked` unless every address may be dialled on `port`."""
        for ip in addresses:
            if not self._open(ip, port):
                raise Blocked(f"not allowed: {ip} port {port}")

    def _judged(self, ip: Address, port: int) -> bool:
        ip = _unmapped(ip)
        if any(ip in network for network in self._allow_private):
            return True
        return self._public and ip not in self._own and port in PORTS and address_allowed(ip)


def own_addresses(proc: Path = Path("/proc/net")) -> frozenset[Address]:
    """This machine's interface addresses. Those of a NAT in front of it cannot be seen from here.

    Only Linux tells them in files. Elsewhere the answer is empty and a warning is logged: a public address of this
    very machine is then not refused, private ones still are.
    """
    try:
        trie = (proc / "fib_trie").read_text()
    except OSError as error:
        logger.warning("Cannot read this machine's own addresses, so they are not refused: %s", error)
        return frozenset()
    inet6 = proc / "if_inet6"  # absent where IPv6 is off
    v4 = re.findall(r"\|-- (\S+)\s+/32 host LOCAL", trie)
    v6 = [line.split()[0] for line in inet6.read_text().splitlines()] if inet6.exists() else []
    return frozenset([*map(IPv4Address, v4), *map(IPv6Address, map(partial(int, base=16), v6))])


def from_sockaddr(sockaddr: Sequence[object]) -> Address:
    """The address in what `getaddrinfo` returned."""
    return ip_address(str(sockaddr[0]))


def family_of(ip: Address) -> socket.AddressFamily:
    return socket.AF_INET if ip.version == 4 else socket.AF_INET6


def _unmapped(ip: Address) -> Address:
    return (ip.ipv4_mapped or ip) if isinstance(ip, IPv6Address) else ip
