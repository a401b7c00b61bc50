"""The plans, declared once."""

from dataclasses import dataclass

from ajansops.kit.plans import TIERS


@dataclass(frozen=True, slots=True)
class Plan:
    """`tier` is its name on the wire."""

    code: str
    tier: str

    @property
    def studio(self) -> str:
        """The window of generated variants it has, in the studio surface's words."""
        return TIERS[self.tier]


PLANS = {
    plan.code: plan
    for plan in (
        Plan("free", "free"),
        Plan("starter", "starter"),
        Plan("growth", "pro"),
        Plan("agency", "agency"),
        Plan("done", "agency"),
        Plan("enterprise", "enterprise"),
    )
}
FREE = PLANS["free"]


def plan_of_tier(tier: str) -> str:
    """The first plan of the tier: growth for pro, agency for agency."""
    return next(plan.code for plan in PLANS.values() if plan.tier == tier)
