"""What one fetch may cost, against servers that want it to cost more."""

import asyncio
import gzip
import socket
import threading
import time
import tracemalloc
import zlib

import pytest

from ajansops.kit.net import (
    BadReply,
    Limits,
    Timeout,
    TooLarge,
)
from tests.kit.net_servers import always, client, fetch, redirect, reply, routes, serving, silence

MIB = 2**20


def zlib_raw(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", zlib_raw),
        ("identity", bytes),
        ("gzip", lambda data: gzip.compress(data) + b"\0trailing"),
    ],
)
def test_a_body_arrives_decoded(coding, pack):
    page = b"<p>" + b"sayfa " * 50_000
    assert fetch(always(reply(pack(page), f"Content-Encoding: {coding}"))).body == page


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (gzip.compress(gzip.compress(b"x")), ["Content-Encoding: gzip, gzip"]),
        (gzip.compress(b"x"), ["Content-Encoding: gzip", "Content-Encoding: identity"]),
        (b"x", ["Content-Encoding: br"]),
        (b"not gzip at all", ["Content-Encoding: gzip"]),
        (gzip.compress(b"x" * 1000)[:-9], ["Content-Encoding: gzip"]),
        (b"x", ["Content-Length: 7"]),
    ],
    ids=["twice", "two headers", "unasked", "not gzip", "cut short", "two lengths"],
)
def test_a_body_that_is_not_encoded_as_asked_is_refused(body, headers):
    with pytest.raises(BadReply):
        fetch(always(reply(body, *headers)))


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9.6\r\n\r\n", b"HTTP/1.1 2000 X\r\n\r\n", b"\0" * 100], ids=["ssh", "status", "zeros"]
)
def test_what_is_not_http_is_refused(answer):
    with pytest.raises(BadReply):
        fetch(always(answer), limits=Limits(total_seconds=5))


