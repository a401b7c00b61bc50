"""All processes of one machine under one roof: started together, restarted when they die, stopped cleanly."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"
READY_WITHIN = 60.0  # seconds
UNHEALTHY_FOR = 10.0
STOP_WITHIN = 30.0  # the worker gives its items 20 s
STREAMS_WITHIN = 20  # seconds that answers which are being written get to end
RESTART_AFTER = (0.0, 1.0, 5.0, 15.0)  # seconds, by how often it died within a minute


class NotReady(Exception):
    """The stack did not come up. The message says what was seen."""


def commands(port: int, workers: int) -> dict[str, Sequence[str]]:
    """What runs: the web server, the worker that does the jobs, the scheduler."""
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "--app", "ajansops.celery", "--quiet"]
    server = [
        "uvicorn",
        "ajansops.asgi:application",
        "--host",
        HOST,
        "--port",
        str(port),
        "--no-access-log",
        "--no-proxy-headers",
        "--timeout-graceful-shutdown",
        str(STREAMS_WITHIN),
    ]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return {
        "web": [*python, *server, "--workers", str(workers), "--log-level", "warning"],
        "worker": [*celery, "worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "warning", *quiet],
        "scheduler": [*celery, "beat", "--loglevel", "warning", "--pidfile="],
    }


@dataclass
class Process:
    """One of them, over all its lives."""

    name: str
    command: Sequence[str]
    running: subprocess.Popen[bytes] | None = None
    deaths: list[float] = field(default_factory=list)
    next_start: float = 0.0


class Stack:
    """Start with `start`, let `watch` (in a thread or here) restart what dies, end with `stop`."""

    def __init__(
        self, *, port: int, workers: int = 1, environ: Mapping[str, str] | None = None, log_file: Path | None = None
    ) -> None:
        self.port = port
        self._log_file = log_file
        self.url = f"http://{HOST}:{port}"
        known = {"PUBLIC_URL": os.environ.get("PUBLIC_URL", self.url), "WEB_WORKERS": str(workers)}
        self._environ = os.environ | known | dict(environ or {})
        self._processes = [Process(name, command) for name, command in commands(port, workers).items()]
        self._stopping = threading.Event()

    def check_port(self) -> None:
        """Raises `NotReady` when the port is taken."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, self.port))
            except OSError as error:
                raise NotReady(f"Port {self.port} is in use. Choose another with --port.") from error

    def start(self) -> None:
        """Raises as `check_port`."""
        self.check_port()
        for process in self._processes:
            self._launch(process)

    def wait_ready(self) -> None:
        """Until `/api/health` answers 200. Raises `NotReady` with the last answer."""
        seen = "no answer"
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline and not self._stopping.is_set():
            status, body = _get(self.port, "/api/health")
            if status == 200:
                return
            if status == 503:  # it is up, and what it needs is not
                deadline = min(deadline, time.monotonic() + UNHEALTHY_FOR)
                seen = _failing(body)
            self._stopping.wait(0.1)
        raise NotReady(f"{self.url} did not become healthy: {seen}")

    def watch(self) -> None:
        """Restart what dies, until `stop` is called from a signal handler or another thread."""
        while not self._stopping.wait(0.2):
            for process in self._processes:
                self._look_after(process)

    def interrupt(self) -> None:
        """Make `watch` and `wait_ready` return."""
        self._stopping.set()

    def stop(self) -> None:
        """SIGTERM to all, SIGKILL to what is still there after 30 s."""
        self._stopping.set()
        running = [p.running for p in self._processes if p.running is not None]
        for child in running:
            child.terminate()
        deadline = time.monotonic() + STOP_WITHIN
        for child in running:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("process_killed", pid=child.pid)
                child.kill()
                child.wait()

    def _look_after(self, process: Process) -> None:
        if process.running is not None and process.running.poll() is not None:
            now = time.monotonic()
            process.deaths = [*(death for death in process.deaths if now - death < 60), now]
            pause = RESTART_AFTER[min(len(process.deaths), len(RESTART_AFTER)) - 1]
            log.warning("process_died", process=process.name, code=process.running.returncode, restart_in=pause)
            process.running, process.next_start = None, now + pause
        if process.running is None and time.monotonic() >= process.next_start:
            self._launch(process)

    def _launch(self, process: Process) -> None:
        # A session of its own: Ctrl-C on the terminal is ours to pass on, in order.
        tether = [sys.executable, "-S", "-m", "ajansops.tether", str(os.getpid())]
        command = [*tether, *process.command]
        with self._log_file.open("ab") if self._log_file else nullcontext() as log_file:
            process.running = subprocess.Popen(  # noqa: S603  # our own
                command, env=self._environ, start_new_session=True, stdout=log_file, stderr=log_file
            )


def _failing(body: str) -> str:
    """Which of health's checks say no."""
    try:
        checks = json.loads(body)["checks"]
    except (ValueError, KeyError):
        return body
    return ", ".join(f"{name} cannot be reached" for name, check in checks.items() if not check["ok"])


def _get(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)
    finally:
        connection.close()
