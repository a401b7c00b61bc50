"""What a job costs: reserved when it starts, to the unit when it has ended, however it ends."""

from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import transaction

from accounts.actors import operator
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, FeatureLimitReached
from ajansops.kit.runners import ItemFailed, NewItem
from billing.ledger import return_reservations, used_of, verify_ledger
from billing.models import Reservation
from jobs import claims
from jobs.models import ItemState, Job, JobItem
from jobs.outcomes import Outcome, save_outcomes
from jobs.services import cancel_job, pause_job, requeue_job, resume_job, start_job

pytestmark = pytest.mark.django_db(transaction=True)
NO = ItemFailed("no")
KINDS = ["recorder"]


@pytest.fixture(autouse=True)
def _counters_are_the_sums_of_their_ledgers(transactional_db):
    yield
    assert verify_ledger()["ledger_mismatches"] == 0


@pytest.fixture
def costly(recorder, monkeypatch):
    """An item is a generation."""
    monkeypatch.setattr(type(recorder), "feature", Feature.GENERATIONS)
    return recorder


def start(actor, keys: str) -> Job:
    with transaction.atomic():
        return start_job(actor, "recorder", [NewItem(key) for key in keys])


def used(actor) -> int:
    return used_of(actor.workspace_id, Feature.GENERATIONS)


def end_what_has_ended() -> None:
    claims.end_jobs(claims.ending_jobs(KINDS))