def bomb(size):
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(bytes(MIB)) for _ in range(size // MIB)), packer.flush()])


@pytest.mark.parametrize(
    "limits", [Limits(), Limits(max_body=MIB), Limits(max_ratio=10**9, max_body=2 * MIB)], ids=["ratio", "both", "size"]
)
def test_a_gzip_bomb_is_stopped_in_little_memory(limits):
    answer = reply(bomb(96 * MIB), "Content-Encoding: gzip")
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            fetch(always(answer), limits=limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 32 * MIB


def test_a_body_beyond_the_ratio_is_stopped_below_the_cap():
    page = bytes(4 * MIB)
    answer = reply(gzip.compress(page), "Content-Encoding: gzip")
    with pytest.raises(TooLarge):
        fetch(always(answer))
    assert fetch(always(answer), limits=Limits(max_ratio=2000)).body == page


def test_a_small_page_may_compress_beyond_the_ratio():
    page = bytes(MIB // 2)
    assert fetch(always(reply(gzip.compress(page), "Content-Encoding: gzip"))).body == page


def test_an_announced_body_over_the_cap_is_not_read():
    with pytest.raises(TooLarge):
        fetch(always(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n"), limits=Limits(max_body=1000, total_seconds=5))


@pytest.mark.parametrize(
    "start", [b"\r\n", b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"x")], ids=["plain", "after gzip's end"]
)
def test_an_endless_body_is_cut_at_the_cap(start):
    sent = []

    async def endless(_, writer):
        writer.write(b"HTTP/1.1 200 OK\r\n" + start)
        while True:
            writer.write(bytes(65536))
            await writer.drain()
            sent.append(65536)

    with pytest.raises(TooLarge):
        fetch(endless, limits=Limits(max_body=MIB))
    assert sum(sent) < 32 * MIB  # what sockets buffer, and no more


def test_a_body_of_exactly_the_cap_passes():
    assert len(fetch(always(reply(bytes(1000))), limits=Limits(max_body=1000)).body) == 1000


@pytest.mark.parametrize(
    ("headers", "error"),
    [
        ([f"X-{n}: {'a' * 1000}" for n in range(40)], TooLarge),
        ([f"X: {'a' * 2**16}"], TooLarge),
        ([f"X-{n}: 1" for n in range(2000)], BadReply),
    ],
    ids=["together", "one", "many"],
)
def test_a_flood_of_headers_is_refused(headers, error):
    with pytest.raises(error):
        fetch(always(reply(b"x", *headers)))


def test_a_long_header_within_the_cap_passes():
    assert len(fetch(always(reply(b"x", f"X: {'a' * 20_000}"))).headers["x"]) == 20_000


def endless(start, piece):
    async def handle(_, writer):
        writer.write(start)
        while True:
            writer.write(piece * 500)
            await writer.drain()

    return handle


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FLOODS = {
    "interim answers": endless(b"", b"HTTP/1.1 103 Early\r\n\r\n"),
    "their headers": endless(b"", b"HTTP/1.1 103 Early\r\n" + b"X: aaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 50 + b"\r\n"),
    "a chunk's extension": endless(CHUNKED + b"1;", b"a" * 100),
    "a later chunk's extension": endless(CHUNKED + b"1\r\na\r\n1;", b"a" * 100),
    "a chunk's size": endless(CHUNKED, b"0" * 100),
    "one header": endless(b"HTTP/1.1 200 OK\r\nX: ", b"a" * 100),
}


async def ask(net, server, method, seconds):
    limits = Limits(total_seconds=seconds)
    if method == "post":
        return await net.post(server.url(), b"{}", headers={}, keep=4096, limits=limits)
    return await net.get(server.url(), limits=limits)


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("handle", FLOODS.values(), ids=FLOODS)
def test_a_flood_beside_the_body_is_cut_short(handle, method):
    async def run():
        async with serving(handle) as server, client() as net:
            with pytest.raises(TooLarge):
                await ask(net, server, method, seconds=5)

    asyncio.run(run())


def test_a_flood_after_the_answer_ends_the_connection():
    async def run():
        idle, ended = asyncio.Event(), asyncio.Event()

        async def flood(request, writer):
            writer.write(reply(b"x"))
            await idle.wait()
            try:
                await FLOODS["interim answers"](request, writer)
            except ConnectionError:
                ended.set()

        async with serving(flood) as server, client() as net:
            assert (await net.get(server.url())).body == b"x"
            idle.set()
            async with asyncio.timeout(10):
                await ended.wait()

    asyncio.run(run())


def test_each_exchange_of_a_connection_is_counted_anew():
    async def run():
        async with serving(always(reply(b"x", f"X: {'a' * 20_000}"))) as server, client() as net:
            for _ in range(4):
                assert (await net.get(server.url())).body == b"x"
            return server.connections

    assert asyncio.run(run()) == 1


@pytest.mark.parametrize("size", [10, 1000, 100_000])
def test_a_body_in_chunks_arrives_whole(size):
    chunk = b"%x\r\n%b\r\n" % (size, b"a" * size)
    answer = CHUNKED + chunk * (300_000 // size) + b"0\r\n\r\n"
    assert fetch(always(answer)).body == b"a" * 300_000


def test_of_a_large_answer_to_a_post_the_beginning_is_read():
    async def run():
        async with serving(always(reply(b"a" * MIB))) as server, client() as net:
            return await ask(net, server, "post", seconds=5)

    assert asyncio.run(run()).body == b"a" * 4096


def test_a_broken_body_is_not_waited_for():
    async def broken(_, writer):
        writer.write(CHUNKED + b"2\r\nok\r\nno size\r\n")  # and the connection stays open

    with pytest.raises(BadReply):
        fetch(broken, limits=Limits(total_seconds=5))


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nok", 204),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 204),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok", 200),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok", 200),
        (CHUNKED + b"2\r\nok\r\nno size\r\n", 200),
    ],
    ids=["204 with a body", "204 in chunks", "more than announced", "less than announced", "broken chunks"],
)
def test_the_status_of_an_answer_to_a_post_counts_whatever_its_body_is(answer, status):
    async def run():
        async def handle(_, writer):
            writer.write(answer)
            writer.close()

        async with serving(handle) as server, client() as net:
            found = [(await ask(net, server, "post", seconds=5)).status for _ in range(2)]
            return found, server.connections

    assert asyncio.run(run()) == ([status, status], 2)


def test_what_follows_an_answer_is_not_the_next_one():
    async def run():
        async with serving(always(reply(b"ok") + reply(b"forged"))) as server, client() as net:
            return [(await ask(net, server, "post", seconds=5)).body for _ in range(2)]

    assert asyncio.run(run()) == [b"ok", b"ok"]


async def drip_headers(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await drip(writer, b"X: y\r\n")


async def drip_body(_, writer):
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    await drip(writer, b"x")


async def drip_interim(_, writer):
    await drip(writer, b"HTTP/1.1 103 Early Hints\r\n\r\n")


async def redirect_slowly(_, writer):
    await asyncio.sleep(0.1)
    writer.write(redirect("/"))


async def drip(writer, piece):
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("handle", [silence, drip_headers, drip_body, drip_interim, redirect_slowly])
def test_the_deadline_is_for_the_whole_exchange(handle):
    started = time.monotonic()
    with pytest.raises(Timeout):
        fetch(handle, limits=Limits(total_seconds=0.4, max_redirects=100))
    assert time.monotonic() - started < 3


def test_the_deadline_covers_the_resolver(monkeypatch):
    answered = threading.Event()

    def hang(*_, **__):
        answered.wait()
        return []

    async def run():
        async with client() as net:
            await net.get("http://slow.test/", limits=Limits(total_seconds=0.1))

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    with pytest.raises(Timeout):
        asyncio.run(run())
    answered.set()


def test_a_failed_fetch_leaves_the_client_working():
    async def run():
        table = {"/big": reply(bytes(2000)), "/": reply(b"fine")}
        async with serving(routes(table)) as server, client(limits=Limits(max_body=1000)) as net:
            with pytest.raises(TooLarge):
                await net.get(server.url("/big"))
            return await net.get(server.url())

    assert asyncio.run(run()).body == b"fine"
