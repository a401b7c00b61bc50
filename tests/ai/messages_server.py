"""A small server that speaks Anthropic's Messages API over real HTTP, with faults on demand."""

import json
import select
import socket
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
USAGE = {
    "input_tokens": 100,
    "output_tokens": 20,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
}


class MessagesServer:
    """`with MessagesServer() as server:`; queue answers with `says`, `streams`, `fails`, `hangs`; see `requests`.

    With an empty queue it makes an answer from the JSON schema it was sent, and refuses a request without one.
    `arrived` is set when a request is here, `left` when the client of a held stream has gone; `resume` lets it go on.
    """

    def __init__(self):
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.answers: deque = deque()
        self.released = threading.Event()
        self.arrived, self.left, self.resume = threading.Event(), threading.Event(), threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"messages": self}))
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.released.set()
        self.resume.set()
        self._http.shutdown()
        self._http.server_close()

    def says(self, content, *, usage=None, stop_reason="end_turn"):
        """`content` is the text, or an object that becomes JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        self.answers.append((200, {}, (text, {**USAGE, **(usage or {})}, stop_reason)))

    def streams(self, *pieces, usage=None, stop_reason="end_turn", hold=None, end="whole"):
        """Server-sent events. `hold` waits after so many pieces; `end` is whole, cut, broken, or an error's type."""
        self.answers.append((200, {}, Stream(pieces, {**USAGE, **(usage or {})}, stop_reason, hold, end)))

    def fails(self, status, *, times=1, message="no", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers.extend([(status, named, message)] * times)

    def hangs(self, times=1):
        self.answers.extend([(0, {}, None)] * times)

    def says_raw(self, body: bytes):
        self.answers.append((200, {}, body))

    def _next(self, request):
        if self.answers:
            return self.answers.popleft()
        schema = request["output_config"]["format"]["schema"]
        made = {
            name: ["pot"] if spec["type"] == "array" else "A clay pot" for name, spec in schema["properties"].items()
        }
        return 200, {}, (json.dumps(made), USAGE, "end_turn")


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    messages: MessagesServer
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.messages.requests.append(body)
        self.messages.arrived.set()
        self.messages.headers.append({name.lower(): value for name, value in self.headers.items()})
        if self.path != "/v1/messages":
            return self.send(404, {}, b"{}")
        status, headers, content = self.messages._next(body)
        if status == 0:
            self.abandoned(self.messages.released)
            self.close_connection = True
            return None
        if isinstance(content, Stream):
            self.close_connection = True
            try:
                return self.stream(content, body["model"])
            except OSError:
                self.messages.left.set()
                return None
        return self.send(status, headers, self.encoded(status, content, body))

    def stream(self, content, model):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for place, event in enumerate(content.events(model)):
            if content.hold is not None and place == content.hold + 2 and self.abandoned(self.messages.resume):
                return
            data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()
        if content.end != "cut":
            self.wfile.write(b"0\r\n\r\n")

    def abandoned(self, resume):
        """Wait for `resume`; True when the client left instead."""
        while not resume.wait(0.005):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                self.messages.left.set()
                return True
        return False

    def encoded(self, status, content, request):
        if isinstance(content, bytes):
            return content
        if status != 200:
            error = {"type": ERROR_TYPES[status], "message": content}
            return json.dumps({"type": "error", "error": error}).encode()
        text, usage, stop_reason = content
        message = {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": request["model"],
            "content": [{"type": "text", "text": text}],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": usage,
        }
        return json.dumps(message).encode()

    def send(self, status, headers, body):
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        """Quiet."""


class Stream:
    """What `streams` queued, as the events of the API."""

    def __init__(self, pieces, usage, stop_reason, hold, end):
        self.pieces, self.usage, self.stop_reason, self.hold, self.end = pieces, usage, stop_reason, hold, end

    def events(self, model):
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
        message |= {"stop_reason": None, "stop_sequence": None, "usage": {**self.usage, "output_tokens": 1}}
        yield {"type": "message_start", "message": message}
        yield {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
        for piece in self.pieces:
            yield {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        if self.end in {"cut", "broken"}:
            return
        if self.end != "whole":
            yield {"type": "error", "error": {"type": self.end, "message": "no"}}
            return
        yield {"type": "content_block_stop", "index": 0}
        delta = {"stop_reason": self.stop_reason, "stop_sequence": None}
        yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": self.usage["output_tokens"]}}
        yield {"type": "message_stop"}
