"""A process whose name server says nothing about `hang.test`; every other name is 10.0.0.7. Started by `asked`."""

import asyncio
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

from django.conf import settings
from django.core.exceptions import ValidationError

from ajansops.kit.net import Client, Limits, Timeout, check_target

HANGING = 40  # more than any pool of threads that a default gives
GIVES_UP = "options timeout:30 attempts:5"  # the system's resolver, after minutes


def asked(case: str, folder: Path) -> list[str]:
    """What the case printed. Fails when its process does not end before the system gives the name up."""
    address = ".".join(map(str, [127, *(os.getpid() & 0xFFFFFF | 1).to_bytes(3, "big")]))  # each test process its own
    names = folder / "resolv.conf"
    names.write_text(f"nameserver {address}\n{GIVES_UP}\n")
    mounted = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
    command = ["unshare", "-m", "sh", "-c", mounted, str(names), sys.executable, "-m", __name__, address, case]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.split()


def possible() -> bool:
    try:
        return subprocess.run(["unshare", "-m", "mount", "--bind", "/etc", "/etc"], check=False).returncode == 0
    except OSError:
        return False


def fetch() -> None:
    async def run() -> None:
        async with Client(user_agent="test") as net:
            await net.get("https://hang.test/", limits=Limits(total_seconds=0.2))

    try:
        asyncio.run(run())
    except Timeout:
        sys.stdout.write("timeout\n")


def check() -> None:
    for _ in range(HANGING):
        threading.Thread(target=check_target, args=["https://hang.test/"]).start()
    try:
        check_target("https://inside.test/")
    except ValidationError:
        sys.stdout.write("refused\n")


def answer(listener: socket.socket) -> None:
    while True:
        query, whom = listener.recvfrom(512)
        if b"\x04hang" in query:
            continue
        end = query.index(b"\0", 12) + 5  # of the question; what follows is ours
        found = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x0a\0\0\7" if query[end - 4 : end - 2] == b"\0\1" else b""
        listener.sendto(query[:2] + b"\x81\x80\0\1\0" + bytes([bool(found)]) + bytes(4) + query[12:end] + found, whom)


if __name__ == "__main__":
    settings.configure(USE_I18N=False, ENV=SimpleNamespace(net_allow_private=()))
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    threading.Thread(target=answer, args=[server], daemon=True).start()
    {"fetch": fetch, "check": check}[sys.argv[2]]()
