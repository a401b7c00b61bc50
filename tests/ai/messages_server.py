"""A small server that speaks Anthropic's Messages API over real HTTP, with faults on demand."""

import json
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
    """`with MessagesServer() as server:`; queue answers with `says`, `fails`, `hangs`; see `requests` and `headers`.

    With an empty queue it makes an answer from the JSON schema it was sent, and refuses a request without one.
    """

    def __init__(self):
        self.requests: list[dict] = []
        self.headers: list[dict] = []
        self.answers: deque = deque()
        self.released = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.released.set()
        self._http.shutdown()
        self._http.server_close()

    def says(self, content, *, usage=None, stop_reason="end_turn"):
        """`content` is the text, or an object that becomes JSON."""
        text = content if isinstance(content, str) else json.dumps(content)
        self.answers.append((200, {}, (text, {**USAGE, **(usage or {})}, stop_reason)))

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

    def _handler(self):
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server.requests.append(body)
                server.headers.append({name.lower(): value for name, value in self.headers.items()})
                if self.path != "/v1/messages":
                    return self.send(404, {}, b"{}")
                status, headers, content = server._next(body)
                if status == 0:
                    server.released.wait(30)
                    self.close_connection = True
                    return None
                return self.send(status, headers, self.encoded(status, content, body))

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

        return Handler
