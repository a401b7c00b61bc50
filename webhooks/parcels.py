"""What passes between the database and the network."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from webhooks.schedule import delivered

Lane = tuple[int, str]  # workspace and its receiver


class Parcel(NamedTuple):
    """One attempt of one delivery, and all that it needs. Tuples: thousands a second are made."""

    id: int
    lane: Lane
    endpoint_id: int | None
    url: str
    event_id: str
    type: str
    body: bytes
    secrets: tuple[str, ...]
    attempts: int  # before this one
    request_id: str
    read_at: float  # by the monotonic clock

    def __repr__(self) -> str:
        return f"Parcel({self.id}, {self.event_id})"  # no secrets in logs


class Outcome(NamedTuple):
    """What came of it. `status` is None where there was no answer; `asked` is Retry-After in seconds."""

    parcel: Parcel
    status: int | None = None
    body: str = ""
    error: str = ""
    timed_out: bool = False
    asked: float = 0.0
    elapsed_ms: int = 0

    @property
    def delivered(self) -> bool:
        """Whether the receiver took it."""
        return delivered(self.status)


class Held:
    """Which deliveries a worker has in memory, by lane, and how many bytes they have, by workspace."""

    def __init__(self, parcels: Iterable[Parcel] = ()) -> None:
        self.lanes: defaultdict[Lane, list[int]] = defaultdict(list)
        self.weight: Counter[int] = Counter()
        for parcel in parcels:
            self.lanes[parcel.lane].append(parcel.id)
            self.weight[parcel.lane[0]] += len(parcel.body)

    @property
    def workspaces(self) -> set[int]:
        """Whose they are."""
        return {workspace_id for workspace_id, _ in self.lanes}
