"""What a workspace has used of its limits, and what clients record themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction

from ajansops.kit.actor import Actor
from ajansops.kit.entitlements import METERS, SWITCHES, Feature, counted
from ajansops.kit.permissions import Permission
from billing.ledger import Ledger, used_in
from billing.limits import limits_of
from billing.periods import current_period


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one feature at a moment: others may use it meanwhile. Without a limit there is none to come near."""

    used: int
    limit: int | None
    reset_at: datetime | None = None  # of a meter: the end of its period

    @property
    def available(self) -> int | None:
        """How much is left; below zero it never goes, after a plan has shrunk."""
        return None if self.limit is None else max(0, self.limit - self.used)

    @property
    def percentage(self) -> float:
        """Of the limit, with two places."""
        if self.limit is None:
            return 0
        return round(100 * self.used / self.limit, 2) if self.limit else 100

    def has(self, quantity: int) -> bool:
        """Whether so much more would fit."""
        return self.limit is None or self.used + quantity <= self.limit


def check(actor: Actor, feature: Feature) -> Standing:
    """How a feature stands. Writes nothing: what is used meanwhile is decided where it is used."""
    actor.require(Permission.VIEW_USAGE)
    return _standings(actor.workspace_id, [feature])[feature]


def summary(actor: Actor) -> Mapping[Feature, Standing]:
    """Of everything that is counted."""
    actor.require(Permission.VIEW_USAGE)
    return _standings(actor.workspace_id, [feature for feature in Feature if feature not in SWITCHES])


@transaction.atomic
def record_usage(actor: Actor, feature: Feature, quantity: int, metadata: dict[str, Any]) -> Standing:
    """What a client has used of a meter. Raises `FeatureLimitReached`."""
    actor.require(Permission.ADD_USAGE)
    Ledger().use(actor.workspace_id, feature, quantity, f"client:{uuid4()}", metadata=metadata)
    return _standings(actor.workspace_id, [feature])[feature]


def _standings(workspace_id: int, features: list[Feature]) -> dict[Feature, Standing]:
    limits, period = limits_of(workspace_id, features), current_period(workspace_id)
    metered = used_in(period)
    return {
        feature: Standing(metered.get(feature, 0), limits[feature], period.end)
        if feature in METERS
        else Standing(counted(workspace_id, feature), limits[feature])
        for feature in features
    }
