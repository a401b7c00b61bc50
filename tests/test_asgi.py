"""The front: a slow sender holds a socket, never a thread; liveness answers when every thread is busy."""

import asyncio
import json
import re
import signal
import threading

import pytest
from django.conf import settings

from ajansops import asgi, body

NATIVE = ("/api/audit/run", "/api/chat/insight", "/api/v1/jobs/job_1/events")


async def call(path="/healthz", messages=(), method="GET", headers=(), timeout=5):
    """One request; what was sent back. Without a last message the sender is silent."""
    waiting = list(messages)
    sent = []

    async def receive():
        if not waiting:
            await asyncio.Event().wait()
        return waiting.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), *headers], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await asyncio.wait_for(asgi.application(scope, receive, send), timeout)
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent[1:]), dict(sent[0]["headers"])


def chunk(data: bytes, *, more: bool) -> dict:
    return {"type": "http.request", "body": data, "more_body": more}


@pytest.fixture
def echo(monkeypatch):
    """Instead of Django: answers with the length of the body it was given."""
    seen = []

    async def pages(scope, receive, send):
        data, more = b"", True
        while more:
            message = await receive()
            data, more = data + message["body"], message["more_body"]
        seen.append(data)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(len(data)).encode()})

    monkeypatch.setattr(asgi, "_pages", pages)
    return seen


def test_liveness_needs_no_thread(monkeypatch):
    monkeypatch.setattr(asgi, "_pages", None)
    status, said, headers = asyncio.run(call())
    assert (status, said) == (200, b"ok")
    assert b"x-request-id" in headers


@pytest.mark.parametrize("sizes", [[0], [5], [70_000, 3], [body.IN_MEMORY, body.IN_MEMORY]])
def test_a_body_arrives_whole(echo, sizes):
    messages = [chunk(b"x" * size, more=n < len(sizes) - 1) for n, size in enumerate(sizes)]
    assert asyncio.run(call("/x", messages, "POST"))[1] == str(sum(sizes)).encode()


def test_a_slow_sender_gets_408_and_no_thread(echo, monkeypatch):
    monkeypatch.setattr(body, "SECONDS", 0.05)
    status, said, _ = asyncio.run(call("/accounts/login/", [chunk(b"csrf", more=True)], "POST"))
    assert (status, json.loads(said)["error"]) == (408, "request_timeout")
    assert echo == []


def test_a_sender_that_leaves_gets_no_thread(echo):
    asyncio.run(call("/x", [chunk(b"a", more=True), {"type": "http.disconnect"}], "POST"))
    assert echo == []


def test_an_endless_body_is_cut(echo, monkeypatch):
    monkeypatch.setattr(body, "MAX_BYTES", 1000)
    asyncio.run(call("/x", [chunk(b"x" * 600, more=True)] * 5, "POST"))
    assert len(echo[0]) == 1200


@pytest.mark.parametrize("path", NATIVE)
def test_what_waits_for_a_model_takes_none_of_the_pages_threads(path, monkeypatch):
    monkeypatch.setattr(asgi, "_pages", None)
    status, said, _ = asyncio.run(call(path, [chunk(b"{}", more=False)], "PUT"))
    assert (status, json.loads(said)["error"]) == (405, "method_not_allowed")


@pytest.mark.parametrize("path", NATIVE)
def test_a_slow_sender_is_no_better_off_there(path, monkeypatch):
    monkeypatch.setattr(body, "SECONDS", 0.05)
    assert asyncio.run(call(path, [chunk(b"{", more=True)], "POST"))[0] == 408


@pytest.mark.parametrize("path", NATIVE)
def test_the_proxy_sends_it_to_the_process_for_it(path):
    proxy = (settings.BASE_DIR / "deploy" / "nginx.conf").read_text()
    pattern = re.search(r"location ~ (\S+) \{\s+proxy_pass http://ajansops_stream", proxy)[1]
    assert re.search(pattern, path)
    assert "\nstream: python -m uvicorn ajansops.asgi:application" in (settings.BASE_DIR / "Procfile").read_text()


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/jobs/job_1", "/api/v1/jobs/a/b/events", "/api/audit/run/x"])
def test_what_does_not_wait_has_the_pages_threads(path, echo):
    assert asyncio.run(call(path, [chunk(b"", more=False)]))[1] == b"0"
    assert echo == [b""]


def test_streams_hear_that_the_server_stops(monkeypatch):
    heard = []
    monkeypatch.setattr(asgi, "STOPPING", threading.Event())
    before = signal.signal(signal.SIGTERM, lambda *_: heard.append(asgi.STOPPING.is_set()))
    try:
        asyncio.run(lifespan("startup", "shutdown"))
        assert not asgi.STOPPING.is_set()
        signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert heard == [True]


async def lifespan(*stages):
    """As the server goes through them."""
    waiting = [{"type": f"lifespan.{stage}"} for stage in stages]

    async def receive():
        return waiting.pop(0)

    async def send(message):
        assert message["type"].endswith(".complete")

    await asgi.application({"type": "lifespan"}, receive, send)
