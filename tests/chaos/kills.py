"""What a kill is, how many there are of which kind, and who may be killed."""

import os
import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

LIMP = frozenset({"worker", "worker point", "worker freeze"})  # kinds that lose what a worker had in flight


@dataclass
class Kill:
    """One of them. `lease` is what a worker held when it ended; `back` when nothing of that was left with it. `over` is
    when what stood still went on.
    """

    kind: str
    at: float
    point: str = ""
    lease: str = ""
    back: float | None = None
    over: float | None = None

    @property
    def of_worker(self) -> bool:
        """Whose work in flight was lost, and may be done again."""
        return self.kind in LIMP


def planned(count: int, weights: Mapping[str, int], rng: random.Random) -> list[str]:
    """Kinds in their proportions, each at least once if there are so many, shuffled."""
    ideal = {kind: count * weight / sum(weights.values()) for kind, weight in weights.items()}
    counts = {kind: max(1, int(share)) for kind, share in ideal.items()}
    while sum(counts.values()) < count:
        counts[max(ideal, key=lambda kind: ideal[kind] - counts[kind])] += 1
    while sum(counts.values()) > count:
        counts[max(counts, key=lambda kind: counts[kind])] -= 1
    kinds = [kind for kind, number in counts.items() for _ in range(number)]
    rng.shuffle(kinds)
    return kinds


class Crew(Protocol):
    """Keeps its processes alive."""

    def pid(self, name: str) -> int | None:
        """None between two lives."""


def send(pid: int, number: signal.Signals) -> bool:
    """False when it was gone already."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True
