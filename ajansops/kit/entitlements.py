"""What a workspace's plan allows, and what was used of it, for those who sit below or beside billing.

Gauges count rows that are there; meters count units of work in a period. Every service that makes a row of a gauge
calls `admit`; every service that spends a unit of a meter calls `use`, or `reserve` and then `settle` and `release`.

A meter's calls belong into the caller's transaction: what was used and what was done are kept together or not at all.
Each is idempotent by (workspace, feature, source, part): called again it changes nothing. A `source` names the work,
such as `job:content_…`; a `part` what one unit of it was, such as `item:12`.

Locks: `admit`, `reserve` and `use` lock the workspace; who holds rows of jobs has locked it before. The others need no
lock of the caller, and come after the workspace's and the jobs'.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from ajansops.kit.actor import Actor, Via
from ajansops.kit.errors import DomainError, Kind


class Feature(StrEnum):
    """By their names on the wire."""

    SITES = "sites"
    POSTS = "posts"
    PRODUCTS = "products"
    MEMBERS = "members"  # and invitations that may still be accepted
    API_KEYS = "api_keys"
    WEBHOOKS = "webhooks"
    AGENTS = "agents"

    STORAGE = "storage"

    LEAD_SCRAPES = "lead_scrapes"  # a unit is a lead kept
    SEO_SCRAPES = "seo_scrapes"  # a run
    EMAILS = "emails"  # a mail
    AUDITS = "audits"  # a run
    GENERATIONS = "generations"  # a variant or a tagged image
    API_CALLS = "api_calls"
    PIXEL_EVENTS = "pixel_events"
    MCP_CALLS = "mcp_calls"  # a tools/call

    PRIORITY_SUPPORT = "priority_support"


METERS = frozenset(
    {
        Feature.LEAD_SCRAPES,
        Feature.SEO_SCRAPES,
        Feature.EMAILS,
        Feature.AUDITS,
        Feature.GENERATIONS,
        Feature.API_CALLS,
        Feature.PIXEL_EVENTS,
        Feature.MCP_CALLS,
    }
)
SWITCHES = frozenset({Feature.PRIORITY_SUPPORT})  # a plan has it or not
GAUGES = frozenset(Feature) - METERS - SWITCHES  # storage is one, counted in bytes


class FeatureLimitReached(DomainError):
    """You have reached your limit for this feature."""

    code = "feature_limit_reached"
    kind = Kind.FORBIDDEN

    def __init__(self, feature: Feature, upgrade_url: str, resets_at: datetime | None = None) -> None:
        super().__init__(feature=feature.value, upgrade_url=upgrade_url)
        self.feature = feature
        self.resets_at = resets_at  # of a meter: when its period ends


@dataclass(frozen=True, slots=True)
class Meter:
    """How one stands at a moment; `resets_at` is the end of its period."""

    used: int
    limit: int | None
    resets_at: datetime

    def has(self, quantity: int) -> bool:
        """Whether so much more would fit."""
        return self.limit is None or self.used + quantity <= self.limit


class Entitlements(Protocol):
    """Answered by `billing`. What would pass the limit raises `FeatureLimitReached` and changes nothing."""

    def admit(self, workspace_id: int, feature: Feature, quantity: int = 1) -> None:
        """Whether so many more rows of a gauge may be made, in the transaction that makes them, before they are.

        None more is never refused: then it is only noted, as always, when much of the limit is used.
        """
        ...

    def left(self, workspace_id: int, feature: Feature) -> int | None:
        """Units or rows that there may still be; None without a limit. It decides nothing: others may take them."""
        ...

    def meter(self, workspace_id: int, feature: Feature) -> Meter:
        """How one stands. It decides nothing, as `left`."""
        ...

    def use(self, workspace_id: int, feature: Feature, quantity: int, source: str) -> None:
        """Units of a meter that are spent in this transaction."""
        ...

    def reserve(self, workspace_id: int, feature: Feature, quantity: int, source: str, *, hold: timedelta) -> None:
        """Units that work beginning now will spend at most. They count as used at once, in the present period.

        After `hold` what is not settled is given back, unless the work still goes on (`keep_while`).
        """
        ...

    def settle(self, workspace_id: int, feature: Feature, source: str, parts: Mapping[str, int]) -> None:
        """Units that were really spent, by part (`{"item:12": 1}`; `{"": n}` when there are no parts).

        Nothing is refused, as it is done already: what the reservation has not is counted in its period, also above the
        limit. Raises KeyError without a reservation.
        """
        ...

    def release(self, workspace_id: int, feature: Feature, source: str) -> int:
        """The end of the work: give back what was reserved and not settled. How much; 0 when nothing was reserved."""
        ...

    def refund(self, workspace_id: int, feature: Feature, source: str, quantity: int = 1, *, part: str = "") -> int:
        """Give back what was settled, in the period it was charged to, at most once a part. How much that was.

        A part that was refunded may be spent again only under another name.
        """
        ...

    def record(self, workspace_id: int, feature: Feature, quantity: int, source: str) -> Meter:
        """Units that were spent already, whatever the limit says, and how it stands then.

        Of one source may come more and more.
        """
        ...


class _Slot:
    entitlements: Entitlements


def provide(entitlements: Entitlements) -> None:
    """Called from `AppConfig.ready`."""
    _Slot.entitlements = entitlements


def entitlements() -> Entitlements:
    """The one that was provided."""
    return _Slot.entitlements


def admit(actor: Actor, feature: Feature, quantity: int = 1) -> None:
    """As `Entitlements.admit`, for whoever makes the rows. Commands are the operator's own, and ask nobody."""
    if actor.via is not Via.COMMAND:
        entitlements().admit(actor.workspace_id, feature, quantity)


Counter = Callable[[int], int]
Running = Callable[[Collection[str]], Collection[str]]
_COUNTERS: dict[Feature, Counter] = {}
_HOLDERS: dict[str, Running] = {}


def count_with(feature: Feature, counter: Counter) -> None:
    """How an app counts a workspace's rows of a gauge. Called from `AppConfig.ready`."""
    _COUNTERS[feature] = counter


def counted(workspace_id: int, feature: Feature) -> int:
    """Of a gauge now; nothing where no app makes such rows."""
    return _COUNTERS[feature](workspace_id) if feature in _COUNTERS else 0


def keep_while(prefix: str, running: Running) -> None:
    """Which of the sources that begin with `prefix` still work: their reservations outlive their hold.

    Called from `AppConfig.ready`.
    """
    _HOLDERS[prefix] = running


def still_running(sources: Collection[str]) -> frozenset[str]:
    """Those whose holder says so."""
    return frozenset(
        source
        for prefix, running in _HOLDERS.items()
        for source in running([source for source in sources if source.startswith(prefix)])
    )
