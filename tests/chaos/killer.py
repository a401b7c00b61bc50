"""What is done to the product: processes die at random moments or at a point, servers crash and freeze."""

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.models import ItemState, JobItem
from tests.chaos.database import patiently
from tests.chaos.faults import WEB_POINTS, WORKER_POINTS
from tests.chaos.postgres import PostgresServer
from tests.chaos.product import Product
from tests.kit.redis_server import RedisServer

LATE = 34.0  # seconds that a worker stands still: longer than its leases
REACHED_WITHIN = 12.0  # seconds; a point that nobody passes meanwhile is disarmed
# How many of a hundred, where there is what it needs.
WEIGHTS = {
    "worker": 16,
    "worker point": 36,
    "worker stop": 8,
    "worker freeze": 2,
    "web": 6,
    "web point": 10,
    "scheduler": 4,
    "redis": 6,
    "redis freeze": 4,
    "database": 6,
    "database freeze": 2,
}


@dataclass
class Kill:
    """One of them. `lease` is what a worker held when it ended; `back` when nothing of that was left with it."""

    kind: str
    at: float
    point: str = ""
    lease: str = ""
    back: float | None = None

    @property
    def of_worker(self) -> bool:
        """Whose work in flight was lost, and may be paid for again."""
        return self.kind in {"worker", "worker point", "worker freeze"}


