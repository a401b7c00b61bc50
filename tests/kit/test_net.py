"""The one outgoing client: whom it asks, what it says, where it goes."""

import asyncio
import socket
import traceback
from contextlib import ExitStack, contextmanager

import aiohttp.connector
import pytest

from ajansops.kit.net import (
    BadReply,
    Blocked,
    Hop,
    Limits,
    NetError,
    Timeout,
    TooManyRedirects,
    Unreachable,
)
from tests.kit.net_servers import FakeDns, always, client, fetch, redirect, reply, routes, serving, silence, tls_pair


@pytest.fixture
def dns(monkeypatch):
    """Call it when servers are up: replaces the resolver by the given answers."""

    def install(answers):
        fake = FakeDns(answers)
        monkeypatch.setattr(socket, "getaddrinfo", fake)
        return fake

    return install


def test_it_works():
    answer = reply(b"merhaba", 'Content-Type: Text/HTML; Charset="ISO-8859-9"', "X-A: 1", "X-A: 2")
    response = fetch(always(answer))
    assert (response.status, response.body, response.hops) == (200, b"merhaba", ())
    assert (response.media_type, response.charset, response.headers["x-a"]) == ("text/html", "iso-8859-9", "1, 2")
    assert 0 <= response.elapsed_ms < 5000


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified", "404 Not Found", "503 Busy", "302 Found"])
def test_any_status_is_an_answer(status):
    assert fetch(always(reply(status=status))).status == int(status[:3])


@pytest.mark.parametrize(("method", "coding"), [("get", "gzip, deflate"), ("post", "identity")])
def test_a_request_names_us_and_our_words_win_over_the_callers(method, coding):
    async def run():
        theirs = {"Host": "evil", "Accept-Encoding": "br", "Accept": "image/*", "User-Agent": "evil", "X-A": "b"}
        async with serving(always(reply())) as server, client() as net:
            if method == "post":
                await net.post(server.url("/a?b=1"), b"", headers=theirs, keep=9)
            else:
                await net.get(server.url("/a?b=1"), headers=theirs)
            return server.requests[0], server.port

    request, port = asyncio.run(run())
    assert request.path == "/a?b=1"
    length = {"content-length": ["0"], "content-type": ["application/octet-stream"]} if method == "post" else {}
    assert request.every == {
        "host": [f"127.0.0.1:{port}"],
        "accept": ["image/*"],
        "x-a": ["b"],
        "user-agent": ["AjansOps-test (+https://example.com/bot)"],
        "accept-encoding": [coding],
        **length,
    }


def test_many_requests_share_connections():
    async def run():
        async with serving(always(reply(b"x"))) as server, client() as net:
            for _ in range(3):
                await asyncio.gather(*(net.get(server.url()) for _ in range(5)))
            return server.connections, len(server.requests)

    connections, requests = asyncio.run(run())
    assert connections <= 5
    assert requests == 15


def test_a_cookie_is_not_kept():
    async def run():
        async with serving(always(reply(b"", "Set-Cookie: a=b; Path=/"))) as server, client() as net:
            for _ in range(2):
                await net.get(server.url())
            return server.requests[1].headers

    assert "cookie" not in asyncio.run(run())


def test_a_proxy_in_the_environment_is_ignored(monkeypatch, tmp_path):
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    async def run():
        async with serving(always(reply(b"proxy"))) as proxy, serving(always(reply(b"direct"))) as server:
            for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
                monkeypatch.setenv(name, proxy.url())
            async with client() as net:
                response = await net.get(server.url())
            return response.body, proxy.connections, server.requests[0].headers

    body, proxied, headers = asyncio.run(run())
    assert (body, proxied) == (b"direct", 0)
    assert "authorization" not in headers


# Names


def test_a_name_is_resolved_once_and_the_checked_address_dialled(dns):
    async def run():
        async with serving(always(reply(b"here")), host="127.0.0.3") as server, client() as net:
            names = dns({"shop.test": [["127.0.0.3"], ["10.0.0.1"]]})  # a second lookup would see the other one
            response = await net.get(server.url(host="shop.test"))
            return response.body, names.lookups, server.requests[0].headers["host"], server.port

    body, lookups, host, port = asyncio.run(run())
    assert (body, lookups, host) == (b"here", ["shop.test"], f"shop.test:{port}")


def test_one_bad_address_among_good_ones_blocks_the_name(dns):
    async def run():
        async with serving(always(reply()), host="127.0.0.3") as server, client() as net:
            dns({"shop.test": [["127.0.0.3", "10.0.0.1"]]})
            with pytest.raises(Blocked):
                await net.get(server.url(host="shop.test"))
            return server.connections

    assert asyncio.run(run()) == 0


