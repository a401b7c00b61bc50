"""A client of our own API, as a customer would write one: an address, a key, JSON."""

import http.client
import json
import time
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 30.0  # seconds to wait for a server that restarts


class ApiError(Exception):
    """The API refused. `status` and `body` as it answered."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {json.dumps(body, ensure_ascii=False)}")
        self.status = status
        self.body = body


class ApiClient:
    """One call, one connection."""

    def __init__(self, url: str, key: str) -> None:
        self._address = urlsplit(url).netloc
        self._key = key

    def get(self, path: str) -> Any:
        """Raises `ApiError`."""
        return self.call("GET", path)

    def post(self, path: str, body: Any = None) -> Any:
        """Raises `ApiError`."""
        return self.call("POST", path, json.dumps(body or {}).encode())

    def patch(self, path: str, body: Any) -> Any:
        """Raises `ApiError`."""
        return self.call("PATCH", path, json.dumps(body).encode())

    def pages(self, path: str) -> list[Any]:
        """All rows of a list on core."""
        rows, separator = [], "&" if "?" in path else "?"
        page, last = 1, 1
        while page <= last:
            answer = self.get(f"{path}{separator}per_page=100&page={page}")
            rows += answer["data"]
            page, last = page + 1, answer["meta"]["last_page"]
        return rows

    def call(self, method: str, path: str, body: bytes | None = None, content_type: str = "application/json") -> Any:
        """The decoded answer; raises `ApiError` for anything but 2xx. A GET waits for a server that restarts."""
        deadline = time.monotonic() + (PATIENCE if method == "GET" else 0)
        while True:
            try:
                return self._once(method, path, body, content_type)
            except (ConnectionError, http.client.HTTPException):
                if time.monotonic() >= deadline:
                    raise
                time.sleep(0.5)

    def _once(self, method: str, path: str, body: bytes | None, content_type: str) -> Any:
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": content_type}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        decoded = json.loads(text) if text else None
        if not 200 <= answer.status < 300:
            raise ApiError(answer.status, decoded)
        return decoded
