"""Reads an answer's body within bounds, on the wire and decoded."""

import zlib
from contextlib import suppress

from aiohttp import ClientPayloadError, ClientResponse

from ajansops.kit.net.errors import BadReply, TooLarge
from ajansops.kit.net.limits import RATIO_FLOOR, Limits

ACCEPT_ENCODING = "gzip, deflate"  # what zlib can stop in the middle
_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})


async def read_body(reply: ClientResponse, limits: Limits) -> bytes:
    """The decoded body. Raises `TooLarge` as soon as a cap is passed, `BadReply` for a broken or unasked encoding."""
    if (reply.content_length or 0) > limits.max_body:
        raise TooLarge(f"announces {reply.content_length} bytes")
    body = _Body(_coding(reply.headers.getall("Content-Encoding", [])), limits)
    async for chunk in reply.content.iter_any():
        body.add(chunk)
    return body.finish()


async def read_beginning(reply: ClientResponse, most: int) -> bytes:
    """The first bytes as they came over the wire, fewer or none where the body breaks off. What is left unread closes
    the connection.
    """
    beginning = b""
    with suppress(ClientPayloadError):  # the status has been said
        while len(beginning) < most and not reply.content.at_eof():
            beginning += await reply.content.readany()
    return beginning[:most]


def _coding(values: list[str]) -> str:
    coding = ",".join(values).strip().lower()
    if coding not in _PLAIN | _GZIP | {"deflate"}:  # a list of two is none of these
        raise BadReply(f"Content-Encoding {coding!r}")
    return coding


class _Body:
    def __init__(self, coding: str, limits: Limits) -> None:
        self._coding = coding
        self._limits = limits
        self._raw = 0
        self._decoded = bytearray()
        self._inflate = zlib.decompressobj(31) if coding in _GZIP else None

    def add(self, chunk: bytes) -> None:
        self._raw += len(chunk)
        if self._raw > self._limits.max_body:
            raise TooLarge(f"more than {self._limits.max_body} bytes")
        ceiling = min(self._limits.max_body, max(RATIO_FLOOR, self._limits.max_ratio * self._raw))
        # One byte of room past the ceiling proves the excess; zlib never makes more than it is asked for.
        self._decoded += self._decode(chunk, ceiling - len(self._decoded) + 1)
        if len(self._decoded) > ceiling:
            raise TooLarge(f"{self._raw} bytes decode to more than {ceiling}")

    def _decode(self, chunk: bytes, room: int) -> bytes:
        if self._coding in _PLAIN:
            return chunk
        if (
            self._inflate is None
        ):  # deflate is zlib by the standard, whose first byte ends in 8, and bare at some servers
            self._inflate = zlib.decompressobj(15 if chunk[0] & 0x0F == 8 else -15)
        if self._inflate.eof:  # as browsers do, what follows the compressed body is ignored
            return b""
        try:
            return self._inflate.decompress(chunk, room)
        except zlib.error as error:
            raise BadReply(f"broken {self._coding}: {error}") from error

    def finish(self) -> bytes:
        if self._raw and self._inflate is not None and not self._inflate.eof:
            raise BadReply(f"{self._coding} ends early")
        return bytes(self._decoded)
