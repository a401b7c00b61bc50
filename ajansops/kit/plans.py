"""Which plan a workspace is on, for those who sit below billing."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plans:
    """Answered by `billing`.

    `tiers` gives the tier on the wire (free, starter, pro, agency, enterprise) of each workspace id; `set_plan` puts a
    workspace on a plan without payment and raises `Invalid` for an unknown one.
    """

    tiers: Callable[[Collection[int]], Mapping[int, str]]
    set_plan: Callable[[int, str], None]


class _Slot:
    plans: Plans


def provide(plans: Plans) -> None:
    """Called from `AppConfig.ready`."""
    _Slot.plans = plans


def plans() -> Plans:
    """The one that was provided."""
    return _Slot.plans
