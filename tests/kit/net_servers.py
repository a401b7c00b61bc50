"""Servers and names that do what the test says, on this machine only."""

import asyncio
import datetime
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ajansops.kit.net import Client, Response

LOOPBACK = [ip_network("127.0.0.0/8")]


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    every: dict[str, list[str]]  # all values of each


Handler = Callable[[Request, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    host: str
    port: int = 0
    scheme: str = "http"
    connections: int = 0
    requests: list[Request] = field(default_factory=list)

    def url(self, path: str = "/", host: str | None = None) -> str:
        return f"{self.scheme}://{host or self.host}:{self.port}{path}"


def reply(body: bytes = b"", *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    return reply(b"", f"Location: {to}", status=status)


def routes(table: dict[str, bytes]) -> Handler:
    async def handle(request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(table[request.path])

    return handle


def always(answer: bytes) -> Handler:
    async def handle(_: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return handle


async def silence(_: Request, __: asyncio.StreamWriter) -> None:
    """Takes the request and never answers."""
    await asyncio.Event().wait()


@asynccontextmanager
async def serving(handle: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """A keep-alive HTTP/1.1 server on a free port; `handle` writes the bytes of each answer itself."""
    server = Server(host, scheme="https" if tls else "http")
    open_connections: set[asyncio.Task[None] | None] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        open_connections.add(asyncio.current_task())
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                request = _parse(await reader.readuntil(b"\r\n\r\n"))
                server.requests.append(request)
                await handle(request, writer)
                await writer.drain()
        writer.close()

    listener = await asyncio.start_server(connected, host, 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in open_connections:
            task.cancel()


def _parse(head: bytes) -> Request:
    first, *rest = head.decode().strip().split("\r\n")
    every: dict[str, list[str]] = {}
    for name, value in (line.split(": ", 1) for line in rest):
        every.setdefault(name.lower(), []).append(value)
    return Request(first.split()[1], {name: values[-1] for name, values in every.items()}, every)


class FakeDns:
    """Stands in for the system's `getaddrinfo`. Each lookup of a name takes its next answer; the last one stays."""

    def __init__(self, answers: dict[str, list[list[str]]]) -> None:
        self._answers = answers
        self.lookups: list[str] = []

    def __call__(self, host: str, port: int, **_: object) -> list[tuple]:
        self.lookups.append(host)
        if host not in self._answers:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        answers = self._answers[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            (socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port))
            for ip in addresses
        ]


def tls_pair(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext, list[str]]:
    """A server context whose certificate is for `names`, a client context that trusts it, and the SNI names seen."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.datetime(2000, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "server.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    seen: list[str] = []
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    server.sni_callback = lambda _socket, name, _context: seen.append(name)
    return server, ssl.create_default_context(cafile=str(file)), seen


def _general_name(name: str) -> x509.GeneralName:
    return x509.IPAddress(IPv4Address(name)) if name[0].isdigit() else x509.DNSName(name)


def client(allow_private=LOOPBACK, **kwargs) -> Client:
    return Client(allow_private=allow_private, user_agent="AjansOps-test (+https://example.com/bot)", **kwargs)


def fetch(handle, path="/", *, tls=None, **kwargs) -> Response:
    """One GET of `path` from a server that answers by `handle`."""

    async def run():
        async with serving(handle, tls=tls) as server, client() as net:
            return await net.get(server.url(path), **kwargs)

    return asyncio.run(run())
