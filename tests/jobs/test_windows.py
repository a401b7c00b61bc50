"""Units of an hour and a day: never exceeded, waited for, given back."""

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction

from ajansops.kit.clock import now
from ajansops.kit.runners import ItemFailed, NewItem, Quota
from jobs import claims, windows
from jobs.models import Job, JobItem, UnitDay
from jobs.outcomes import Outcome, save_outcomes
from jobs.services import start_job

pytestmark = pytest.mark.django_db(transaction=True)
NOON = datetime(2026, 5, 5, 12, 10, tzinfo=UTC)
QUOTA = Quota(hourly=3, daily=5, concurrent=2)


@pytest.fixture
def clock(monkeypatch):
    """`clock(moment)` is what time it is."""

    def at(moment: datetime) -> None:
        for place in ("jobs.claims", "jobs.outcomes", "jobs.engine"):
            monkeypatch.setattr(f"{place}.now", lambda: moment)

    at(NOON)
    return at


@pytest.fixture
def metered(recorder, monkeypatch):
    monkeypatch.setattr(type(recorder), "meter", "test")
    monkeypatch.setattr(type(recorder), "quota", lambda self, workspace_id: QUOTA, raising=False)
    return recorder


def start(actor, *keys: str) -> Job:
    job = start_job(actor, "recorder", [NewItem(key) for key in keys])
    Job.objects.filter(pk=job.pk).update(runnable_at=NOON - timedelta(days=1))
    JobItem.objects.filter(job=job).update(not_before=NOON - timedelta(days=1))
    return job


def claimed(most: int = 50) -> list[str]:
    return [item.key for item in claims.claim(most, uuid4(), ["recorder"])]


def waits(job: Job) -> datetime | None:
    job.refresh_from_db()
    return job.resumes_at


def test_what_does_not_fit_waits_for_the_next_hour_and_then_for_the_next_day(metered, alice, clock):
    job = start(alice, *"abcdefg")
    assert claimed() == ["a", "b", "c"]
    assert waits(job) == NOON.replace(hour=13, minute=0)
    assert claimed() == [], "nothing more in this hour"
    clock(NOON.replace(hour=13, minute=5))
    assert claimed() == ["d", "e"], "the day has five"
    assert waits(job) == datetime(2026, 5, 6, tzinfo=UTC)
    clock(NOON.replace(hour=14, minute=5))
    assert claimed() == []
    clock(datetime(2026, 5, 6, 0, 0, 1, tzinfo=UTC))
    assert claimed() == ["f", "g"]
    assert waits(job) is None


def test_a_waiting_job_goes_on_by_itself(metered, alice, work, clock):
    job = start(alice, *"abcde")
    work()
    job.refresh_from_db()
    assert (job.status, job.done, sum(metered.effects.values())) == ("processing", 3, 3)
    clock(NOON.replace(hour=13, minute=0))
    work()
    job.refresh_from_db()
    assert (job.status, job.done, set(metered.effects.values())) == ("completed", 5, {1})


def test_a_failed_item_gives_its_unit_back_to_the_hour_it_was_begun_in(metered, alice, clock):
    job = start(alice, *"abcd")
    lease = uuid4()
    items = claims.claim(3, lease, ["recorder"])
    clock(NOON.replace(hour=13, minute=0))
    save_outcomes([Outcome(items[0], error=ItemFailed("no")), *(Outcome(item, item.key) for item in items[1:])], lease)
    assert UnitDay.objects.get().hours[12:14] == [2, 0]
    clock(NOON)
    assert windows.wake_waiting(["recorder"], NOON) == 0, "it was not short of anything yet"
    assert claimed() == ["d"]
    assert waits(job) is None


def test_units_that_come_back_wake_whoever_waits(metered, alice, clock):
    job = start(alice, *"abcd")
    lease = uuid4()
    items = claims.claim(4, lease, ["recorder"])
    assert waits(job)
    assert windows.wake_waiting(["recorder"], NOON) == 0
    claims.release([items[0].id], lease)
    assert windows.wake_waiting(["recorder"], NOON) == 1
    assert len(claimed()) == 1


def test_a_plan_that_grew_wakes_whoever_waits(metered, alice, clock, monkeypatch):
    job = start(alice, *"abcd")
    claimed()
    assert waits(job)
    monkeypatch.setattr(type(metered), "quota", lambda self, workspace_id: Quota(10, 10, 2))
    assert windows.wake_waiting(["recorder"], NOON) == 1
    assert claimed() == ["d"]


@pytest.mark.parametrize("how", ["lost with its worker", "given back by its worker"])
def test_what_is_not_ended_costs_nothing(metered, alice, clock, how):
    start(alice, "a")
    lease = uuid4()
    (item,) = claims.claim(1, lease, ["recorder"])
    assert UnitDay.objects.get().hours[12] == 1
    if how.startswith("lost"):
        JobItem.objects.update(lease_until=now() - timedelta(seconds=1))
        assert claims.sweep(["recorder"]) == 1
    else:
        claims.release([item.id], lease)
    assert UnitDay.objects.get().hours[12] == 0


def test_only_so_many_jobs_run_at_a_time_also_of_those_that_waited(metered, alice, clock, monkeypatch):
    monkeypatch.setattr(type(metered), "quota", lambda self, workspace_id: Quota(100, 100, 2))
    for name in "abc":
        start(alice, f"{name}1", f"{name}2")
    assert {key[0] for key in claimed()} == {"a", "b"}, "the oldest two"


def test_workspaces_do_not_share_a_window(metered, alice, people, clock):
    other = type(alice)(people.other.pk, alice.codenames, user_id=people.charlie.pk)
    start(alice, *"abcd")
    start(other, *"wxyz")
    assert sorted(claimed()) == ["a", "b", "c", "w", "x", "y"]


def together(work, threads: int) -> None:
    """All begin at the same moment."""
    gate = threading.Barrier(threads)

    def run() -> None:
        gate.wait()
        try:
            work()
        finally:
            connections.close_all()

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


def test_a_window_is_exact_however_many_workers_claim(metered, alice, clock, monkeypatch):
    monkeypatch.setattr(type(metered), "quota", lambda self, workspace_id: Quota(40, 1000, 100))
    for name in range(16):
        start(alice, *(f"{name}-{n}" for n in range(10)))
    together(lambda: [claimed(7) for _ in range(6)], 8)
    assert JobItem.objects.filter(state="running").count() == 40
    assert UnitDay.objects.get().hours[12] == 40


@pytest.mark.parametrize(("locked", "granted"), [(True, 40), (False, 80)])
def test_it_is_the_lock_that_makes_it_exact(alice, monkeypatch, locked, granted):
    """The positive control of the test above: two take all there is, at the same moment."""
    if connection.vendor == "sqlite":
        pytest.skip("there the transaction is the lock")
    met = threading.Barrier(2)

    def unlocked(workspace_id, meter, day):
        row = UnitDay.objects.get(workspace_id=workspace_id, meter=meter, day=day)
        met.wait(10)
        return row

    UnitDay.objects.create(workspace_id=alice.workspace_id, meter="test", day=NOON.date())
    if not locked:
        monkeypatch.setattr(windows, "_locked", unlocked)
    taken = []

    def take() -> None:
        with transaction.atomic():
            taken.append(windows.take(alice.workspace_id, "test", Quota(40, 1000, 9), 40, NOON)[0])

    together(take, 2)
    assert sum(taken) == granted
