"""Real processes of the product, for tests that kill them."""

import contextlib
import http.client
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CHANCE = random.Random()  # whatever seed a plugin gives to the common one: processes of tests run side by side


def free_port() -> int:
    """One that was free a moment ago, and that the system gives to nobody who does not ask for it by number."""
    while True:
        port = _CHANCE.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def children(pid: int) -> dict[int, str]:
    """Every descendant, with its command line."""
    found = {}
    try:
        for child in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()):
            found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            found |= children(child)
    except (FileNotFoundError, ProcessLookupError):
        pass  # it ended while we looked
    return found


def alive(pids: Any) -> list[int]:
    """Those that still exist."""
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def status_of(port: int, path: str = "/api/health") -> int:
    """0 when nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_for(what: Callable[[], Any], seconds: float = 60) -> Any:
    """The first true answer of `what`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError(f"did not come true in {seconds} s")


@contextmanager
def manage(tmp_path: Path, *arguments: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """`manage.py …` with a VAR_DIR of its own; its errors go to `tmp_path/log`. Killed at the end if still there."""
    full = os.environ | {"VAR_DIR": str(tmp_path / "var"), "PYTHONUNBUFFERED": "1"} | environ
    if full.get("CELERY_BROKER_URL") == "memory://":  # the suite's own; processes need one that they share
        del full["CELERY_BROKER_URL"]
    command = [sys.executable, "manage.py", *arguments]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=full, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
