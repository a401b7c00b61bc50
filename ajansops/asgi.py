"""One callable on one port: Django as WSGI in a pool of threads, which answers several times faster than as ASGI.

Native ASGI routes (streams, MCP, the pixel) are told apart here when they come; liveness is one already, so that it
answers while every thread is busy.
"""

import os
from typing import Any

from a2wsgi import WSGIMiddleware

from ajansops.body import TooSlow, received
from ajansops.kit.ids import request_id

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")

from ajansops.wsgi import application as django

THREADS = 16
_pages: Any = WSGIMiddleware(django, workers=THREADS)  # type: ignore[arg-type]  # Django yields bytes


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
    await _pages(scope, body, send)


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
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
