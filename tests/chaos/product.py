"""The product as `manage.py up` runs it, with a second worker beside the first; what dies is started again."""

import os
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

from ajansops import supervisor
from ajansops.supervisor import Process, Stack, commands

WORKERS = ("worker", "worker-2")
RESTART_AFTER = (0.0, 1.0)  # without the product's patience with what dies all the time: here everything does
BELOW_EPHEMERAL = range(20_000, 30_000)


def quiet_ports(count: int) -> list[int]:
    """Free, and none that the system gives to an outgoing connection while their server is down."""
    found: list[int] = []
    for port in BELOW_EPHEMERAL[os.getpid() % 9_000 :]:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                found.append(port)
        if len(found) == count:
            return found
    raise SystemExit("No free port.")


class Product(Stack):
    def __init__(self, port: int, environ: Mapping[str, str], folder: Path) -> None:
        supervisor.RESTART_AFTER = RESTART_AFTER
        super().__init__(port=port, environ=environ, log_file=folder / "log")
        self._processes.append(Process(WORKERS[1], commands(port, 1)["worker"]))
        self._watch = threading.Thread(target=self.watch, daemon=True)

    def up(self) -> None:
        """Healthy, and watched from now on."""
        self.start()
        self.wait_ready()
        self._watch.start()

    def down(self) -> None:
        self.interrupt()
        if self._watch.is_alive():
            self._watch.join(5)
        self.stop()

    def pid(self, name: str) -> int | None:
        """None between two lives."""
        (process,) = (one for one in self._processes if one.name == name)
        running = process.running
        return running.pid if running is not None and running.poll() is None else None
