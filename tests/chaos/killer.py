"""What is done to a product: processes die at random moments or at a point, servers crash and freeze."""

import argparse
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from tests.chaos.database import patiently
from tests.chaos.kills import Crew, Kill, planned, send
from tests.chaos.product import WORKERS
from tests.chaos.world import World, say

MISSES = 3  # for each kill
REACHED_WITHIN = 12.0  # seconds; a point that nobody passes meanwhile is disarmed


class Killer:
    """`acts` are what it can do, by kind; one returns None when there was nothing to kill, or nobody came by the point.
    `kills` is the log. `points` are those of a worker, `late` is for how long one stands still, in seconds, and
    `freeze_for` for how long a server does. `unattended` are the spells, from and to, in which every worker was dead or
    starting: nobody could recover anything.
    """

    def __init__(
        self,
        crew: Crew,
        world: World,
        rng: random.Random,
        *,
        points: Sequence[str],
        late: float,
        freeze_for: tuple[float, float],
    ) -> None:
        worker_points = self._endless(points)
        self.acts: dict[str, Callable[[], Kill | None]] = {
            "worker": lambda: self._end_worker("worker", signal.SIGKILL),
            "worker stop": lambda: self._end_worker("worker stop", signal.SIGTERM),
            "worker point": lambda: self.strike_at("worker", next(worker_points)),
            "worker freeze": lambda: self.freeze_worker(late),
            "redis": self._restart_redis,
            "redis freeze": lambda: self._freeze("redis freeze", world.redis),
            "database": self._crash_database,
            "database freeze": lambda: self._freeze("database freeze", world.postgres),
        }
        self.kills: list[Kill] = []
        self.told_to_stop: set[int] = set()  # workers, by pid
        self.unattended: list[tuple[float, float]] = []
        self._crew, self._world, self._rng, self._freeze_for = crew, world, rng, freeze_for
        self._frozen: dict[str, threading.Timer] = {}
        self._thaws: dict[str, Callable[[], Any]] = {}
        self._late: int | None = None  # the worker that stands still
        self._deaths_read = 0
        self._watching = threading.Event()
        self._leases = threading.Thread(target=self._watch_leases, daemon=True)
        self._leases.start()

    def strike_all(
        self, asked: argparse.Namespace, weights: Mapping[str, int], progress: Callable[[], str]
    ) -> list[str]:
        """The planned kinds; what found nothing to kill is tried again at the end. Those that never found anything."""
        possible = {kind: weight for kind, weight in weights.items() if self._possible(kind)}
        waiting, misses, began = planned(asked.kills, possible, self._rng), 0, time.monotonic()
        while waiting and misses < MISSES * asked.kills:
            time.sleep(self._rng.uniform(0.5, 1.5) * asked.every)
            kind = waiting.pop(0)
            kill = self.acts[kind]()
            if kill is None:
                waiting.append(kind)
                misses += 1
            else:
                what = f"{len(self.kills):3} of {asked.kills}: {kill.point or kill.kind}"
                say(f"{time.monotonic() - began:6.0f} s  kill {what:36} {progress()}")
        return waiting

    def counted(self) -> dict[str, Any]:
        """How many of each kind, as figures."""
        kinds = Counter(kill.point or kill.kind for kill in self.kills)
        return {f"killed: {kind}": count for kind, count in sorted(kinds.items())} | {"kills": len(self.kills)}

    def _possible(self, kind: str) -> bool:
        """Where there is no server of the kind there is nothing to strike."""
        server = {"redis": self._world.redis, "database": self._world.postgres}
        return server.get(kind.partition(" ")[0], True) is not None

    def strike_at(self, role: str, point: str) -> Kill | None:
        """Whoever of the role comes by the point first."""
        armed = self._world.folder / "armed" / f"{role}.{point}"
        armed.touch()
        ends = time.monotonic() + REACHED_WITHIN
        while time.monotonic() < ends and armed.exists():
            time.sleep(0.02)
        with suppress(FileNotFoundError):
            armed.unlink()
            return None
        while len(deaths := (self._world.folder / "deaths").read_text().splitlines()) <= self._deaths_read:
            time.sleep(0.01)
        at, pid, where = deaths[self._deaths_read].split()
        self._deaths_read += 1
        return self._log(Kill(f"{role} point", float(at), where, self._world.lease(int(pid))))

    def freeze_worker(self, seconds: float) -> Kill | None:
        """It comes back late, with results of items that others have by then."""
        chosen = self._choose_worker()
        if chosen is None or self._late is not None or chosen[0] in self.told_to_stop:  # its stop is being measured
            return None
        self._late, _ = chosen
        send(self._late, signal.SIGSTOP)
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

    def workers(self) -> dict[int, str]:
        """Those that have begun to claim: the lease of each by its pid."""
        return {pid: lease for name in WORKERS if (pid := self._crew.pid(name)) and (lease := self._world.lease(pid))}

    def attended(self, spell: tuple[float, float]) -> float:
        """Its seconds without those in which no worker was up."""
        start, end = spell
        return end - start - sum(max(0.0, min(end, till) - max(start, since)) for since, till in self.unattended)

    def _held(self, lease: str) -> bool:
        """Whether somebody still has to wait for what was held by it."""
        raise NotImplementedError

    def _log(self, kill: Kill) -> Kill:
        self.kills.append(kill)
        return kill

    def _choose_worker(self) -> tuple[int, str] | None:
        """One that has begun to claim, and does not stand still."""
        workers = [one for one in sorted(self.workers().items()) if one[0] != self._late]
        return self._rng.choice(workers) if workers else None

    def _end_worker(self, kind: str, number: signal.Signals) -> Kill | None:
        chosen = self._choose_worker()
        if chosen is None or not send(chosen[0], number):
            return None
        if number == signal.SIGTERM:
            self.told_to_stop.add(chosen[0])
        return self._log(Kill(kind, time.time(), lease=chosen[1]))

    def _end(self, name: str) -> Kill | None:
        pid = self._crew.pid(name)
        return self._log(Kill(name, time.time())) if pid and send(pid, signal.SIGKILL) else None

    def _restart_redis(self) -> Kill | None:
        if self._world.redis is None or "redis freeze" in self._frozen:
            return None
        kill = self._log(Kill("redis", time.time()))
        self._world.redis.kill()
        time.sleep(self._rng.uniform(0, 2))
        self._world.redis.start()
        return kill

    def _crash_database(self) -> Kill | None:
        if self._world.postgres is None or "database freeze" in self._frozen:
            return None
        kill = self._log(Kill("database", time.time()))
        self._world.postgres.crash()
        kill.over = time.time()
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
        return self._log(Kill(kind, time.time(), over=time.time() + seconds))

    def _thawed(self, kind: str) -> None:
        timer = self._frozen.pop(kind, None)
        if timer is not None:
            timer.cancel()
            self._thaws[kind]()

    def _thaw_worker(self) -> None:
        if self._late is not None:
            send(self._late, signal.SIGCONT)
            self._late = None

    def _watch_leases(self) -> None:
        seen_at = time.time()
        while not self._watching.wait(0.2):
            before, seen_at = seen_at, time.time()
            if not self.workers():
                self.unattended.append((before, seen_at))
            for kill in [one for one in self.kills if one.lease and one.back is None]:
                if not patiently(partial(self._held, kill.lease)):
                    kill.back = time.time()

    def _endless(self, points: Sequence[str]) -> Any:
        """All of them, in another order each time."""
        while True:
            yield from self._rng.sample(points, len(points))