def row(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


@pytest.mark.parametrize(
    ("failing", "status", "cost"), [("", "completed", 4), ("bd", "completed", 2), ("abcd", "failed", 0)]
)
def test_what_failed_costs_nothing(costly, alice, work, failing, status, cost):
    costly.faults = {(key, 1): NO for key in failing}
    job = start(alice, "abcd")
    assert used(alice) == 4, "all of it is taken at once"
    work()
    assert (row(job).status, row(job).charged, row(job).reservation) == (status, cost, "")
    assert used(alice) == cost


def test_what_the_plan_does_not_allow_leaves_nothing_behind(costly, alice, limit):
    limit(Feature.GENERATIONS, 4)
    start(alice, "abc")
    with pytest.raises(FeatureLimitReached):
        start(alice, "de")
    assert (Job.objects.count(), JobItem.objects.count(), Reservation.objects.count(), used(alice)) == (1, 3, 1, 3)
    start(alice, "d")
    assert used(alice) == 4


def test_what_comes_back_can_be_spent_again(costly, alice, work, limit):
    limit(Feature.GENERATIONS, 3)
    costly.faults = {("b", 1): NO}
    start(alice, "abc")
    work()
    start(alice, "d")
    with pytest.raises(FeatureLimitReached):
        start(alice, "e")


def test_commands_ask_nobody_and_cost_nothing(costly, people, work, limit):
    limit(Feature.GENERATIONS, 0)
    actor = operator(people.acme.pk)
    start(actor, "ab")
    work()
    assert used(actor) == 0


def test_a_job_that_is_cancelled_before_it_begins_costs_nothing(costly, alice):
    cancel_job(alice, start(alice, "abc").pk)
    assert used(alice) == 0


def test_what_is_in_flight_when_a_job_is_cancelled_still_counts(costly, alice):
    job, lease = start(alice, "abcde"), uuid4()
    one, two, three = claims.claim(3, lease, ["recorder"])
    cancel_job(alice, job.pk)
    assert used(alice) == 5
    end_what_has_ended()
    assert used(alice) == 5, "three may still end well"
    save_outcomes([Outcome(one, one.key), Outcome(two, error=NO)], lease)
    claims.release([three.id], lease)
    end_what_has_ended()
    assert (used(alice), row(job).charged) == (1, 1)
    end_what_has_ended()
    assert used(alice) == 1, "once"


def test_a_worker_that_is_lost_with_a_cancelled_job_gives_its_units_back(costly, alice):
    job = start(alice, "ab")
    claims.claim(2, uuid4(), ["recorder"])
    cancel_job(alice, job.pk)
    JobItem.objects.filter(state=ItemState.RUNNING).update(lease_until=now() - timedelta(seconds=1))
    claims.sweep(KINDS)
    end_what_has_ended()
    assert used(alice) == 0


def test_a_lost_worker_costs_nothing_twice(costly, alice, work):
    job = start(alice, "abc")
    claims.claim(2, uuid4(), ["recorder"])
    JobItem.objects.filter(state=ItemState.RUNNING).update(lease_until=now() - timedelta(seconds=1))
    work()
    assert (row(job).status, row(job).charged, used(alice)) == ("completed", 3, 3)


def test_what_kills_its_workers_costs_nothing(costly, alice):
    job = start(alice, "a")
    for _ in range(claims.MAX_LOSSES):
        claims.claim(1, uuid4(), ["recorder"])
        JobItem.objects.filter(state=ItemState.RUNNING).update(lease_until=now() - timedelta(seconds=1))
        claims.sweep(KINDS)
    end_what_has_ended()
    assert (row(job).status, used(alice)) == ("failed", 0)


def test_a_job_that_waits_for_days_keeps_its_units(costly, alice, work):
    job = start(alice, "abc")
    pause_job(alice, job.pk)
    with time_machine.travel(now() + timedelta(days=40), tick=True):
        assert return_reservations() == {"reservations_returned": 0}
    resume_job(alice, job.pk)
    work()
    assert (row(job).charged, used(alice)) == (3, 3)


def test_units_of_a_job_that_is_no_more_come_back_by_themselves(costly, alice):
    start(alice, "abc").delete()
    assert return_reservations() == {"reservations_returned": 0}, "its hold is not over"
    with time_machine.travel(now() + timedelta(days=2), tick=True):
        assert return_reservations() == {"reservations_returned": 1}
    assert used(alice) == 0


def test_trying_again_takes_what_is_left_to_do_and_no_more(costly, alice, work):
    costly.faults = {("b", 1): NO, ("c", 1): NO, ("c", 2): NO}
    job = start(alice, "abcd")
    work()
    assert used(alice) == 2
    requeue_job(alice, job.pk)
    assert used(alice) == 4
    work()
    assert (row(job).charged, used(alice)) == (3, 3)
    requeue_job(alice, job.pk)
    work()
    assert (row(job).status, row(job).charged, used(alice)) == ("completed", 4, 4)
    assert Reservation.objects.count() == 3


def test_trying_again_twice_with_nothing_done_reserves_twice(costly, alice, work):
    costly.faults = {("a", attempt): NO for attempt in (1, 2)}
    job = start(alice, "a")
    for _ in range(2):
        work()
        assert used(alice) == 0
        requeue_job(alice, job.pk)
        assert used(alice) == 1
    work()
    assert (row(job).status, used(alice)) == ("completed", 1)


def test_a_cancelled_job_that_goes_on_at_once_holds_its_units_once(costly, alice, work):
    job = start(alice, "abc")
    claims.claim(1, uuid4(), ["recorder"])
    cancel_job(alice, job.pk)
    requeue_job(alice, job.pk)
    assert used(alice) == 3
    JobItem.objects.filter(state=ItemState.RUNNING).update(lease_until=now() - timedelta(seconds=1))
    work()
    assert (row(job).status, row(job).charged, used(alice)) == ("completed", 3, 3)


def test_what_a_command_has_tried_again_is_free_for_good(costly, alice, work):
    costly.faults = {("b", 1): NO, ("c", 1): NO, ("c", 2): NO}
    job = start(alice, "abc")
    work()
    requeue_job(operator(alice.workspace_id), job.pk)
    work()
    assert (row(job).done, used(alice)) == (2, 1)
    requeue_job(alice, job.pk)
    assert used(alice) == 2, "one is left to do"
    work()
    assert (row(job).status, row(job).done, used(alice)) == ("completed", 3, 2)


def test_trying_again_is_refused_without_units_and_changes_nothing(costly, alice, work, limit):
    costly.faults = {("a", 1): NO}
    job = start(alice, "ab")
    work()
    limit(Feature.GENERATIONS, 1)
    with pytest.raises(FeatureLimitReached):
        requeue_job(alice, job.pk)
    assert (row(job).status, row(job).failed, used(alice)) == ("completed", 1, 1)
    assert JobItem.objects.filter(state=ItemState.FAILED).count() == 1
