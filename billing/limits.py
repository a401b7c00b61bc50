"""How much of each feature a workspace may have: what its plan allows, and the boosts that are in force."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature
from billing.features import LIMITS
from billing.models import Boost, PlanLimit
from billing.selectors import plan_of


def limits_of(workspace_id: int, features: Collection[Feature] = tuple(Feature)) -> Mapping[Feature, int | None]:
    """None is no limit. Where `sync_plans` was not run yet, what is declared holds."""
    plan = plan_of(workspace_id).code
    kept = dict(PlanLimit.objects.filter(plan=plan, feature__in=features).values_list("feature", "limit"))
    boosts: defaultdict[str, int] = defaultdict(int)
    in_force = Boost.objects.in_force(now()).filter(workspace_id=workspace_id, feature__in=features)
    for feature, amount in in_force.values_list("feature", "amount"):
        boosts[feature] += amount
    limits = {feature: kept.get(feature, LIMITS[plan][feature]) for feature in features}
    return {feature: limit if limit is None else limit + boosts[feature] for feature, limit in limits.items()}


def limit_of(workspace_id: int, feature: Feature) -> int | None:
    """Of one."""
    return limits_of(workspace_id, (feature,))[feature]


def sync_plans() -> int:
    """Write the declared limits, and leave what somebody has edited. How many rows that changed."""
    kept = {(row.plan, row.feature): row for row in PlanLimit.objects.all()}
    declared = {(plan, feature): limit for plan, limits in LIMITS.items() for feature, limit in limits.items()}
    new = [
        PlanLimit(plan=plan, feature=feature, limit=limit)
        for (plan, feature), limit in declared.items()
        if (plan, feature) not in kept
    ]
    stale = [row for key, row in kept.items() if key in declared and not row.edited and row.limit != declared[key]]
    for row in stale:
        row.limit = declared[row.plan, Feature(row.feature)]
    PlanLimit.objects.bulk_create(new, ignore_conflicts=True)
    PlanLimit.objects.bulk_update(stale, ["limit"])
    gone = [row.pk for key, row in kept.items() if key not in declared]
    PlanLimit.objects.filter(pk__in=gone).delete()
    return len(new) + len(stale) + len(gone)
