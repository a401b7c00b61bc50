"""Where a request comes from: one answer for limits, logs and sessions."""

from ipaddress import IPv6Address, ip_address

from django.conf import settings
from django.http import HttpRequest


def client_ip(request: HttpRequest) -> str:
    """The peer, or what the last of `TRUSTED_PROXIES` proxies says of it; malformed headers count as absent.

    IPv4 addresses written as IPv6 are shown as IPv4.
    """
    peer = str(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.ENV.trusted_proxies
    hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    named = hops[-proxies] if proxies and len(hops) >= proxies else ""
    return _readable(named) or _readable(peer) or "0.0.0.0"  # noqa: S104  # no bind: a peer without an address


def client_network(request: HttpRequest) -> str:
    """What limits count by: the address, or its /64 for IPv6, which one customer has whole."""
    address = ip_address(client_ip(request))
    if isinstance(address, IPv6Address):
        return f"{IPv6Address(int(address) >> 64 << 64)}/64"
    return str(address)


def _readable(text: str) -> str:
    try:
        address = ip_address(text.partition("%")[0])  # a zone is of that machine, and no address
    except ValueError:
        return ""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)
