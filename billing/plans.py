"""The plans, declared once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """`tier` is its name on the wire; `studio` names the window of generated variants it has."""

    code: str
    tier: str
    studio: str


PLANS = {
    plan.code: plan
    for plan in (
        Plan("free", "free", "standard"),
        Plan("starter", "starter", "standard"),
        Plan("growth", "pro", "professional"),
        Plan("agency", "agency", "enterprise"),
        Plan("done", "agency", "enterprise"),
        Plan("enterprise", "enterprise", "enterprise"),
    )
}
FREE = PLANS["free"]
