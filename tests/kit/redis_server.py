"""A Redis of a test's own, which can be killed, frozen and started again."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress

import pytest
from redis import Redis, RedisError

BINARY = shutil.which("redis-server")


class RedisServer:
    def __init__(self, port: int = 0) -> None:
        if BINARY is None:
            pytest.skip("no redis-server on this machine")
        with socket.create_server(("127.0.0.1", port)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.folder = tempfile.mkdtemp(prefix="ajansops-redis-")
        self.start()

    def start(self) -> None:
        command = [BINARY, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", self.folder]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        ends = time.monotonic() + 10
        with Redis.from_url(self.url) as client:
            while time.monotonic() < ends:
                with suppress(RedisError):
                    client.ping()
                    return
                time.sleep(0.01)
        raise AssertionError("redis-server did not start")

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
