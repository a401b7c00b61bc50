"""Months as Chart.js wants its data: JSON for an attribute, which Unfold's own script reads."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from billing.labels import money
from billing.revenue import Month

GREY = "#9ca3af"
# In place of Unfold's own, whose axes begin anywhere: half as high shall be half as much.
OPTIONS = json.dumps(
    {
        "animation": False,
        "maintainAspectRatio": False,
        "plugins": {"legend": {"display": False}},
        "scales": {
            "x": {"stacked": True, "grid": {"display": False}, "ticks": {"color": GREY, "maxTicksLimit": 6}},
            "y": {"beginAtZero": True, "grid": {}, "ticks": {"color": GREY, "maxTicksLimit": 5}},
        },
    }
)
ACCENT, GOOD, BAD = "var(--color-primary-600)", "#16a34a", "#dc2626"


@dataclass(frozen=True, slots=True)
class Chart:
    """`now` is the last value in words, for who sees no drawing."""

    title: str
    now: str
    data: str
    options: str = OPTIONS


def revenue_charts(months: Sequence[Month]) -> list[Chart]:
    """One a currency: sums of several would need a rate, and one axis for all would hide the smaller ones."""
    currencies = sorted({currency for month in months for currency in month.revenue})
    return [_revenue_chart(months, currency) for currency in currencies]


def churn_chart(months: Sequence[Month]) -> Chart:
    """In percent of the payers of the month before."""
    last = months[-1].churn
    line = _line("Churn", [month.churn for month in months], BAD)
    return Chart("Churn, %", "–" if last is None else f"{last} %", _data(months, [line]))


def payers_chart(months: Sequence[Month]) -> Chart:
    """Who came above the line, who left below it."""
    bars = [
        _set("New", [month.new for month in months], GOOD),
        _set("Lost", [-month.lost for month in months], BAD),
    ]
    return Chart("Payers", str(months[-1].payers), _data(months, bars))


def _revenue_chart(months: Sequence[Month], currency: str) -> Chart:
    amounts = [month.revenue.get(currency, 0) for month in months]
    line = _line("MRR", [amount / 100 for amount in amounts], ACCENT)
    return Chart(f"MRR, {currency.upper()}", money(amounts[-1], currency), _data(months, [line]))


def _line(label: str, values: Sequence[float | None], colour: str) -> dict[str, Any]:
    return _set(label, values, colour) | {"borderWidth": 2, "pointRadius": 3}


def _set(label: str, values: Sequence[float | None], colour: str) -> dict[str, Any]:
    return {
        "label": label,
        "data": values,
        "borderColor": colour,
        "backgroundColor": colour,
        "maxBarThickness": 24,
    }


def _data(months: Iterable[Month], datasets: list[dict[str, Any]]) -> str:
    return json.dumps({"labels": [f"{month.first:%b %Y}" for month in months], "datasets": datasets})
