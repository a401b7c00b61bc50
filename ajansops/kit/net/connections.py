"""The connections of a client: each goes to an address that was judged, and brings no more than it may."""

import asyncio
import socket
from functools import partial
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.client_proto import ResponseHandler

from ajansops.kit.net.addresses import Gate, family_of
from ajansops.kit.net.errors import TooLarge
from ajansops.kit.net.names import look_up


class Connector(aiohttp.TCPConnector):
    """Every new connection resolves and is judged; one kept alive goes on to the address it was judged for."""

    def __init__(self, gate: Gate, *, limit: int) -> None:
        super().__init__(resolver=_Resolver(gate), use_dns_cache=False, limit=limit)
        protocol: type[ResponseHandler] = _Connection
        self._factory = partial(protocol, loop=self._loop)  # not public: the tests of floods tell when it has moved


HEAD_ENDS = b"\r\n\r\n"


class _Connection(ResponseHandler):
    """Takes an answer's head for what it is although what follows is broken; a 204 with a body is the usual case.

    Breaks off an exchange in which more comes beside the body than headers may have (`max_field_size` bytes).

    Beside it are interim answers, headers, chunk sizes and their extensions, trailers, and what follows the end.
    aiohttp bounds a line of these and not their number, so an endless answer would keep the loop from all others.
    """

    _most = 0
    _seen = 0  # bytes of this exchange
    _in_head = False

    def set_response_params(self, *, max_field_size: int = 0, **params: Any) -> None:
        """An exchange begins."""
        self._most = max_field_size
        self._seen = 0
        self._in_head = True
        super().set_response_params(max_field_size=max_field_size, **params)

    def data_received(self, data: bytes) -> None:
        """aiohttp forgets a head that it was given together with what it cannot parse."""
        end = data.find(HEAD_ENDS) + len(HEAD_ENDS) if self._in_head and HEAD_ENDS in data else 0
        if end:
            self._in_head = False
            self._receive(data[:end])
            data = data[end:]
        if data or not end:
            self._receive(data)

    def _receive(self, data: bytes) -> None:
        before = self._seen
        self._seen += len(data)
        if self._seen > self._most and data:  # there is none when a parser that had paused goes on
            self._receive_more(data, before)
        else:
            self._parse(data)

    def _receive_more(self, data: bytes, before: int) -> None:
        room = self._most - before
        if room > 0:  # a quarter of a megabyte may come at once: not all of it is parsed before a body has begun
            self._parse(data[:room])
            data, before = data[room:], self._most
        body = self._payload
        received = body.total_bytes if body is not None and not body.is_eof() else 0
        if received and before - received <= self._most + received:  # small chunks have frames as large as themselves
            self._parse(data)
        else:
            self._break_off()

    def _parse(self, data: bytes) -> None:
        """aiohttp leaves whoever reads a body waiting that it cannot parse."""
        super().data_received(data)
        if self.exception() is not None:
            self._fail_body(aiohttp.ClientPayloadError("broken body"))

    def _fail_body(self, error: Exception) -> None:
        body = self._payload
        if body is not None and not body.is_eof() and body.exception() is None:
            body.set_exception(error)

    def _break_off(self) -> None:
        error = TooLarge(f"more than {self._most} bytes beside the body")
        self._fail_body(error)
        self.set_exception(error)
        if self.transport is not None:
            self.transport.abort()


class _Resolver(AbstractResolver):
    """Resolves a name once, and gives aiohttp its addresses only when every one of them may be dialled."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        addresses = await asyncio.wrap_future(look_up(host, port))
        self._gate.judge(addresses, port)
        return [
            ResolveResult(
                hostname=host, host=str(ip), port=port, family=family_of(ip), proto=0, flags=socket.AI_NUMERICHOST
            )
            for ip in addresses
        ]

    async def close(self) -> None:
        """Nothing is held."""
