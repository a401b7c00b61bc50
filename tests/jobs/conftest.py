"""A runner whose behaviour each test writes down."""

import asyncio
from collections import Counter

import pytest

from accounts.roles import Role, codenames
from ajansops.kit import runners
from ajansops.kit.actor import Actor
from ajansops.kit.runners import Item, NewItem, Runner, Saved


class Recorder(Runner):
    """`work` answers with the key, unless `faults` has an error for this key and try."""

    kind = "recorder"

    def __init__(self):
        self.started: list[str] = []
        self.effects: Counter[str] = Counter()
        self.faults: dict[tuple[str, int], Exception] = {}
        self.children: dict[str, list[str]] = {}
        self.last: list[str] = []
        self.gate: asyncio.Event | None = None
        self.most = self.now = 0

    def load(self, items):
        return {item.id: item.key for item in items}

    async def work(self, item: Item, given: str) -> str:
        self.started.append(item.key)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.01)
            if fault := self.faults.get((item.key, item.attempt)):
                raise fault
        finally:
            self.now -= 1
        return given

    def save(self, item: Item, output: str) -> Saved:
        self.effects[output] += 1
        return Saved({"key": output}, [NewItem(key) for key in self.children.get(item.key, [])])

    def drained(self, job):
        return [NewItem(key) for key in self.last]


@pytest.fixture
def recorder(monkeypatch) -> Recorder:
    made = Recorder()
    monkeypatch.setitem(runners._RUNNERS, made.kind, made)
    return made


@pytest.fixture
def alice(people) -> Actor:
    return Actor(people.acme.pk, codenames(Role.OWNER), user_id=people.alice.pk)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Retries come at once."""
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))
