"""The receivers: a server that verifies what it takes with nothing but the Python of docs/webhooks.md."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.webhooks.page import documented
from tests.webhooks.receiver import Answer, Taken

MOODS = {"well": (200, 202), "often down": (200, 500, 404)}  # of an endpoint: the statuses it gives
LATENCY = (0.0, 0.1)  # seconds
OUTLIERS = (0.02, 0.4)  # one answer in fifty takes so long


@dataclass
class Arrival:
    """One request, and what was answered."""

    taken: Taken
    status: int

    @property
    def event(self) -> str:
        return self.taken.headers["webhook-id"]

    @property
    def delivered(self) -> bool:
        return self.status < 300


class Outside:
    """`arrivals` by the path of the endpoint. `forged` are those of which a signature was not right."""

    def __init__(self, rng: random.Random) -> None:
        self.arrivals: dict[str, list[Arrival]] = {}
        self.forged: list[str] = []
        self._by_event: dict[tuple[str, str], list[Arrival]] = defaultdict(list)
        self._secrets: dict[str, str] = {}
        self._moods: dict[str, tuple[int, ...]] = {}
        self._rng, self._lock = rng, threading.Lock()
        page = documented()
        self._checks: tuple[Callable[..., bool], ...] = (page.verified_by_library, page.verified_by_hand)

    def open(self, url: str, secret: str, mood: str) -> None:
        """From now on requests to that address are expected."""
        path = urlsplit(url).path
        self.arrivals[path], self._secrets[path], self._moods[path] = [], secret, MOODS[mood]

    def at(self, url: str) -> list[Arrival]:
        """All of them at that address."""
        return self.arrivals[urlsplit(url).path]

    def of(self, url: str, event: str) -> list[Arrival]:
        """Those of one event."""
        return self._by_event[urlsplit(url).path, event]

    @property
    def count(self) -> int:
        """Of all requests."""
        return sum(map(len, self.arrivals.values()))

    def answer(self, taken: Taken) -> Answer:
        """At once verified: later the signature would be too old."""
        right = [check(taken.body, taken.headers, self._secrets[taken.path]) for check in self._checks]
        share, longest = OUTLIERS
        with self._lock:
            status = self._rng.choice(self._moods[taken.path])
            after = longest if self._rng.random() < share else self._rng.uniform(*LATENCY)
            arrival = Arrival(taken, status)
            self.arrivals[taken.path].append(arrival)
            self._by_event[taken.path, arrival.event].append(arrival)
            if not all(right):
                self.forged.append(f"{taken.path} {taken.headers}")
        return Answer(status, after=after)
