"""Reads a Lighthouse result as Lighthouse (version 6 and later) or the PageSpeed Insights API writes it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from ajansops.kit.errors import Invalid
from sites.seo.checks import Category, Issue, Severity
from sites.seo.facts import clean
from sites.seo.scores import Score, Scores, apportion
from sites.seo.urls import normalise

PASS: Final = 0.9  # Lighthouse's own: from here green, below `POOR` red
POOR: Final = 0.5
MAX_ITEMS: Final = 10  # of an audit's details
MAX_AUDITS: Final = 1000
UNEXPLAINED: Final = "unexplained"  # the code of lost points when the audits of a result do not account for any

_CATEGORIES: Final = {
    "performance": Category.PERFORMANCE,
    "accessibility": Category.ACCESSIBILITY,
    "best-practices": Category.BEST_PRACTICES,
    "seo": Category.SEO,
}
# Others are not judged: notApplicable, informative, manual, error.
_JUDGED: Final = frozenset({"binary", "numeric", "metricSavings"})


class _Audit(NamedTuple):
    id: str
    weight: float  # in its category
    result: Mapping[str, Any]

    @property
    def code(self) -> str:
        return self.id.replace("-", "_")

    @property
    def judged(self) -> bool:
        return self.result.get("scoreDisplayMode") in _JUDGED and _number(self.result.get("score")) is not None

    @property
    def score(self) -> float:
        """0 to 1, of a judged audit."""
        return min(1.0, max(0.0, float(self.result["score"])))

    @property
    def severity(self) -> Severity:
        if not self.weight:
            return Severity.NOTICE  # a diagnosis, part of no score
        return Severity.ERROR if self.score < POOR else Severity.WARNING


class Result(NamedTuple):
    url: str
    scores: Scores
    issues: list[Issue]


def from_lighthouse(json: Mapping[str, Any]) -> Result:
    """The scores that it has, and every failed audit as an issue under its id, in our spelling (`image_alt`).

    Raises `Invalid` when it is no Lighthouse result, or one of a run that failed.
    """
    result = json.get("lighthouseResult", json)
    if not isinstance(result, dict):
        raise _invalid("This is not a Lighthouse result.")
    categories, audits = _object(result, "categories"), _object(result, "audits")
    error = result.get("runtimeError") or {}
    if isinstance(error, dict) and error.get("code", "NO_ERROR") != "NO_ERROR":
        raise _invalid(f"Lighthouse could not load the page: {clean(str(error['code']))}.")
    url = _url(result)
    scores: dict[Category, Score | None] = dict.fromkeys(Category)
    issues: dict[str, Issue] = {}
    for name, category in _CATEGORIES.items():
        found = categories.get(name)
        if isinstance(found, dict):
            judged = [audit for audit in _audits(found, audits) if audit.judged]
            scores[category] = _score(found.get("score"), judged)
            for audit in filter(lambda audit: audit.score < PASS, judged):
                issues.setdefault(audit.code, _issue(audit, url))
    return Result(url, scores, list(issues.values()))


def _invalid(message: str) -> Invalid:
    return Invalid(errors={"report": [message]})


def _object(result: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = result.get(name)
    if not isinstance(value, dict):
        raise _invalid(f"'{name}' must be an object, as Lighthouse writes it.")
    return value


def _url(result: Mapping[str, Any]) -> str:
    names = ("finalDisplayedUrl", "finalUrl", "requestedUrl")  # version 10 and later, before, and always
    written = next((result[name] for name in names if result.get(name)), None)
    url = normalise(written, "") if isinstance(written, str) else None
    if url is None:
        raise _invalid("'finalDisplayedUrl' must be the address of the page.")
    return url


def _number(value: Any) -> float | None:
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if number else None


def _audits(category: Mapping[str, Any], results: Mapping[str, Any]) -> Iterator[_Audit]:
    """Those of a category that its page shows; group `hidden` is there for programs."""
    references = category.get("auditRefs")
    for reference in references[:MAX_AUDITS] if isinstance(references, list) else []:
        if not isinstance(reference, dict) or reference.get("group") == "hidden":
            continue
        name, weight = clean(str(reference.get("id"))), _number(reference.get("weight"))
        result = results.get(name)
        if isinstance(result, dict):
            yield _Audit(name, max(0.0, weight or 0.0), result)


def _score(value: Any, judged: list[_Audit]) -> Score | None:
    """Lighthouse's own score; the points it lost are dealt to the audits below 1, failed or not, by their weight."""
    share = _number(value)
    if share is None or not 0 <= share <= 1:
        return None
    points = math.floor(share * 100 + 0.5)
    costs = {audit.code: audit.weight * (1 - audit.score) for audit in judged}
    if not any(costs.values()):
        costs = {UNEXPLAINED: 1.0}
    return Score(points, apportion(costs, 100 - points))


def _issue(audit: _Audit, url: str) -> Issue:
    result = audit.result
    texts = {name: clean(str(result[name])) for name in ("title", "displayValue", "explanation") if result.get(name)}
    value = _number(result.get("numericValue"))
    items = _items(result.get("details"))
    element = next((item["selector"] for item in items if "selector" in item), "")
    details = {"audit": audit.id, "score": audit.score, "weight": audit.weight, "value": value, "items": items, **texts}
    return Issue(audit.code, audit.severity, url, element, details)


def _items(details: Any) -> list[dict[str, Any]]:
    """The addresses and elements of an audit's table."""
    rows = details.get("items") if isinstance(details, dict) else None
    items = [_item(row) for row in rows[:MAX_ITEMS] if isinstance(row, dict)] if isinstance(rows, list) else []
    return [item for item in items if item]


def _item(row: Mapping[str, Any]) -> dict[str, Any]:
    node = row.get("node")
    node = node if isinstance(node, dict) else {}
    named = {"url": row.get("url"), "selector": node.get("selector"), "snippet": node.get("snippet")}
    return {name: clean(value) for name, value in named.items() if isinstance(value, str) and value}
