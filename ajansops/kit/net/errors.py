"""How a fetch can fail.

The class and `reason` are for logs and tests. A caller who may choose the address must not learn whether something
answers there: blocked, refused, unreachable and too slow all carry `NetError`'s code and message.
"""

from ajansops.kit.errors import DomainError, Kind


class NetError(DomainError):
    """The address could not be fetched."""

    code = "fetch_failed"
    kind = Kind.UPSTREAM

    def __init__(self, reason: str) -> None:
        super().__init__()
        self.reason = reason
        self.add_note(reason)  # tracebacks show it, the message does not


class BadUrl(NetError):
    """The URL is not valid."""

    code = "invalid_url"
    kind = Kind.INVALID


class TooLarge(NetError):
    """The answer is larger than allowed."""


class TooManyRedirects(NetError):
    """The address redirects too many times."""


class Blocked(NetError):  # our rules forbid the address, its port or where it redirects to
    __doc__ = NetError.__doc__


class Timeout(NetError):  # the whole exchange did not end in time
    __doc__ = NetError.__doc__


class Unreachable(NetError):  # no such name, no connection, no trusted certificate, connection lost
    __doc__ = NetError.__doc__


class BadReply(NetError):  # what came back is not HTTP, or not encoded as we asked
    __doc__ = NetError.__doc__
