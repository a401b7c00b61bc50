"""Addresses that somebody gives us to send to later, judged when they are given: a mistake is told at once.

That nothing is sent where it must not be is the client's doing, which judges again whenever it connects.
"""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from ajansops.kit.net.addresses import Address, Gate
from ajansops.kit.net.errors import BadUrl, Blocked
from ajansops.kit.net.names import look_up
from ajansops.kit.net.urls import Url, parse_url

RESOLVE_SECONDS: Final = 2.0  # somebody waits for the answer; the resolver itself may take half a minute
# Last labels that mean this machine, by the standard or in some system's hosts file, whether they resolve here or not.
_LOCAL: Final = re.compile(r"local(host|domain)[46]?|ip6-(localhost|loopback)")
_LOOPBACK: Final = IPv4Address("127.0.0.1")
_ANY_PUBLIC: Final = IPv4Address("1.1.1.1")


def check_target(url: str, *, resolve: bool = True) -> None:
    """Raise Django's ValidationError unless it is https on the public internet; inside NET_ALLOW_PRIVATE http will do.

    A name that does not resolve at this moment passes, unless it is this machine's. Without `resolve` none is asked
    for, and all of them pass: where a lock is held, nobody waits for a name.
    """
    try:
        read = parse_url(url)
    except BadUrl as error:
        raise ValidationError(gettext("Enter an address such as https://example.com/hook.")) from error
    allowed = settings.ENV.net_allow_private
    addresses = [read.address] if read.address else _resolved(read) if resolve else ()
    private = bool(addresses) and all(any(ip in network for network in allowed) for ip in addresses)
    if read.scheme != "https" and not private and (resolve or read.address):
        raise ValidationError(gettext("Only https addresses are accepted."))
    if not addresses:  # the port is judged all the same, and what is this machine by its name alone
        addresses = [_LOOPBACK if _LOCAL.fullmatch(read.host.rpartition(".")[2]) else _ANY_PUBLIC]
    try:
        Gate(allowed).judge(addresses, read.port)
    except Blocked as error:
        raise ValidationError(gettext("This address is not open to us: it has to be a public one.")) from error


def _resolved(url: Url) -> Sequence[Address]:
    """None when there is no such name, or no answer in time."""
    try:
        return look_up(url.host, url.port).result(RESOLVE_SECONDS)
    except (OSError, UnicodeError):  # TimeoutError is an OSError
        return ()
