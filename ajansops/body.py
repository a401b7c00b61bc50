"""Bodies are received before a thread is given to a request: a slow sender holds a socket and nothing else."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from typing import IO, Any

Receive = Callable[[], Awaitable[Any]]

SECONDS = 30.0  # for the whole body
MAX_BYTES = 21 * 2**20  # a product file and its form; parsers refuse what is too large for them in their own words
IN_MEMORY = 2**20
CHUNK = 2**16


class TooSlow(Exception):
    """The body did not arrive in time, or its sender left."""


async def received(receive: Receive) -> Receive:
    """A `receive` that has the body already. One that is too large is cut where every parser refuses it.

    Raises `TooSlow`.
    """
    first = await _within(receive, SECONDS)
    if not first.get("more_body"):
        return _replay(receive, [first])
    body = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed by the replay's end
    deadline = asyncio.get_running_loop().time() + SECONDS
    message = first
    while True:
        body.write(message.get("body", b""))
        if not message.get("more_body") or body.tell() > MAX_BYTES:
            break
        message = await _within(receive, deadline - asyncio.get_running_loop().time())
    body.seek(0)
    return _replay(receive, _chunks(body))


async def _within(receive: Receive, seconds: float) -> Any:
    try:
        message = await asyncio.wait_for(receive(), max(seconds, 0))
    except TimeoutError as error:
        raise TooSlow from error
    if message["type"] == "http.disconnect":
        raise TooSlow
    return message


def _chunks(body: IO[bytes]) -> Any:
    with body:
        while chunk := body.read(CHUNK):
            yield {"type": "http.request", "body": chunk, "more_body": True}
    yield {"type": "http.request", "body": b"", "more_body": False}


def _replay(receive: Receive, messages: Any) -> Receive:
    waiting = iter(messages)

    async def again() -> Any:
        for message in waiting:
            return message
        return await receive()

    return again
