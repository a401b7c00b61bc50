"""What was claimed and has not begun: shared fairly between workspaces."""

from collections import Counter, deque
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ajansops.kit.runners import Item, runner

Loaded = tuple[Item, Mapping[int, Any]]  # with what `load` gave for its batch


def is_paid(item: Item) -> bool:
    """Whether its work costs money each time."""
    return bool(runner(item.job.kind).provider(test_mode=item.job.test_mode))


class Buffer:
    """A queue for each workspace; next is the one with least in flight, so that a late small job need not wait."""

    def __init__(self) -> None:
        self._queues: dict[int, deque[Loaded]] = {}
        self._inflight: Counter[int] = Counter()

    def __len__(self) -> int:
        return sum(map(len, self._queues.values()))

    def items(self) -> Iterator[Item]:
        """All of them."""
        return (item for queue in self._queues.values() for item, _ in queue)

    def add(self, item: Item, given: Mapping[int, Any]) -> None:
        """At the end of its workspace's queue."""
        self._queues.setdefault(item.job.workspace_id, deque()).append((item, given))

    def pop(self, room: int, paid_room: int, guests: int) -> Loaded | None:
        """The next that may begin, which is in flight until `ended`.

        When all places are taken, of a workspace that has none `guests` more: long work of others must not keep it
        waiting.
        """
        fitting = []
        for workspace_id, queue in self._queues.items():
            extra = guests if room <= 0 and not self._inflight[workspace_id] else 0
            if room + extra > 0 and (paid_room > 0 or not is_paid(queue[0][0])):
                fitting.append(workspace_id)
        if not fitting:
            return None
        workspace_id = min(fitting, key=self._inflight.__getitem__)
        queue = self._queues[workspace_id]
        found = queue.popleft()
        if not queue:
            del self._queues[workspace_id]
        self._inflight[workspace_id] += 1
        return found

    def ended(self, item: Item) -> None:
        """It is no longer in flight."""
        self._inflight[item.job.workspace_id] -= 1
        self._inflight += Counter()  # forgets those with none

    def workspaces(self) -> set[int]:
        """That have something here or in flight."""
        return {*self._queues, *self._inflight}

    def remove(self, job_ids: Collection[str] | None) -> list[Item]:
        """The items of these jobs, or all, which are no longer here."""
        gone = [item for item in self.items() if job_ids is None or item.job.id in job_ids]
        kept = {one: deque(pair for pair in queue if pair[0] not in gone) for one, queue in self._queues.items()}
        self._queues = {one: queue for one, queue in kept.items() if queue}
        return gone


class Pace:
    """How fast items go when so many are in flight."""

    def __init__(self, concurrency: int) -> None:
        self._concurrency = concurrency
        self._seconds = 0.0  # that one takes, the latest counting most; 0: nobody knows yet

    def ended(self, seconds: float) -> None:
        """One took so long."""
        self._seconds = 0.9 * self._seconds + 0.1 * seconds if self._seconds else seconds

    @property
    def per_second(self) -> float:
        """Items; 0 while nobody knows."""
        return self._concurrency / self._seconds if self._seconds else 0.0
