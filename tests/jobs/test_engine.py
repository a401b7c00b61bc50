"""What the engine promises for each item of each job."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import OperationalError, transaction

from ajansops.kit.clock import now
from ajansops.kit.errors import UpstreamError
from ajansops.kit.runners import ItemFailed, NewItem
from jobs import claims, engine, services
from jobs.models import Job, JobItem
from jobs.outcomes import Outcome, save_outcomes
from jobs.services import JobRunning, start_job, start_large_job

pytestmark = pytest.mark.django_db(transaction=True)


class Beyond(Exception):
    """As PostgreSQL's driver names a limit that the data exceeds."""

    sqlstate = "54000"


def start(actor, *keys, **options) -> Job:
    return start_job(actor, "recorder", [NewItem(key) for key in keys], **options)


def test_every_item_is_done_once(recorder, alice, work):
    job = start(alice, *(str(n) for n in range(120)))
    work()
    job.refresh_from_db()
    assert (job.status, job.done, job.failed, job.total) == ("completed", 120, 0, 120)
    assert set(recorder.effects.values()) == {1}
    assert recorder.most == 16, "items of a batch run concurrently"


def test_found_items_join_the_job_once(recorder, alice, work):
    recorder.children = {"a": ["b", "c"], "b": ["c", "a", "d"]}
    job = start(alice, "a")
    work()
    job.refresh_from_db()
    assert sorted(recorder.effects.elements()) == ["a", "b", "c", "d"]
    assert (job.status, job.total) == ("completed", 4)


def test_the_last_item_comes_after_all_others(recorder, alice, work):
    recorder.last = ["report"]
    job = start(alice, "a", "b", "c")
    work()
    job.refresh_from_db()
    assert recorder.started[-1] == "report"
    assert recorder.effects["report"] == 1
    assert (job.status, job.total) == ("completed", 4)


@pytest.mark.parametrize(("tries_that_fail", "state", "attempts"), [(1, "done", 2), (3, "done", 4), (4, "failed", 4)])
def test_a_fault_is_retried_three_times(recorder, alice, work, tries_that_fail, state, attempts):
    recorder.faults = {("a", n): UpstreamError("it was away") for n in range(1, tries_that_fail + 1)}
    job = start(alice, "a", "b")
    work()
    item = job.items.get(key="a")
    assert (item.state, item.attempts) == (state, attempts)
    assert recorder.effects["b"] == 1
    job.refresh_from_db()
    assert job.status == "completed"
    if state == "failed":
        assert item.error == {"code": "upstream_error", "message": "it was away"}


def test_a_final_failure_is_not_retried(recorder, alice, work):
    recorder.faults = {("a", 1): ItemFailed("no such page")}
    job = start(alice, "a")
    work()
    job.refresh_from_db()
    assert recorder.started == ["a"]
    assert (job.status, job.failed) == ("failed", 1)
    assert job.error["message"] == "no such page"


def test_a_crash_of_ours_says_nothing_of_itself(recorder, alice, work):
    recorder.faults = {("a", n): KeyError("secret detail") for n in range(1, 5)}
    job = start(alice, "a")
    work()
    assert "secret detail" not in str(job.items.get().error)
    assert job.items.get().error["code"] == "internal_error"


def test_an_effect_that_fails_is_undone(recorder, alice, work, people, monkeypatch):
    def half(item, output):
        people.acme.name = "half done"
        people.acme.save()
        raise ValueError("no")

    monkeypatch.setattr(recorder, "save", half)
    start(alice, "a")
    work()
    people.acme.refresh_from_db()
    assert people.acme.name == "Acme"


def test_a_dead_workers_items_come_back_after_their_lease(recorder, alice, work, monkeypatch):
    job = start(alice, "a", "b")
    monkeypatch.setattr(claims, "LEASE", timedelta(seconds=-1))
    lost = claims.claim(1, uuid4(), ["recorder"])
    assert len(lost) == 1
    assert claims.sweep(["recorder"]) == 1
    monkeypatch.undo()
    monkeypatch.setattr("ajansops.kit.runners._RUNNERS", {"recorder": recorder})
    work()
    job.refresh_from_db()
    assert (job.status, dict(recorder.effects)) == ("completed", {"a": 1, "b": 1})


