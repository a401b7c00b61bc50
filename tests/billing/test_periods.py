"""Months from an anchor, computed once and kept."""

from datetime import UTC, datetime

import pytest

from ajansops.kit.entitlements import Feature, entitlements
from billing import periods
from billing.models import Period, Subscription
from billing.periods import boundary, current_period, last_boundary


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("anchor", "boundaries"),
    [
        ("2026-01-31T10:30", ["2026-01-31T10:30", "2026-02-28T10:30", "2026-03-31T10:30", "2026-04-30T10:30"]),
        ("2028-01-30T00:00", ["2028-01-30T00:00", "2028-02-29T00:00", "2028-03-30T00:00"]),
        ("2026-11-15T23:59", ["2026-11-15T23:59", "2026-12-15T23:59", "2027-01-15T23:59"]),
        ("2026-12-31T00:00", ["2026-12-31T00:00", "2027-01-31T00:00", "2027-02-28T00:00", "2027-03-31T00:00"]),
    ],
)
def test_a_short_month_does_not_move_the_next_boundary(anchor, boundaries):
    assert [boundary(day(anchor), months) for months in range(len(boundaries))] == [day(text) for text in boundaries]


@pytest.mark.parametrize("anchor", ["2026-01-31T10:30", "2024-02-29T00:00", "2026-07-01T12:00"])
def test_every_moment_is_in_one_month(anchor):
    start = day(anchor)
    for months in range(-15, 30):
        begin, end = boundary(start, months), boundary(start, months + 1)
        assert last_boundary(start, begin) == months
        assert boundary(start, last_boundary(start, begin + (end - begin) / 2)) == begin
        assert last_boundary(start, end) == months + 1


@pytest.fixture
def at(monkeypatch):
    """`at("2026-02-01T00:00")` makes it that moment."""

    def move(text: str) -> None:
        monkeypatch.setattr(periods, "now", lambda: day(text))

    return move


@pytest.fixture
def workspace(people):
    people.acme.created_at = day("2026-01-31T10:30")
    people.acme.save()
    return people.acme.pk


def spend(workspace_id: int, source: str) -> Period:
    entitlements().use(workspace_id, Feature.EMAILS, 1, source)
    return current_period(workspace_id)


def test_without_a_subscription_months_begin_as_the_workspace_did(workspace, at):
    at("2026-03-01T00:00")
    period = spend(workspace, "one")
    assert (period.start, period.end) == (day("2026-02-28T10:30"), day("2026-03-31T10:30"))
    at("2026-03-31T10:30")
    assert spend(workspace, "two").start == day("2026-03-31T10:30")


def test_a_period_that_is_open_stays_when_the_anchor_moves(workspace, at):
    at("2026-03-01T00:00")
    spend(workspace, "one")
    Subscription.objects.update_or_create(workspace_id=workspace, defaults={"anchor": day("2026-03-10T08:00")})
    at("2026-03-20T00:00")
    assert current_period(workspace).end == day("2026-03-31T10:30")
    at("2026-04-01T00:00")
    second = spend(workspace, "two")
    assert (second.start, second.end) == (day("2026-03-31T10:30"), day("2026-04-10T08:00"))
    at("2026-04-10T08:00")
    third = spend(workspace, "three")
    assert (third.start, third.end) == (day("2026-04-10T08:00"), day("2026-05-10T08:00"))


def test_a_long_silence_leaves_no_period(workspace, at):
    at("2026-03-01T00:00")
    spend(workspace, "one")
    at("2026-09-05T00:00")
    period = spend(workspace, "two")
    assert (period.start, period.end) == (day("2026-08-31T10:30"), day("2026-09-30T10:30"))
    assert Period.objects.filter(workspace_id=workspace).count() == 2