def test_every_hop_is_resolved_and_judged_anew(dns):
    async def run():
        async with serving(always(reply(b"", "Location: /next", "Connection: close", status="302 Found"))) as server:
            names = dns({"shop.test": [["127.0.0.1"], ["127.0.0.1"], ["10.0.0.1"]]})
            async with client() as net:
                with pytest.raises(Blocked):
                    await net.get(server.url(host="shop.test"))
            return names.lookups, [request.path for request in server.requests]

    assert asyncio.run(run()) == (["shop.test"] * 3, ["/", "/next"])


def test_the_certificate_is_checked_against_the_name_and_sni_says_it(dns, monkeypatch, tmp_path):
    server_side, client_side, seen = tls_pair(tmp_path, "shop.test")
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", client_side)

    async def run():
        async with serving(always(reply(b"safe")), tls=server_side) as server, client() as net:
            dns({"shop.test": [["127.0.0.1"]], "other.test": [["127.0.0.1"]]})
            assert (await net.get(server.url(host="shop.test"))).body == b"safe"
            with pytest.raises(Unreachable, match="could not be fetched") as caught:
                await net.get(server.url(host="other.test"))
            return caught.value.reason

    assert "certificate" in asyncio.run(run()).lower()
    assert seen == ["shop.test", "other.test"]


def test_an_unknown_certificate_is_refused(tmp_path):
    server_side, _, _ = tls_pair(tmp_path, "127.0.0.1")
    with pytest.raises(Unreachable):
        fetch(always(reply()), tls=server_side)


# Http


@pytest.mark.parametrize("path", ["http://93.184.216.34/", "http://moved.test/", "http://half.test/"])
def test_nothing_is_sent_over_http_but_to_what_the_operator_opened(path, dns, monkeypatch):
    async def run():
        async with serving(always(reply(b"here"))) as server, client() as net:
            dns(
                {
                    "n8n.test": [["127.0.0.1"]],
                    "moved.test": [["93.184.216.34"]],
                    "half.test": [["127.0.0.1", "8.8.8.8"]],
                }
            )
            for host in ("127.0.0.1", "n8n.test"):
                assert (await net.post(server.url(host=host), b"{}", headers={}, keep=9)).body == b"here"
            monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", None)  # any dial is a TypeError
            with pytest.raises(Blocked):
                await net.post(path, b"{}", headers={}, keep=9)

    asyncio.run(run())


# Redirects


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_a_redirect_is_followed_and_told(status):
    async def run():
        table = {"/": redirect("/a?b=%20#c", status), "/a?b=%20": reply(b"end")}
        async with serving(routes(table)) as server, client() as net:
            return await net.get(server.url()), server

    response, server = asyncio.run(run())
    assert (response.url, response.body) == (server.url("/a?b=%20"), b"end")
    assert response.hops == (Hop(server.url(), int(status[:3])),)


def test_a_redirect_is_not_followed_when_not_asked():
    response = fetch(always(redirect("http://10.0.0.1/")), follow=False)
    assert (response.status, response.headers["location"]) == (302, "http://10.0.0.1/")


@pytest.mark.parametrize(
    "location",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/latest/",
        "//192.168.0.1/",
        "http://2130706433/",
        "http://[::ffff:10.0.0.1]/",
        "http://a@127.0.0.1/",
        "file:///etc/passwd",
        "\\\\127.0.0.1\\",
        "gopher://127.0.0.1/",
    ],
)
def test_a_redirect_into_a_refused_place_is_blocked(location):
    with pytest.raises(Blocked):
        fetch(always(redirect(location)))


def test_a_redirect_from_https_to_http_is_blocked(monkeypatch, tmp_path):
    server_side, client_side, _ = tls_pair(tmp_path, "127.0.0.1")
    monkeypatch.setattr(aiohttp.connector, "_SSL_CONTEXT_VERIFIED", client_side)

    async def run():
        async with serving(always(reply())) as plain:
            async with serving(always(redirect(plain.url())), tls=server_side) as safe, client() as net:
                with pytest.raises(Blocked):
                    await net.get(safe.url())
            return plain.connections

    assert asyncio.run(run()) == 0


def test_a_redirect_loop_ends_at_the_limit():
    async def run():
        async with serving(always(redirect("/"))) as server, client() as net:
            with pytest.raises(TooManyRedirects):
                await net.get(server.url(), limits=Limits(max_redirects=3))
            return len(server.requests)

    assert asyncio.run(run()) == 4


