"""Lighthouse results as Lighthouse writes them."""

import pytest

from ajansops.kit.errors import Invalid
from sites.seo.checks import Category, Severity
from sites.seo.lighthouse import UNEXPLAINED, from_lighthouse


def audit(name, score, mode="binary", **extra):
    return {"id": name, "title": f"About {name}", "description": "…", "score": score, "scoreDisplayMode": mode, **extra}


def result(audits, *, category="seo", score=0.5, weights=None, **extra):
    references = [{"id": item["id"], "weight": (weights or {}).get(item["id"], 1)} for item in audits]
    return {
        "lighthouseVersion": "12.2.1",
        "requestedUrl": "https://example.com",
        "finalDisplayedUrl": "https://example.com/",
        "audits": {item["id"]: item for item in audits},
        "categories": {category: {"id": category, "score": score, "auditRefs": references}},
        **extra,
    }


IMAGE_ALT = audit(
    "image-alt",
    0,
    details={"type": "table", "items": [{"node": {"type": "node", "selector": "div > img.hero", "snippet": "<img>"}}]},
)


def test_it_works():
    found = from_lighthouse(result([IMAGE_ALT, audit("document-title", 1)], category="accessibility", score=0.92))
    assert found.url == "https://example.com/"
    assert found.scores[Category.ACCESSIBILITY].value == 92
    assert found.scores[Category.ACCESSIBILITY].points == {"image_alt": 8}
    assert found.scores[Category.SEO] is None
    (issue,) = found.issues
    assert (issue.code, issue.severity, issue.element) == ("image_alt", Severity.ERROR, "div > img.hero")
    assert issue.details["title"] == "About image-alt"
    assert issue.details["items"] == [{"selector": "div > img.hero", "snippet": "<img>"}]


@pytest.mark.parametrize(
    ("score", "mode", "failed"),
    [
        (0, "binary", True),
        (1, "binary", False),
        (0.49, "numeric", True),
        (0.89, "numeric", True),
        (0.9, "numeric", False),
        (0.5, "metricSavings", True),
        (None, "notApplicable", False),
        (None, "informative", False),
        (None, "manual", False),
        (None, "error", False),
        (0, "informative", False),
        (0, "notApplicable", False),
    ],
)
def test_only_failed_audits_are_issues(score, mode, failed):
    assert bool(from_lighthouse(result([audit("x", score, mode)])).issues) is failed


@pytest.mark.parametrize(
    ("score", "weight", "severity"),
    [(0, 1, Severity.ERROR), (0.6, 1, Severity.WARNING), (0, 0, Severity.NOTICE)],
)
def test_severity_follows_the_colour_and_the_weight(score, weight, severity):
    found = from_lighthouse(result([audit("x-y", score, "numeric", numericValue=3100.5)], weights={"x-y": weight}))
    assert found.issues[0].severity is severity
    assert found.issues[0].details["value"] == 3100.5


@pytest.mark.parametrize(
    ("audits", "score", "points"),
    [
        ([audit("a", 0), audit("b", 0.5, "numeric")], 0.25, {"a": 50, "b": 25}),
        ([audit("a", 0.95, "numeric"), audit("b", 1)], 0.98, {"a": 2}),
        ([audit("a", 1)], 0.98, {UNEXPLAINED: 2}),
        ([audit("a", 1)], 1, {}),
    ],
)
def test_points_and_score_make_a_hundred(audits, score, points):
    found = from_lighthouse(result(audits, score=score)).scores[Category.SEO]
    assert found.points == points
    assert found.value + sum(points.values()) == 100


def test_an_answer_of_the_pagespeed_api_is_unwrapped():
    assert from_lighthouse({"lighthouseResult": result([IMAGE_ALT])}).issues


def test_hidden_audits_and_other_categories_are_left_out():
    report = result([IMAGE_ALT])
    report["categories"]["seo"]["auditRefs"][0]["group"] = "hidden"
    report["categories"]["pwa"] = {"score": 0, "auditRefs": [{"id": "image-alt", "weight": 1}]}
    assert from_lighthouse(report).issues == []


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"lighthouseResult": "x"},
        {"categories": [], "audits": {}},
        {**result([]), "finalDisplayedUrl": "about:blank"},
        {**result([]), "finalDisplayedUrl": 7},
        {**result([]), "runtimeError": {"code": "ERRORED_DOCUMENT_REQUEST", "message": "404"}},
    ],
)
def test_what_is_no_result_is_refused(report):
    with pytest.raises(Invalid) as caught:
        from_lighthouse(report)
    assert caught.value.errors["report"]


@pytest.mark.parametrize(
    "category",
    [
        None,
        {},
        {"score": "high", "auditRefs": 7},
        {"score": 7, "auditRefs": [None, {}, {"id": "gone"}]},
        {"score": None, "auditRefs": [{"id": "x", "weight": "heavy"}]},
    ],
)
def test_odd_parts_of_a_result_are_passed_over(category):
    report = result([])
    report["categories"]["seo"] = category
    report["audits"]["x"] = {"score": True, "scoreDisplayMode": "binary", "details": {"items": 3}}
    found = from_lighthouse(report)
    assert (found.scores[Category.SEO], found.issues) == (None, [])
