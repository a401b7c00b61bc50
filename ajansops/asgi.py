"""One callable on one port: Django as WSGI in a pool of threads, which answers several times faster than as ASGI.

What streams, or waits for a model, goes to Django's own ASGI application instead: it would hold one of the few threads
for minutes. Liveness is answered here, also while every thread is busy. MCP and the pixel get their places when they
come.
"""

import os
import re
import signal
import threading
from contextlib import suppress
from types import FrameType
from typing import Any

from a2wsgi import WSGIMiddleware
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.db import connections

from ajansops.api.streams import STOPPING, VISIT, StreamBroken, Visit
from ajansops.body import TooSlow, received
from ajansops.kit.ids import request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")

from django.core.asgi import get_asgi_application

from ajansops.wsgi import application as django

# The proxy knows them too: deploy/nginx.conf.
NATIVE = re.compile(r"/api/(audit/run|chat/insight|v1/jobs/[^/]+/events)")
THREADS = 16
_pages: Any = WSGIMiddleware(django, workers=THREADS)  # type: ignore[arg-type]  # Django yields bytes
_native: Any = get_asgi_application()


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Lifespan and liveness here, everything else to Django."""
    match scope["type"], scope.get("path"):
        case "lifespan", _:
            await _live(receive, send)
        case "http", "/healthz":
            await _answer(send, 200, b"ok")
        case "http", _:
            await _page(scope, receive, send)
        case _:
            await send({"type": "websocket.close", "code": 1000})


async def _page(scope: Any, receive: Any, send: Any) -> None:
    try:
        body = await received(receive)
    except TooSlow:
        await _answer(send, 408, b'{"error": "request_timeout", "message": "The body did not arrive in time."}')
        return
    if NATIVE.fullmatch(scope["path"]):
        await _visited(scope, body, send)
    else:
        await _pages(scope, body, send)


async def _visited(scope: Any, receive: Any, send: Any) -> None:
    """In a thread of its own, while it needs one. Whatever becomes of the request, what it opened is closed."""
    visit = Visit()
    async with ThreadSensitiveContext(), visit.closing:
        visit.closing.push_async_callback(sync_to_async(connections.close_all))
        with suppress(StreamBroken):
            await _native({**scope, VISIT: visit}, visit.watched(receive), send)


async def _answer(send: Any, status: int, body: bytes) -> None:
    media_type = b"application/json" if body.startswith(b"{") else b"text/plain"
    headers = [
        (b"content-type", media_type),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id().encode()),
        (b"x-duration-ms", b"0"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            _hear_of_the_stop()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


def _hear_of_the_stop() -> None:
    """The server waits for streams when it stops, and does not tell them."""
    if threading.current_thread() is not threading.main_thread():
        return  # where no signals come
    before = signal.getsignal(signal.SIGTERM)

    def stop(number: int, frame: FrameType | None) -> None:
        STOPPING.set()
        if callable(before):
            before(number, frame)

    signal.signal(signal.SIGTERM, stop)