def test_credentials_stay_with_their_origin():
    secrets = {"Authorization": "Bearer x", "COOKIE": "a=b", "X-Api-Key": "y", "Accept": "text/html"}

    async def run():
        async with serving(always(reply())) as other:
            table = {"/": redirect("/same"), "/same": redirect(other.url())}
            async with serving(routes(table)) as server, client() as net:
                await net.get(server.url(), headers=secrets)
            return server.requests[1].headers, other.requests[0].headers

    same, other = asyncio.run(run())
    assert {name: same[name.lower()] for name in secrets} == secrets
    assert other["accept"] == "text/html"
    assert not {"authorization", "cookie", "x-api-key"} & set(other)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.0.0.1./",
        "http://１２７.0.0.1/",
        "http://127。0。0。1/",
        "http://①②⑦.0.0.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://0.0.0.0/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[0:0:0:0:0:ffff:a9fe:a9fe]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://localhost/",
        "http://LOCALHOST./",
        "http://loc\N{LATIN SMALL LETTER LONG S}ame.test/",
        "https://internal.test/",
        "http://public.test:22/",
        "http://8.8.8.8:6379/",
    ],
)
def test_every_spelling_of_a_refused_place_is_blocked_before_a_connection(url, dns, monkeypatch):
    async def run():
        dns(
            {
                "localhost": [["127.0.0.1", "::1"]],
                "locsame.test": [["10.0.0.1"]],
                "internal.test": [["8.8.8.8", "192.168.1.1"]],
                "public.test": [["8.8.8.8"]],
            }
        )
        monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", None)  # any dial is a TypeError
        async with client(allow_private=()) as net:
            with pytest.raises(Blocked):
                await net.get(url)

    asyncio.run(run())


def test_the_user_cannot_tell_why_an_address_did_not_answer(dns):
    async def failures():
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            closed = unused.getsockname()[1]
            dns({})
            async with serving(silence) as silent, serving(always(b"SSH-2.0\r\n\r\n")) as ssh, client() as net:
                urls = [
                    "http://10.0.0.1/",
                    "http://nowhere.test/",
                    "http://8.8.8.8:22/",
                    f"http://127.0.0.1:{closed}/",
                    silent.url(),
                    ssh.url(),
                ]
                calls = [net.get(url, limits=Limits(total_seconds=0.3)) for url in urls]
                return await asyncio.gather(*calls, return_exceptions=True)

    errors = asyncio.run(failures())
    assert [type(error) for error in errors] == [Blocked, Unreachable, Blocked, Unreachable, Timeout, BadReply]
    assert len({(e.code, e.kind, e.message, str(e), str(e.data), str(e.errors)) for e in errors}) == 1
    assert errors[0].message
    assert len({error.reason for error in errors}) == len(errors)


# What is told


async def hang_up(_, writer):
    writer.transport.abort()


PATH = "/SECRET?key=SECRET"
FAULTS = {
    "not http": always(b"GET /SECRET?key=SECRET\r\n\r\n"),
    "a broken header": always(b"HTTP/1.1 200 OK\r\n/SECRET\0: SECRET\r\n\r\n"),
    "cut short": always(b"HTTP/1.1 200 OK\r\nX: SECRET\r\nContent-Length: 1\r\n\r\n"),
    "a broken chunk": always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n"),
    "closed": hang_up,
    "no answer": silence,
    "redirect to itself": always(redirect("/SECRET?key=SECRET")),
    "redirect to no URL": always(redirect("https://u:SECRET@example.com/SECRET")),
    "redirect to what is refused": always(redirect("http://10.0.0.1/SECRET")),
    "redirect to brackets": always(redirect("//[SECRET/")),
}


@pytest.mark.parametrize("handle", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_an_answer_does_not_tell_the_path(handle):
    async def run():
        async with serving(handle) as server, client(limits=Limits(total_seconds=1)) as net:
            with pytest.raises(NetError) as of_get:
                await net.get(server.url(PATH))
            return [of_get.value, *await _told_of_post(net, server.url(PATH))]

    for error in asyncio.run(run()):
        assert error.reason
        assert "SECRET" not in "".join(traceback.format_exception(error))


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("fault", ["refused", "full", "other protocol", "no name", "no url"])
def test_a_fault_of_a_connection_does_not_tell_the_path(fault, scheme, dns, monkeypatch):
    monkeypatch.setattr("ajansops.kit.net.client.CONNECT_SECONDS", 0.2)

    async def run():
        with socket.socket() as closed, full_backlog() as full:
            closed.bind(("127.0.0.1", 0))
            async with serving(silence) as other, client(limits=Limits(total_seconds=1)) as net:
                dns({})
                place = {
                    "refused": f"127.0.0.1:{closed.getsockname()[1]}",
                    "full": f"127.0.0.1:{full}",
                    "other protocol": f"127.0.0.1:{other.port}",
                    "no name": "nowhere.test",
                    "no url": "user:SECRET@example.com",
                }[fault]
                return await _told_of_post(net, f"{scheme}://{place}{PATH}")

    [error] = asyncio.run(run())
    assert error.reason
    assert "SECRET" not in "".join(traceback.format_exception(error))


async def _told_of_post(net, url):
    """What went wrong with a post, when something did: it follows no redirect and need not read all of a body."""
    try:
        await net.post(url, b"{}", headers={}, keep=9)
    except NetError as error:
        return [error]
    return []


@contextmanager
def full_backlog():
    """A port where no connection is taken any more, nor refused."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
