"""The client: judges, dials what it judged, follows redirects by hand.

A caller who answers a person while they wait should not wait on this client: how long a failure took would tell
what the message does not. Fetch in a job.
"""

import asyncio
import os
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from types import TracebackType
from typing import Final, NamedTuple, Self

import aiohttp
import yarl
from aiohttp.http import HttpProcessingError
from multidict import CIMultiDict

from ajansops.kit.net.addresses import Gate, Network
from ajansops.kit.net.body import ACCEPT_ENCODING, read_beginning, read_body
from ajansops.kit.net.connections import Connector
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
from ajansops.kit.net.urls import Url, parse_url

CONNECTIONS: Final = 100  # open at a time; more fetches than that wait for one
CONNECT_SECONDS: Final = 5  # per address, so that one dead address does not spend the whole deadline
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
# What another origin may see of the caller's headers: no Authorization, no Cookie, no key under any other name.
_HARMLESS: Final = frozenset({"accept", "accept-language", "if-modified-since", "if-none-match"})
_CHARSET: Final = re.compile(r""";\s*charset\s*=\s*["']?([^\s;"']+)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hop:
    """A redirect that was followed: the URL that answered with it, and its status."""

    url: str
    status: int


class Response(NamedTuple):
    """An answer of any status. `url` is the final one. Of a GET `headers` are in lower case, and `body` is decoded."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    hops: tuple[Hop, ...]
    elapsed_ms: int  # of the whole exchange

    @property
    def media_type(self) -> str:
        """Like `text/html`, lower-case; empty when the header is missing."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """As the header claims, lower-case, perhaps not one that Python knows."""
        found = _CHARSET.search(self.headers.get("content-type", ""))
        return found[1].lower() if found else None


class Client:
    """Any number of fetches in one event loop. Create it inside the loop, close it there.

    `allow_private` opens these networks on every port, this machine's own addresses included: development and tests.
    `user_agent` names us and where to complain. Retrying is the caller's business.
    """

    def __init__(
        self,
        *,
        allow_private: Sequence[Network] = (),
        user_agent: str,
        limits: Limits | None = None,
        connections: int = CONNECTIONS,
    ) -> None:
        self._limits = limits or Limits()
        self._user_agent = user_agent
        self._open = _Way(Gate(allow_private), connections)
        self._private = _Way(Gate(allow_private, public=False), connections)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._open.session.close()
        await self._private.session.close()

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, limits: Limits | None = None, follow: bool = True
    ) -> Response:
        """Fetch `url`; raises a `NetError`. A redirect that is not followed is returned like any other answer."""
        limits = limits or self._limits
        started = time.monotonic()
        here = parse_url(url)
        sent = {name.lower(): value for name, value in (headers or {}).items()}
        hops: list[Hop] = []
        try:
            async with asyncio.timeout(limits.total_seconds):
                while True:
                    status, received, body = await self._exchange(here, sent, limits, follow)
                    if not (follow and _redirects(status, received)):
                        break
                    hops.append(Hop(str(here), status))
                    if len(hops) > limits.max_redirects:
                        raise TooManyRedirects(f"more than {limits.max_redirects}, at {here.authority}")
                    here, sent = _next_hop(here, received["location"], sent)
        except _FAULTS as error:
            raise _net_error(error) from None  # a traceback would show the text of the cause
        elapsed_ms = round((time.monotonic() - started) * 1000)
        return Response(str(here), status, received, body, tuple(hops), elapsed_ms)

    async def post(
        self, url: str, body: bytes, *, headers: Mapping[str, str], keep: int, limits: Limits | None = None
    ) -> Response:
        """Send `body`; raises a `NetError`. No redirect is followed. Of the answer's body the first `keep` bytes are
        read, as they come; it may be of any length. Its headers are as they came, their names in any case. Http goes
        only into `allow_private`.
        """
        limits = limits or self._limits
        started = time.monotonic()
        there = parse_url(url)
        try:
            async with (
                asyncio.timeout(limits.total_seconds),
                self._request("POST", there, headers, limits, body) as reply,
            ):
                _check_headers(reply, limits)
                kept = await read_beginning(reply, keep)
        except _FAULTS as error:
            raise _net_error(error) from None  # a traceback would show the text of the cause
        elapsed_ms = round((time.monotonic() - started) * 1000)
        return Response(there.text, reply.status, reply.headers, kept, (), elapsed_ms)

    async def _exchange(
        self, url: Url, headers: Mapping[str, str], limits: Limits, follow: bool
    ) -> tuple[int, dict[str, str], bytes]:
        """One hop: status, headers and, unless it is a redirect that will be followed, the body."""
        async with self._request("GET", url, headers, limits) as reply:
            received = _headers(reply, limits)
            skip = follow and _redirects(reply.status, received)
            return reply.status, received, b"" if skip else await read_body(reply, limits)

    def _request(
        self, method: str, url: Url, headers: Mapping[str, str], limits: Limits, body: bytes | None = None
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        way = self._private if body is not None and url.scheme == "http" else self._open
        sent = CIMultiDict({"accept": "*/*"})
        sent.update(headers)  # in whatever case they are written, ours replace them
        sent["host"] = url.authority
        sent["user-agent"] = self._user_agent
        sent["accept-encoding"] = ACCEPT_ENCODING if body is None else "identity"
        if url.address:  # aiohttp asks the resolver for names only
            way.gate.judge([url.address], url.port)
        return way.session.request(
            method,
            _wire(url),
            data=body,
            headers=sent,
            allow_redirects=False,
            max_field_size=limits.max_header_bytes,
        )


class _Way:
    """A gate, and the connections that went through it."""

    def __init__(self, gate: Gate, connections: int) -> None:
        self.gate = gate
        self.session = aiohttp.ClientSession(
            connector=Connector(gate, limit=connections),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
        )


@lru_cache(maxsize=1024)
def _wire(url: Url) -> yarl.URL:
    return yarl.URL(str(url), encoded=True)


def _redirects(status: int, headers: Mapping[str, str]) -> bool:
    return status in _REDIRECTS and "location" in headers


def _next_hop(here: Url, location: str, headers: dict[str, str]) -> tuple[Url, dict[str, str]]:
    try:
        there = here.join(location)
    except BadUrl:  # not the caller's URL, so not an invalid one to them
        raise Blocked(f"redirect of {here.authority} to no URL") from None
    if here.scheme == "https" and there.scheme == "http":
        raise Blocked(f"redirect from {here.origin} down to {there.origin}")
    if there.origin != here.origin:
        headers = {name: value for name, value in headers.items() if name in _HARMLESS}
    return there, headers


def _check_headers(reply: aiohttp.ClientResponse, limits: Limits) -> None:
    raw = reply.raw_headers
    size = sum(map(len, chain.from_iterable(raw))) + 4 * len(raw)  # 4: colon, space, line end
    if size > limits.max_header_bytes:
        raise TooLarge(f"{size} bytes of headers")


def _headers(reply: aiohttp.ClientResponse, limits: Limits) -> dict[str, str]:
    _check_headers(reply, limits)
    found: dict[str, str] = {}
    for written, value in reply.headers.items():
        name = written.lower()
        found[name] = f"{found[name]}, {value}" if name in found else value
    return found


_FAULTS: Final = (TimeoutError, HttpProcessingError, aiohttp.ClientError, OSError)


def _net_error(error: Exception) -> NetError:
    """What one of `_FAULTS` means to callers. No text of theirs: some hold the whole URL, or what the answer said."""
    cause = _first_cause(error)
    if isinstance(error, TimeoutError):
        return Timeout(f"too slow: {type(error).__name__}")
    if isinstance(error, aiohttp.ClientResponseError | aiohttp.ClientPayloadError | HttpProcessingError):
        return BadReply(f"broken answer: {type(cause).__name__}")
    return Unreachable(": ".join(filter(None, [type(error).__name__, _place(error), _fault(cause)])))


def _first_cause(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _place(error: Exception) -> str:
    return f"{error.host}:{error.port}" if isinstance(error, aiohttp.ClientConnectorError) else ""


def _fault(cause: BaseException) -> str:
    """In words of the system or of the TLS library, which know no URL."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return str(getattr(cause, "verify_message", ""))
    if isinstance(cause, ssl.SSLError):
        return str(cause.reason) if getattr(cause, "reason", None) else ""
    if isinstance(cause, socket.gaierror):
        return cause.strerror or ""
    return os.strerror(cause.errno) if isinstance(cause, OSError) and cause.errno else ""
