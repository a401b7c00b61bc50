"""One callable on one port: Django as WSGI in a pool of threads, which answers several times faster than as ASGI.

Native ASGI routes (streams, MCP, the pixel) are told apart here when they come.
"""

import os
from typing import Any

from a2wsgi import WSGIMiddleware
from a2wsgi.asgi_typing import Receive, Scope, Send

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ajansops.settings")

from ajansops.wsgi import application as django

THREADS = 16
_pages = WSGIMiddleware(django, workers=THREADS)  # type: ignore[arg-type]  # Django yields bytes


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Lifespan here, everything else to Django."""
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "http":
        await _pages(scope, receive, send)
    else:
        await send({"type": "websocket.close", "code": 1000})


async def _live(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
