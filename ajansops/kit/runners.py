"""What a kind of job does with one item. Apps register runners; the engine in `jobs` knows nothing else of them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar

from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import Feature
from ajansops.kit.errors import DomainError, Kind

JSON = dict[str, Any]
RETRIES = 3  # of an item that fails
Given = TypeVar("Given")
Output = TypeVar("Output")


@dataclass(frozen=True, slots=True)
class JobView:
    """What a runner may know of its job."""

    id: str
    workspace_id: int
    kind: str
    configuration: JSON  # what was asked for; clients see it
    test_mode: bool
    memory: JSON = field(default_factory=dict)  # what the runner itself keeps between items
    request_id: str = ""  # of the call that started it

    @property
    def actor(self) -> Actor:
        """Who keeps what the job makes: the system, on behalf of the call that started it."""
        return Actor(self.workspace_id, frozenset(), test_mode=self.test_mode, request_id=self.request_id)


@dataclass(frozen=True, slots=True)
class Item:
    """One unit of work. `key` is unique in its job; `attempt` counts its claims from 1, lost ones too."""

    id: int
    job: JobView
    key: str
    payload: JSON
    attempt: int
    failures: int = 0  # tries that ended with an error
    losses: int = 0  # tries that ended with their worker

    @property
    def last_try(self) -> bool:
        """An error now is its end."""
        return self.failures >= RETRIES


@dataclass(frozen=True, slots=True)
class NewItem:
    """Work found on the way. A key that the job already has is left out, so finding it twice is harmless."""

    key: str
    payload: JSON = field(default_factory=dict)


class News(NamedTuple):
    """What has happened to a row; `event` as `kit.public_events` names it."""

    event: str
    model: type[Any]
    pk: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What `save` leaves on the item: a small result for people and machines, and the work it found.

    The outside is told the news once all effects of the transaction are written, as the rows are then.
    """

    result: JSON = field(default_factory=dict)
    new_items: Sequence[NewItem] = ()
    news: Sequence[News] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """What a workspace may have: units (one item is one) in a calendar hour and day, UTC, and jobs at a time."""

    hourly: int
    daily: int
    concurrent: int


class ItemFailed(DomainError):
    """This item cannot be done; trying again would not help."""

    code = "item_failed"
    kind = Kind.INVALID


class Runner(Generic[Given, Output]):
    """Three steps an item goes through, so that no transaction is open while the network is awaited.

    `load` reads what a batch needs; `work` does the outside part and may run twice after a crash; `save` writes the
    effect in the transaction that marks the item done, so it happens once. Errors of `load` and `work` are retried with
    backoff, `ItemFailed` is final.

    `work` of a runner that names a provider is paid for: it is not begun while more than a few results are not saved
    yet, and it waits while the provider asks for that (`ProviderBusy`).
    """

    kind: str
    max_parallel: int | None = None  # items of one job in flight at a time, over all workers
    meter: str = ""  # what its items are counted on; kinds that name the same share their `quota`
    feature: Feature | None = None  # what its jobs cost of the workspace's plan (`spent`)
    locks_workspace = False  # `save` writes what is locked in the workspace's order: its row is locked before the job's

    def load(self, items: Sequence[Item]) -> Mapping[int, Given]:
        """Reads for `items`, keyed by item id; an item left out has lost its subject and fails."""
        raise NotImplementedError

    async def work(self, item: Item, given: Given) -> Output:
        """Outside effects and computing. No database."""
        raise NotImplementedError

    def save(self, item: Item, output: Output) -> Saved:
        """The effect, inside a transaction."""
        raise NotImplementedError

    def save_all(self, outputs: Sequence[tuple[Item, Output]]) -> Iterable[Saved]:
        """As `save` of each in turn. Override it where one statement does for many.

        An error undoes them all; then each is saved by itself.
        """
        return (self.save(item, output) for item, output in outputs)

    def drained(self, job: JobView) -> Sequence[NewItem]:
        """Called when nothing is left; items returned here keep the job going. Its keys must be new at most once."""
        return ()

    def spent(self, job_id: str, done: int) -> int:
        """Units of its feature that a job which has ended has cost, over all its tries; an item done is one."""
        return done

    def provider(self, *, test_mode: bool) -> str:
        """The name of who is paid for the work; empty when nobody is."""
        return ""

    def quota(self, workspace_id: int) -> Quota:
        """Of a runner with a meter."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Give back connections when the worker stops."""


_RUNNERS: dict[str, Runner[Any, Any]] = {}


def register(runner: Runner[Any, Any]) -> None:
    """Called from `AppConfig.ready`."""
    if runner.kind in _RUNNERS:
        raise ValueError(f"Two runners for job kind {runner.kind!r}.")
    _RUNNERS[runner.kind] = runner


def runner(kind: str) -> Runner[Any, Any]:
    """Raises KeyError for a kind nobody registered."""
    return _RUNNERS[kind]


def metered() -> Mapping[str, frozenset[str]]:
    """The kinds by their meter."""
    meters = {one.meter for one in _RUNNERS.values() if one.meter}
    return {meter: frozenset(one.kind for one in _RUNNERS.values() if one.meter == meter) for meter in meters}


def all_runners() -> Sequence[Runner[Any, Any]]:
    """In the order of registration."""
    return tuple(_RUNNERS.values())
