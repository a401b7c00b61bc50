"""Which plan a workspace is on, for those who sit below billing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from time import monotonic

# Tiers on the wire, from least to most, each with the studio surface's name of its rate plan.
TIERS = {
    "free": "standard",
    "starter": "standard",
    "pro": "professional",
    "agency": "enterprise",
    "enterprise": "enterprise",
}
TIER_CHOICES = [(tier, tier.title()) for tier in TIERS]
RATE_PLAN_CHOICES = [(plan, plan.title()) for plan in dict.fromkeys(TIERS.values())]
FREE_TIER = "free"
RANK = {tier: rank for rank, tier in enumerate(TIERS)}
TIER_SECONDS = 5  # so long a changed plan may leave request limits as they were
TIERS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Plans:
    """Answered by `billing`.

    `tiers` gives the tier of each workspace id; `set_plan` puts a workspace on a plan without payment and raises
    `Invalid` for an unknown one; `plan_of_tier` names the plan that a tier stands for; `upgrade_url` is where a
    workspace gets more.
    """

    tiers: Callable[[Collection[int]], Mapping[int, str]]
    set_plan: Callable[[int, str], None]
    plan_of_tier: Callable[[str], str]
    upgrade_url: Callable[[int], str]


class _Slot:
    plans: Plans


def provide(plans: Plans) -> None:
    """Called from `AppConfig.ready`."""
    _Slot.plans = plans


def plans() -> Plans:
    """The one that was provided."""
    return _Slot.plans


def tier_of(workspace_id: int) -> str:
    """Of one workspace."""
    return plans().tiers([workspace_id])[workspace_id]


_recent: dict[int, tuple[float, str]] = {}


def recent_tier(workspace_id: int) -> str:
    """As `tier_of`, at most `TIER_SECONDS` old: every request asks, and must not cost a query for it."""
    until, tier = _recent.get(workspace_id, (0.0, ""))
    if monotonic() >= until:
        tier = tier_of(workspace_id)
        if len(_recent) >= TIERS_KEPT:
            _recent.clear()
        _recent[workspace_id] = monotonic() + TIER_SECONDS, tier
    return tier


def forget_recent_tiers() -> None:
    """For whoever cannot wait."""
    _recent.clear()


def lower_tier(tier: str, other: str) -> str:
    """The lesser of two; an empty one is no limit."""
    return min((t for t in (tier, other) if t), key=RANK.__getitem__)