class Killer:
    """`kills` is the log. `freeze_for` is how long a server stands still, in seconds.

    `unattended` are the spells, from and to, in which every worker was dead or starting: nobody could recover anything.
    """

    def __init__(
        self,
        product: Product,
        folder: Path,
        rng: random.Random,
        *,
        redis: RedisServer | None,
        postgres: PostgresServer | None,
        freeze_for: tuple[float, float],
    ) -> None:
        self.kills: list[Kill] = []
        self.unattended: list[tuple[float, float]] = []
        self._product, self._folder, self._rng = product, folder, rng
        self._redis, self._postgres, self._freeze_for = redis, postgres, freeze_for
        self._frozen: dict[str, threading.Timer] = {}
        self._thaws: dict[str, Callable[[], Any]] = {}
        self._late: int | None = None  # the worker that stands still
        self._told_to_stop: set[int] = set()
        self._points = {"worker point": self._endless(WORKER_POINTS), "web point": self._endless(WEB_POINTS)}
        self._deaths_read = 0
        self._watching = threading.Event()
        self._leases = threading.Thread(target=self._watch_leases, daemon=True)
        self._leases.start()

    def plan(self, count: int) -> list[str]:
        """Kinds in their proportions, shuffled."""
        missing = set()
        if self._redis is None:
            missing |= {"redis", "redis freeze"}
        if self._postgres is None:
            missing |= {"database", "database freeze"}
        weights = {kind: weight for kind, weight in WEIGHTS.items() if kind not in missing}
        ideal = {kind: count * weight / sum(weights.values()) for kind, weight in weights.items()}
        planned = {kind: max(1, int(share)) for kind, share in ideal.items()}
        while sum(planned.values()) < count:
            planned[max(ideal, key=lambda kind: ideal[kind] - planned[kind])] += 1
        while sum(planned.values()) > count:
            planned[max(planned, key=lambda kind: planned[kind])] -= 1
        kinds = [kind for kind, number in planned.items() for _ in range(number)]
        self._rng.shuffle(kinds)
        return kinds

    def strike(self, kind: str) -> Kill | None:
        """None when there was nothing to kill, or nobody came by the point."""
        acts: dict[str, Callable[[], Kill | None]] = {
            "worker": lambda: self._end_worker("worker", signal.SIGKILL),
            "worker stop": lambda: self._end_worker("worker stop", signal.SIGTERM),
            "worker point": lambda: self.strike_at("worker", next(self._points["worker point"])),
            "worker freeze": lambda: self.freeze_worker(LATE),
            "web": lambda: self._end("web"),
            "web point": lambda: self.strike_at("web", next(self._points["web point"])),
            "scheduler": lambda: self._end("scheduler"),
            "redis": self._restart_redis,
            "redis freeze": lambda: self._freeze("redis freeze", self._redis),
            "database": self._crash_database,
            "database freeze": lambda: self._freeze("database freeze", self._postgres),
        }
        return acts[kind]()

    def strike_at(self, role: str, point: str) -> Kill | None:
        """Whoever of the role comes by the point first."""
        armed = self._folder / "armed" / f"{role}.{point}"
        armed.touch()
        ends = time.monotonic() + REACHED_WITHIN
        while time.monotonic() < ends and armed.exists():
            time.sleep(0.02)
        with suppress(FileNotFoundError):
            armed.unlink()
            return None
        while len(deaths := (self._folder / "deaths").read_text().splitlines()) <= self._deaths_read:
            time.sleep(0.01)
        at, pid, where = deaths[self._deaths_read].split()
        self._deaths_read += 1
        return self._log(Kill(f"{role} point", float(at), where, self._product.lease(int(pid))))

    def freeze_worker(self, seconds: float) -> Kill | None:
        """It comes back late, with results of items that others have by then."""
        chosen = self._choose_worker()
        if chosen is None or self._late is not None or chosen[0] in self._told_to_stop:  # its stop is being measured
            return None
        self._late, _ = chosen
        self._product.send(self._late, signal.SIGSTOP)
        return self._frozen_until("worker freeze", seconds, self._thaw_worker)

    def thaw(self) -> None:
        """Everything, now."""
        for kind in list(self._frozen):
            self._thawed(kind)

    def finish(self, seconds: float) -> None:
        """Wait until every lease of the dead is back."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and any(kill.lease and kill.back is None for kill in self.kills):
            time.sleep(0.2)
        self._watching.set()
        self._leases.join(5)

    def _log(self, kill: Kill) -> Kill:
        self.kills.append(kill)
        return kill

    def _choose_worker(self) -> tuple[int, str] | None:
        """One that has begun to claim, and does not stand still."""
        workers = [one for one in sorted(self._product.workers().items()) if one[0] != self._late]
        return self._rng.choice(workers) if workers else None

    def _end_worker(self, kind: str, number: signal.Signals) -> Kill | None:
        chosen = self._choose_worker()
        if chosen is None or not self._product.send(chosen[0], number):
            return None
        if number == signal.SIGTERM:
            self._told_to_stop.add(chosen[0])
        return self._log(Kill(kind, time.time(), lease=chosen[1]))

    def _end(self, name: str) -> Kill | None:
        pid = self._product.pid(name)
        return self._log(Kill(name, time.time())) if pid and self._product.send(pid, signal.SIGKILL) else None

    def _restart_redis(self) -> Kill | None:
        if self._redis is None or "redis freeze" in self._frozen:
            return None
        kill = self._log(Kill("redis", time.time()))
        self._redis.kill()
        time.sleep(self._rng.uniform(0, 2))
        self._redis.start()
        return kill

    def _crash_database(self) -> Kill | None:
        if self._postgres is None or "database freeze" in self._frozen:
            return None
        kill = self._log(Kill("database", time.time()))
        self._postgres.crash()
        return kill

    def _freeze(self, kind: str, server: Any) -> Kill | None:
        if kind in self._frozen:
            return None
        server.freeze()
        return self._frozen_until(kind, self._rng.uniform(*self._freeze_for), server.thaw)

    def _frozen_until(self, kind: str, seconds: float, thaw: Callable[[], Any]) -> Kill:
        """The rest goes on meanwhile."""
        self._thaws[kind] = thaw
        self._frozen[kind] = threading.Timer(seconds, self._thawed, [kind])
        self._frozen[kind].start()
        return self._log(Kill(kind, time.time()))

    def _thawed(self, kind: str) -> None:
        timer = self._frozen.pop(kind, None)
        if timer is not None:
            timer.cancel()
            self._thaws[kind]()

    def _thaw_worker(self) -> None:
        if self._late is not None:
            self._product.send(self._late, signal.SIGCONT)
            self._late = None

    def _watch_leases(self) -> None:
        seen_at = time.time()
        while not self._watching.wait(0.2):
            before, seen_at = seen_at, time.time()
            if not self._product.workers():
                self.unattended.append((before, seen_at))
            for kill in [one for one in self.kills if one.lease and one.back is None]:
                held = JobItem.objects.filter(lease=kill.lease, state=ItemState.RUNNING)
                if not patiently(held.exists):
                    kill.back = time.time()

    def _endless(self, points: Sequence[str]) -> Any:
        """All of them, in another order each time."""
        while True:
            yield from self._rng.sample(points, len(points))
