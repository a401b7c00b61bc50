"""Answers that arrive piece by piece, and requests that wait long: both live on the server's event loop.

`ajansops.asgi` gives each such request a `Visit`. Elsewhere (WSGI, the test client) there is none, and a view answers
whole.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse

T = TypeVar("T")
VISIT = "ajansops.visit"  # in the ASGI scope
STOPPING = threading.Event()  # this process was told to stop: what could go on for minutes ends now
PLAIN = "text/plain; charset=utf-8"

# Nothing between us and the reader may hold back, or change, what is on its way.
UNBUFFERED = {"X-Accel-Buffering": "no", "Cache-Control": "no-store, no-transform"}


class StreamBroken(Exception):
    """The rest will not come. The connection ends without the end of the body, so that no client takes it for whole."""


class Visit:
    """One request on the loop: whether its client is still there, and what to give back when it is over."""

    def __init__(self) -> None:
        self.gone = asyncio.Event()
        self.closing = AsyncExitStack()

    def watched(self, receive: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[Any]]:
        """`receive`, noticing that the client went away. Django's handler may lose that while a thread works."""

        async def noticing() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone.set()
            return message

        return noticing


class TextStream(StreamingHttpResponse):
    """Text, a piece at a time."""

    def __init__(
        self, pieces: AsyncIterator[bytes], headers: Mapping[str, str] | None = None, *, content_type: str = PLAIN
    ) -> None:
        super().__init__(pieces, content_type=content_type, headers={**UNBUFFERED, **(headers or {})})
        self._pieces = pieces

    def __aiter__(self) -> AsyncIterator[bytes]:
        """As it is: Django would wrap it, and what is wrapped is closed by nobody when the client goes away."""
        return self._pieces


def visit_of(request: HttpRequest) -> Visit | None:
    """None where there is no event loop to live on."""
    scope: Mapping[str, Any] = getattr(request, "scope", {})
    visit: Visit | None = scope.get(VISIT)
    return visit


async def let_go() -> None:
    """Of the thread and of the connection to the database that the request was answered with, before its stream begins.

    Whoever calls `sync_to_async` afterwards gets a thread anew.
    """
    await sync_to_async(connections.close_all)()
    context = SyncToAsync.thread_sensitive_context.get(None)
    thread = SyncToAsync.context_to_thread_executor.pop(context, None) if context else None
    if thread is not None:
        thread.shutdown(wait=False)


def outside(request: HttpRequest, work: Callable[[], Awaitable[T]]) -> T:
    """Run it to its end without a database connection; on the server's loop where there is one."""
    if visit_of(request):
        connections.close_all()

    async def worked() -> T:
        return await work()

    return async_to_sync(worked)()
