"""Scores and their explanations."""

import random

import pytest

from sites.seo.checks import CHECKS, Category
from sites.seo.scores import apportion, explain, from_costs, score

HUNDRED = [f"https://example.com/{number}" for number in range(100)]


def issues(code, urls):
    return [CHECKS[code].issue(url, {}) for url in urls]


def test_it_works():
    scores = score(issues("title_missing", HUNDRED) + issues("h1_missing", HUNDRED[:50]), pages=100)
    assert scores[Category.SEO].value == 76
    assert explain(scores[Category.SEO]) == [
        {"code": "title_missing", "points": 20},
        {"code": "h1_missing", "points": 4},
    ]
    assert scores[Category.PERFORMANCE].value == 100
    assert explain(scores[Category.PERFORMANCE]) == []


def test_nothing_is_scored_without_a_page():
    scores = score(issues("robots_missing", HUNDRED[:1]), pages=0)
    assert scores == dict.fromkeys(Category)
    assert explain(scores[Category.SEO]) == []


def test_a_site_wide_issue_costs_its_whole_weight():
    assert (
        score(issues("robots_missing", HUNDRED[:1]), pages=100)[Category.SEO].value
        == 100 - CHECKS["robots_missing"].weight
    )


def test_an_address_counts_once_and_dead_addresses_never_as_more_than_every_page():
    assert score(issues("sitemap_dead_page", HUNDRED * 2), pages=1)[Category.SEO].value == 95


def test_more_than_everything_is_nothing():
    everything = [issue for code in CHECKS for issue in issues(code, HUNDRED)]
    for found in score(everything, pages=100).values():
        assert 0 <= found.value < 20
        assert found.value + sum(found.points.values()) == 100
    assert from_costs({"a": 300, "b": 100}).points == {"a": 75, "b": 25}


def test_every_check_costs_something_in_one_category():
    assert all(0 < check.weight <= 100 for check in CHECKS.values())
    assert {check.category for check in CHECKS.values()} == set(Category)


@pytest.mark.parametrize(
    ("costs", "value"), [({}, 100), ({"a": 0.4}, 100), ({"a": 0.5}, 100), ({"a": 0.51}, 99), ({"a": 99.6}, 0)]
)
def test_scores_round_half_up(costs, value):
    assert from_costs(costs).value == value


def test_points_and_score_always_make_a_hundred():
    dice = random.Random(5)
    for _ in range(500):
        found = from_costs(
            {f"code_{number}": dice.random() * dice.choice([0.01, 1, 30]) for number in range(dice.randint(0, 12))}
        )
        assert found.value + sum(row["points"] for row in explain(found)) == 100
        assert all(row["points"] > 0 for row in explain(found))


def test_equal_costs_are_dealt_out_in_the_order_of_their_names():
    assert apportion({"c": 1, "b": 1, "a": 1}, 2) == {"a": 1, "b": 1}