def test_a_late_result_of_a_lost_lease_counts_for_nothing(recorder, alice):
    start(alice, "a")
    slow, quick = uuid4(), uuid4()
    (first,) = claims.claim(1, slow, ["recorder"])
    JobItem.objects.update(lease_until=now() - timedelta(seconds=1))
    claims.sweep(["recorder"])
    (second,) = claims.claim(1, quick, ["recorder"])
    save_outcomes([Outcome(first, "a")], slow)
    assert recorder.effects["a"] == 0
    save_outcomes([Outcome(second, "a")], quick)
    assert recorder.effects["a"] == 1


def test_an_item_that_kills_its_workers_fails(recorder, alice):
    job = start(alice, "poison")
    for _ in range(claims.MAX_LOSSES):
        claims.claim(1, uuid4(), ["recorder"])
        JobItem.objects.update(lease_until=now() - timedelta(seconds=1))
        claims.sweep(["recorder"])
    claims.end_jobs(claims.ending_jobs(["recorder"]))
    job.refresh_from_db()
    assert job.items.get().error["code"] == "worker_lost"
    assert (job.status, job.failed) == ("failed", 1)


def test_a_clean_stop_gives_items_back_untried(recorder, alice):
    start(alice, "a")
    lease = uuid4()
    (item,) = claims.claim(1, lease, ["recorder"])
    claims.release([item.id], lease)
    row = JobItem.objects.get()
    assert (row.state, row.attempts, row.lease) == ("pending", 0, None)


def test_a_small_job_is_not_kept_waiting_by_a_large_one(recorder, alice):
    start(alice, *(f"large-{n}" for n in range(500)))
    claims.claim(50, uuid4(), ["recorder"])
    start(alice, "small")
    keys = [item.key for item in claims.claim(4, uuid4(), ["recorder"])]
    assert "small" in keys


def test_max_parallel_holds_over_all_workers(recorder, alice):
    start(alice, "a", "b", "c", max_parallel=2)
    assert len(claims.claim(10, uuid4(), ["recorder"])) == 2
    assert claims.claim(10, uuid4(), ["recorder"]) == []


def test_an_interval_spaces_the_starts(recorder, alice):
    start(alice, "a", "b", interval_ms=60_000)
    assert len(claims.claim(10, uuid4(), ["recorder"])) == 1
    assert claims.claim(10, uuid4(), ["recorder"]) == []
    assert 50 < claims.seconds_until_due(["recorder"]) <= 60


def test_a_second_job_for_the_same_subject_is_refused_while_one_runs(recorder, alice, work):
    start(alice, "a", subject="site:1")
    with pytest.raises(JobRunning):
        start(alice, "b", subject="site:1")
    work()
    start(alice, "c", subject="site:1")


def test_a_job_rolled_back_was_never_there(recorder, alice, work):
    with transaction.atomic():
        start(alice, "a")
        transaction.set_rollback(True)
    work()
    assert recorder.started == []


def test_a_job_without_items_is_done(recorder, alice):
    assert start(alice).status == "completed"


def test_a_job_that_cannot_end_fails_and_keeps_its_effects(recorder, alice, work, monkeypatch):
    monkeypatch.setattr(recorder, "drained", lambda job: 1 / 0)
    job = start(alice, "a")
    work()
    job.refresh_from_db()
    assert (job.status, job.error["code"], recorder.effects["a"]) == ("failed", "internal_error", 1)


