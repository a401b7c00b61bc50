"""A small web server on loopback, in a thread, for trees of pages that are made in memory."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

HTML = "text/html; charset=utf-8"
HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9A-Fa-f:]+\](:\d+)?")


@dataclass(frozen=True, slots=True)
class Reply:
    """What a path answers."""

    body: bytes = b""
    media_type: str = HTML
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


# From the site's own base URL (as the caller spelled it in `Host`) to the answer.
Answer = Callable[[str], Reply]
Tree = Mapping[str, Answer]


def text(body: str, media_type: str = HTML, *, status: int = 200) -> Answer:
    """Text in which `{site}` stands for the base URL."""
    return lambda site: Reply(body.replace("{site}", site).encode(), media_type, status)


def redirect(to: str, status: int = 301) -> Answer:
    """To another path of the same site."""
    return lambda site: Reply(status=status, headers={"Location": site + to})


NOT_FOUND = text("<!doctype html><html lang='en'><title>Not found</title><h1>Not found</h1>", status=404)


class LoopbackServer:
    """Serves `tree` from `start()` to `stop()`, or for the length of a `with`. Port 0 takes a free one."""

    def __init__(self, tree: Tree, host: str = "127.0.0.1", port: int = 0, *, headers: Mapping[str, str]) -> None:
        self._server = ThreadingHTTPServer((host, port), _handler(tree, headers))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="demo-site", daemon=True)

    @property
    def url(self) -> str:
        """The base URL, without a slash at the end."""
        return _url(self._server.socket.getsockname())

    def start(self) -> Self:
        """Answers from here on."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Frees the port. A server that was stopped does not start again."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _url(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _handler(tree: Tree, headers: Mapping[str, str]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "DemoSite"
        sys_version = ""
        timeout = 30  # seconds; a client that keeps its connection open and says nothing

        def do_GET(self) -> None:
            reply = tree.get(urlsplit(self.path).path, NOT_FOUND)(self._site())
            self.send_response(reply.status)
            fixed = {"Content-Type": reply.media_type, "Content-Length": str(len(reply.body))}
            for name, value in {**headers, **fixed, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_HEAD = do_GET  # noqa: N815  # the name that http.server looks for

        def _site(self) -> str:
            """A `Host` with anything but a host in it would end up in the page: the server's own address then."""
            host = self.headers.get("Host", "")
            if HOST.fullmatch(host):
                return f"http://{host}"
            return _url(self.connection.getsockname())

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the demo's own output is for people."""

    return Handler
