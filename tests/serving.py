"""The ASGI application under real uvicorn, in a thread of the test's process: what it does can be watched from here."""

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from ajansops.asgi import application


class Served:
    """Speaks HTTP to it, an answer's bytes as they come."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._open: list[http.client.HTTPConnection] = []

    def post(self, path: str, body: Any, **headers: str) -> http.client.HTTPResponse:
        """The answer, once its head is here."""
        connection = self.connect()
        self.send(connection, path, body, **headers)
        return connection.getresponse()

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        """As `post`, without a body."""
        connection = self.connect()
        connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        return connection.getresponse()

    def connect(self) -> http.client.HTTPConnection:
        """Closed at the end at the latest."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self._open.append(connection)
        return connection

    def send(self, connection: http.client.HTTPConnection, path: str, body: Any, **headers: str) -> None:
        """Without waiting for an answer."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **given})

    def hang_up(self, answer: http.client.HTTPResponse | None = None) -> None:
        """As a client that goes away: both ends of what it has open."""
        if answer is not None:
            answer.close()
        while self._open:
            connection = self._open.pop()
            if connection.sock is not None:
                connection.sock.shutdown(socket.SHUT_RDWR)
            connection.close()


@contextmanager
def serving() -> Iterator[Served]:
    """Up when entered, down when left."""
    config = uvicorn.Config(application, port=0, log_level="critical", proxy_headers=False, timeout_graceful_shutdown=5)
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    client = Served(listening.getsockname()[1])
    try:
        yield client
    finally:
        client.hang_up()
        server.should_exit = True
        thread.join(10)
        listening.close()