def test_a_large_start_runs_nothing_before_all_of_it_is_there(recorder, alice, work, monkeypatch):
    monkeypatch.setattr("jobs.services.INSERT_AT_ONCE", 10)
    inserted = []

    def insert(job, items):
        assert claims.claim(100, uuid4(), ["recorder"]) == []
        inserted.append(len(items))
        original(job, items)

    original = services.insert_items
    monkeypatch.setattr(services, "insert_items", insert)
    job = start_large_job(alice, "recorder", [NewItem(str(n)) for n in range(25)])
    work()
    job.refresh_from_db()
    assert inserted == [10, 10, 5]
    assert (job.status, job.done, job.total) == ("completed", 25, 25)


def test_a_start_that_was_interrupted_fails_and_says_so(recorder, alice, monkeypatch):
    monkeypatch.setattr(services, "insert_items", lambda job, items: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        start_large_job(alice, "recorder", [NewItem("a")])
    job = Job.objects.get()
    claims.end_jobs(claims.ending_jobs(["recorder"]))
    job.refresh_from_db()
    assert job.status == "queued"
    Job.objects.update(created_at=now() - timedelta(minutes=11))
    claims.end_jobs(claims.ending_jobs(["recorder"]))
    job.refresh_from_db()
    assert (job.status, job.error["code"]) == ("failed", "interrupted")


def test_both_results_of_an_item_that_one_worker_claimed_twice_count_once(recorder, alice):
    start(alice, "a", "b")
    lease = uuid4()
    (first,) = claims.claim(1, lease, ["recorder"])
    JobItem.objects.filter(pk=first.id).update(lease_until=now() - timedelta(seconds=1))
    claims.sweep(["recorder"])
    again = next(item for item in claims.claim(2, lease, ["recorder"]) if item.id == first.id)
    save_outcomes([Outcome(first, "a"), Outcome(again, "a")], lease)
    assert recorder.effects["a"] == 1
    assert Job.objects.get().done == 1


def test_an_effect_that_the_database_refuses_stops_nobody_else(recorder, alice, work, monkeypatch):
    def refuse(item, output):
        if output == "bad":
            raise OperationalError("index row size exceeds maximum") from Beyond()
        return original(item, output)

    original = recorder.save
    monkeypatch.setattr(recorder, "save", refuse)
    job = start(alice, "a", "bad", "c")
    work()
    job.refresh_from_db()
    assert (job.status, job.done, job.failed) == ("completed", 2, 1)


def test_a_reason_with_characters_no_database_takes_is_kept_without_them(recorder, alice, work):
    recorder.faults = {("a", 1): ItemFailed("no\0 such \ud800 page")}
    job = start(alice, "a")
    work()
    assert job.items.get().error["message"] == "no such ? page"


def test_a_passing_database_error_at_the_end_does_not_fail_the_job(recorder, alice, work, monkeypatch):
    answers = iter([OperationalError("deadlock detected")] * 2)

    def drained(job):
        for error in answers:
            raise error
        return ()

    monkeypatch.setattr(recorder, "drained", drained)
    job = start(alice, "a")
    work()
    job.refresh_from_db()
    assert (job.status, job.done, job.failed) == ("completed", 1, 0)


def test_work_that_cancels_itself_is_a_failed_try(recorder, alice, work):
    recorder.faults = {("a", n): asyncio.CancelledError() for n in range(1, 5)}
    job = start(alice, "a", "b")
    work()
    job.refresh_from_db()
    assert (job.status, job.done, job.failed) == ("completed", 1, 1)


def test_a_database_that_is_away_is_waited_for_and_nothing_is_lost(recorder, alice, work, monkeypatch):
    refused = []

    def away(outcomes, lease, blame):
        if len(refused) < 3:
            refused.append(time.monotonic())
            raise OperationalError("the server closed the connection")
        return original(outcomes, lease, blame)

    original = engine.save_outcomes
    monkeypatch.setattr(engine, "save_outcomes", away)
    monkeypatch.setattr(engine, "TROUBLE", 0.1)
    job = start(alice, "a", "b")
    work()
    job.refresh_from_db()
    assert (job.status, dict(recorder.effects)) == ("completed", {"a": 1, "b": 1})
    assert refused[2] - refused[0] >= 0.2, "it does not spin"
