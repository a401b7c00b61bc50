"""Somebody's server that takes webhooks, as an outsider would write it: it knows nothing of our code."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Taken:
    """One request."""

    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes
    at: float = field(default_factory=time.monotonic)
    until: float = math.inf  # when it was about to be answered


@dataclass
class Answer:
    """What is said to it, after how long."""

    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0


@dataclass
class Receiver:
    """`url` is where it listens; `answer` may be changed at any time."""

    url: str = ""
    answer: Callable[[Taken], Answer] = lambda taken: Answer()
    taken: list[Taken] = field(default_factory=list)
    inside: int = 0
    most: int = 0  # at a time
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(init=False)

    def __post_init__(self) -> None:
        self.changed = threading.Condition(self.lock)

    @property
    def ids(self) -> list[str]:
        return [taken.headers["webhook-id"] for taken in self.taken]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            taken = Taken(self.path, {n.lower(): v for n, v in self.headers.items()}, self.rfile.read(length))
            with receiver.lock:
                receiver.taken.append(taken)
                receiver.inside += 1
                receiver.most = max(receiver.most, receiver.inside)
                receiver.changed.notify_all()
            try:
                answer = receiver.answer(taken)
                if answer.after:
                    receiver.released.wait(answer.after)
            finally:
                with receiver.lock:
                    receiver.inside -= 1
                    taken.until = time.monotonic()
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_args) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *_args) -> None:
            pass  # whoever asked has gone

    server = Server(("127.0.0.1", port), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        server.server_close()
