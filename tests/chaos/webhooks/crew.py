"""Keeps the processes alive: two workers and a publisher."""

import itertools
import multiprocessing
import signal
import threading
from collections.abc import Sequence
from multiprocessing.process import BaseProcess

from tests.chaos.product import WORKERS
from tests.chaos.webhooks import processes

PUBLISHER = "publisher"
LOOKS_EVERY = 0.02  # seconds


class Crew:
    """What dies is started again. `ended` are those that nobody had killed, by pid, with their exit codes."""

    def __init__(self, workspace_ids: Sequence[int], seed: int) -> None:
        self.ended: list[tuple[int | None, str]] = []
        self._workspace_ids, self._seeds = workspace_ids, itertools.count(seed)
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.chaos.webhooks.ready"])
        self._running: dict[str, BaseProcess] = {}
        self._wanted = {*WORKERS, PUBLISHER}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._keep_alive, daemon=True)
        self._watch.start()

    def pid(self, name: str) -> int | None:
        """None between two lives."""
        process = self._running.get(name)
        return process.pid if process is not None and process.is_alive() else None

    def stop_publishing(self) -> None:
        """Whatever it is at."""
        with self._lock:
            self._wanted.discard(PUBLISHER)
        if process := self._running.get(PUBLISHER):
            process.kill()
            process.join()

    def end(self) -> None:
        """Of all."""
        self._over.set()
        self._watch.join(30)
        for process in self._running.values():
            process.kill()
            process.join()

    def _keep_alive(self) -> None:
        while not self._over.wait(LOOKS_EVERY):
            with self._lock:
                for name in sorted(self._wanted):
                    self._look(name)

    def _look(self, name: str) -> None:
        process = self._running.get(name)
        if process is not None and process.is_alive():
            return
        if process is not None and process.exitcode != -signal.SIGKILL:
            self.ended.append((process.pid, f"{name}: {process.exitcode}"))
        self._running[name] = self._start(name)

    def _start(self, name: str) -> BaseProcess:
        given = ["worker", processes.work]
        if name == PUBLISHER:
            given = [PUBLISHER, processes.publish, self._workspace_ids, next(self._seeds)]
        process = self._context.Process(target=processes.run, args=given)
        process.start()
        return process
