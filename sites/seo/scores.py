"""Scores, and what they are made of.

A category starts at 100. Each code takes off its check's `weight` times the share of pages that have it; a site-wide
one takes its whole weight. Together they take at most 100: beyond that, each takes its proportional part. The score is
rounded to whole points, half up, and the lost points are dealt out to the codes by largest remainder, so that a score
and its explanation always make exactly 100.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sites.seo.checks import CHECKS, Category, Issue


@dataclass(frozen=True, slots=True)
class Score:
    """0 to 100, and the points that each code cost; codes whose share rounds to nothing are not in it."""

    value: int
    points: Mapping[str, int]


Scores = Mapping[Category, Score | None]  # every category is in it; None when nothing was measured for it


def score(issues: Iterable[Issue], pages: int) -> dict[Category, Score | None]:
    """Of a crawl with that many HTML pages of status 200, and the issues of `CHECKS` found on it."""
    if pages <= 0:
        return dict.fromkeys(Category)
    places: defaultdict[str, set[str]] = defaultdict(set)
    for issue in issues:
        places[issue.code].add(issue.url)
    return {category: from_costs(_costs(category, places, pages)) for category in Category}


def from_costs(costs: Mapping[str, float]) -> Score:
    """The score that is left when each code costs so many points, of which at most 100 count."""
    lost = math.ceil(min(sum(costs.values()), 100) - 0.5)
    return Score(100 - lost, apportion(costs, lost))


def apportion(costs: Mapping[str, float], total: int) -> dict[str, int]:
    """`total` whole points dealt out in proportion to `costs`, dearest first; `total` is 0 when all costs are."""
    sum_of_costs = sum(costs.values())
    if not sum_of_costs:
        return {}
    exact = {code: cost / sum_of_costs * total for code, cost in costs.items()}
    points = {code: math.floor(part) for code, part in exact.items()}
    by_remainder = sorted(exact, key=lambda code: (points[code] - exact[code], code))
    for code in by_remainder[: total - sum(points.values())]:
        points[code] += 1
    return dict(sorted(((code, lost) for code, lost in points.items() if lost), key=lambda item: (-item[1], item[0])))


def explain(score: Score | None) -> list[dict[str, str | int]]:
    """The codes that cost points, dearest first: the points and the value make 100."""
    return [{"code": code, "points": points} for code, points in score.points.items()] if score else []


def _costs(category: Category, places: Mapping[str, set[str]], pages: int) -> dict[str, float]:
    checks = [CHECKS[code] for code in places if code in CHECKS]
    return {
        check.code: check.weight * (1 if check.site_wide else min(1, len(places[check.code]) / pages))
        for check in checks
        if check.category is category
    }
