"""The one outgoing HTTP client for addresses that a user can influence."""

from ajansops.kit.net.addresses import address_allowed
from ajansops.kit.net.client import Client, Hop, Response
from ajansops.kit.net.errors import (
    BadReply,
    BadUrl,
    Blocked,
    NetError,
    Timeout,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)
from ajansops.kit.net.limits import Limits
from ajansops.kit.net.ours import open_client
from ajansops.kit.net.targets import check_target
from ajansops.kit.net.urls import Url, parse_url

__all__ = [
    "BadReply",
    "BadUrl",
    "Blocked",
    "Client",
    "Hop",
    "Limits",
    "NetError",
    "Response",
    "Timeout",
    "TooLarge",
    "TooManyRedirects",
    "Unreachable",
    "Url",
    "address_allowed",
    "check_target",
    "open_client",
    "parse_url",
]
