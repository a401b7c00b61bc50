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


class _Connection(ResponseHandler):
    """Breaks off an exchange in which more comes beside the body than headers may have (`max_field_size` bytes).

    Beside it are interim answers, headers, chunk sizes and their extensions, trailers, and what follows the end.
    aiohttp bounds a line of these and not their number, so an endless answer would keep the loop from all others.
    """

    _most = 0
    _seen = 0  # bytes of this exchange

    def set_response_params(self, *, max_field_size: int = 0, **params: Any) -> None:
        """An exchange begins."""
        self._most = max_field_size
        self._seen = 0
        super().set_response_params(max_field_size=max_field_size, **params)

    def data_received(self, data: bytes) -> None:
        before = self._seen
        self._seen += len(data)
        if self._seen > self._most and data:  # there is none when a parser that had paused goes on
            self._receive_more(data, before)
        else:
            super().data_received(data)

    def _receive_more(self, data: bytes, before: int) -> None:
        room = self._most - before
        if room > 0:  # a quarter of a megabyte may come at once: not all of it is parsed before a body has begun
            super().data_received(data[:room])
            data, before = data[room:], self._most
        body = self._payload
        received = body.total_bytes if body is not None and not body.is_eof() else 0
        if received and before - received <= self._most + received:  # small chunks have frames as large as themselves
            super().data_received(data)
        else:
            self._break_off()

    def _break_off(self) -> None:
        error = TooLarge(f"more than {self._most} bytes beside the body")
        if self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(error)
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
