"""A worker's pool: how much is in flight, for whom, and what a pause, a busy provider or a crash means to it."""

import asyncio
import threading
import time
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from ajansops.ai.contract import ProviderBusy
from ajansops.kit.clock import now
from ajansops.kit.errors import UpstreamError
from ajansops.kit.runners import ItemFailed, NewItem
from ajansops.kit.tenancy import lock_workspace
from jobs import claims, engine
from jobs.engine import Engine
from jobs.models import Job, JobItem, ProviderPause
from jobs.outcomes import Outcome, save_outcomes
from jobs.services import start_job
from tests.jobs.conftest import Recorder
from tests.processes import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


class Gated(Recorder):
    """Work that lasts until `open`."""

    kind = "gated"

    def __init__(self):
        super().__init__()
        self.open = threading.Event()

    async def work(self, item, given):
        self.started.append(item.key)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            while not self.open.is_set():
                await asyncio.sleep(0.005)
        finally:
            self.now -= 1
        return given


@pytest.fixture
def gated(monkeypatch):
    made = Gated()
    monkeypatch.setattr("ajansops.kit.runners._RUNNERS", {made.kind: made})
    return made


@pytest.fixture
def running(request):
    """`running(concurrency)` is an engine that lives in a thread until the test is over."""
    made = []

    def run(concurrency: int) -> Engine:
        one = Engine(concurrency)
        thread = threading.Thread(target=lambda: asyncio.run(one.run()))
        thread.start()
        made.append((one, thread))
        return one

    yield run
    for one, thread in made:
        one.stop()
        thread.join()


def start(actor, kind: str, *keys: str, **options) -> Job:
    return start_job(actor, kind, [NewItem(key) for key in keys], **options)


def many(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{n}" for n in range(count)]


def test_so_many_are_in_flight_as_it_promises_and_no_more(gated, alice, running):
    start(alice, "gated", *many("a", 40))
    running(10)
    wait_for(lambda: gated.now == 10, 10)
    gated.open.set()
    wait_for(lambda: Job.objects.get().status == "completed", 20)
    assert gated.most == 10
    assert set(gated.effects.values()) == {1}


def test_a_late_small_job_gets_the_next_place_though_a_large_one_has_all(gated, alice, people, running, monkeypatch):
    other = type(alice)(people.other.pk, alice.codenames, user_id=people.charlie.pk)
    monkeypatch.setattr(engine.Pace, "per_second", property(lambda self: 100))  # so that much is claimed ahead
    start(alice, "gated", *many("large", 300))
    worker = running(10)
    wait_for(lambda: gated.now == 10, 10)
    start(other, "gated", "small")
    worker.wake()
    gated.open.set()
    wait_for(lambda: "small" in gated.started, 10)
    before = gated.started.index("small")
    assert before <= 10 + 30 + 10, "not after the large one, but after what was begun or claimed until then"


def test_many_jobs_of_one_workspace_do_not_starve_another(recorder, alice, people):
    other = type(alice)(people.other.pk, alice.codenames, user_id=people.charlie.pk)
    for n in range(40):
        start(alice, "recorder", *many(f"many{n}", 5))
    start(other, "recorder", *many("few", 5))
    keys = [item.key for item in claims.claim(10, uuid4(), ["recorder"])]
    assert sum(key.startswith("few") for key in keys) == 5


@pytest.mark.parametrize("paid", [True, False])
def test_paid_work_waits_while_more_than_a_few_results_are_unsaved(recorder, alice, running, monkeypatch, paid):
    """What a crash may have to pay for twice is bounded, whatever the database does."""
    monkeypatch.setattr(type(recorder), "provider", lambda self, *, test_mode: "bank" if paid else "", raising=False)
    held = threading.Event()
    original = engine.save_outcomes

    def save(outcomes, lease, blame):
        held.wait(10)
        return original(outcomes, lease, blame)

    monkeypatch.setattr(engine, "save_outcomes", save)
    start(alice, "recorder", *many("a", 100))
    monkeypatch.setattr(engine.Pace, "per_second", property(lambda self: 1000))
    running(8)
    if paid:
        wait_for(lambda: len(recorder.started) == 8 + engine.GUESTS and recorder.now == 0, 10)
        held.set()
        wait_for(lambda: Job.objects.get().status == "completed", 20)
    else:
        wait_for(lambda: len(recorder.started) > 50, 10)
        held.set()
        wait_for(lambda: Job.objects.get().status == "completed", 20)
    assert len(recorder.started) == 100


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_pause_stops_what_was_claimed_ahead_within_two_seconds(gated, alice, running, monkeypatch, status):
    monkeypatch.setattr(engine.Pace, "per_second", property(lambda self: 100))
    job = start(alice, "gated", *many("a", 100))
    running(5)
    wait_for(lambda: gated.now == 5 and job.items.filter(state="running").count() > 20, 10)
    Job.objects.update(status=status)
    since = time.monotonic()
    wait_for(lambda: job.items.filter(state="running").count() == 5, 10)
    assert time.monotonic() - since < 2
    gated.open.set()
    wait_for(lambda: job.items.filter(state="running").count() == 0, 10)
    job.refresh_from_db()
    assert (job.status, job.done, len(gated.started)) == (status, 5, 5), "what was in flight counts, nothing else began"
    assert not job.items.filter(state="pending", attempts__gt=0).exists()


def test_a_busy_provider_holds_up_its_own_items_and_costs_no_try(recorder, alice, gated, monkeypatch):
    """`gated` replaced the registry: both kinds are in it."""
    from ajansops.kit import runners  # noqa: PLC0415

    monkeypatch.setitem(runners._RUNNERS, "recorder", recorder)
    monkeypatch.setattr(Gated, "provider", lambda self, *, test_mode: "" if test_mode else "bank", raising=False)
    monkeypatch.setattr(Recorder, "provider", lambda self, *, test_mode: "", raising=False)
    job = start(alice, "gated", "a", "b")
    tests = start(type(alice)(alice.workspace_id, alice.codenames, test_mode=True), "gated", "t")
    free = start(alice, "recorder", "r")
    lease = uuid4()
    (item,) = [one for one in claims.claim(3, lease, ["gated"]) if one.key == "a"]
    save_outcomes([Outcome(item, error=ProviderBusy(120))], lease)
    row = JobItem.objects.get(key="a")
    assert (row.state, row.failures, row.error["code"]) == ("pending", 0, "upstream_error")
    assert 110 < (row.not_before - now()).total_seconds() <= 120
    JobItem.objects.exclude(key="a").update(state="pending", lease=None, lease_until=None)
    assert claims.stopped({job.pk, tests.pk, free.pk}, ["gated", "recorder"]) == {job.pk}
    assert {one.key for one in claims.claim(10, uuid4(), ["gated", "recorder"])} == {"t", "r"}
    assert 110 < claims.seconds_until_due(["gated", "recorder"]) <= 120
    ProviderPause.objects.update(until=now())
    assert [one.key for one in claims.claim(10, uuid4(), ["gated"])] == ["b"]


def test_a_shorter_pause_does_not_shorten_a_longer_one(recorder, alice, monkeypatch):
    monkeypatch.setattr(type(recorder), "provider", lambda self, *, test_mode: "bank", raising=False)
    start(alice, "recorder", "a", "b", "c")
    lease = uuid4()
    one, two, three = claims.claim(3, lease, ["recorder"])
    save_outcomes([Outcome(one, error=ProviderBusy(300)), Outcome(two, error=ProviderBusy(10))], lease)
    save_outcomes([Outcome(three, error=ProviderBusy(10))], lease)
    assert (ProviderPause.objects.get().until - now()).total_seconds() > 290


def lose(keys: set[str]) -> None:
    """The worker that holds these dies."""
    JobItem.objects.filter(state="running", key__in=keys).update(lease_until=now() - timedelta(seconds=1))
    claims.sweep(["recorder"])


def test_a_lost_worker_uses_up_no_try(recorder, alice, work):
    recorder.faults = {("a", n): UpstreamError("away") for n in (3, 4, 5)}
    start(alice, "recorder", "a")
    for _ in range(2):
        claims.claim(1, uuid4(), ["recorder"])
        lose({"a"})
    work()
    item = JobItem.objects.get()
    assert (item.state, item.losses, item.failures, item.attempts) == ("done", 2, 3, 6)


def test_what_kills_its_worker_does_not_take_the_others_with_it(recorder, alice):
    """The poison is lost until it fails; whoever flew with it, three times at most."""
    start(alice, "recorder", "poison", *many("innocent", 10))
    for _ in range(20):
        keys = {item.key for item in claims.claim(11, uuid4(), ["recorder"])}
        if "poison" in keys:
            lose(keys)
        else:
            JobItem.objects.filter(state="running").update(state="pending", lease=None, lease_until=None)
    assert JobItem.objects.get(key="poison").error["code"] == "worker_lost"
    assert max(JobItem.objects.exclude(key="poison").values_list("losses", flat=True)) <= 3
    assert not JobItem.objects.exclude(key="poison").filter(state="failed").exists()


def test_an_effect_that_fails_among_others_is_the_only_one_undone(recorder, alice, people, monkeypatch):
    job = start(alice, "recorder", "a", "bad", "c")
    lease = uuid4()
    items = claims.claim(3, lease, ["recorder"])
    original = recorder.save

    def save(item, output):
        if output == "bad":
            raise ItemFailed("it cannot be kept")
        return original(item, output)

    monkeypatch.setattr(recorder, "save", save)
    claims.end_jobs(save_outcomes([Outcome(item, item.key) for item in items], lease).exhausted)
    job.refresh_from_db()
    assert (job.status, job.done, job.failed) == ("completed", 2, 1)
    assert set(job.items.filter(state="done").values_list("key", flat=True)) == {"a", "c"}


def test_a_job_whose_worker_died_before_its_end_is_ended_by_another(recorder, alice, work):
    job = start(alice, "recorder", "a")
    lease = uuid4()
    (item,) = claims.claim(1, lease, ["recorder"])
    assert save_outcomes([Outcome(item, "a")], lease).exhausted == {job.pk}
    job.refresh_from_db()
    assert job.status == "processing"
    work()
    job.refresh_from_db()
    assert job.status == "completed"


def test_a_clean_stop_gives_back_what_had_not_begun_and_saves_what_had(gated, alice, running, monkeypatch):
    monkeypatch.setattr(engine.Pace, "per_second", property(lambda self: 100))
    told = []
    monkeypatch.setattr(engine, "announce", told.append)
    job = start(alice, "gated", *many("a", 50))
    worker = running(5)
    wait_for(lambda: gated.now == 5 and job.items.filter(state="running").count() > 20, 10)
    worker.stop()
    wait_for(lambda: job.items.filter(state="running").count() == 5, 5)
    gated.open.set()
    wait_for(lambda: told == ["jobs.wake"], 10)
    job.refresh_from_db()
    assert (job.done, job.items.filter(state="pending", attempts=0).count()) == (5, 45)


def test_long_work_of_one_workspace_does_not_keep_another_waiting(gated, alice, people, running):
    """All places are taken, and none becomes free."""
    other = type(alice)(people.other.pk, alice.codenames, user_id=people.charlie.pk)
    start(alice, "gated", *many("large", 100))
    running(10)
    wait_for(lambda: gated.now == 10, 10)
    start(other, "gated", *many("small", 3))
    wait_for(lambda: {"small-0", "small-1"} & set(gated.started), 10)
    assert gated.now <= 10 + engine.GUESTS
    assert sum(key.startswith("large") for key in gated.started) == 10
    gated.open.set()


def test_what_a_locked_workspace_holds_up_is_its_own(recorder, alice, people, running, monkeypatch):
    """A transaction of its own has the lock; another workspace's job ends meanwhile."""
    if connection.vendor == "sqlite":
        pytest.skip("there is one writer")
    monkeypatch.setattr(type(recorder), "locks_workspace", True)
    other = type(alice)(people.other.pk, alice.codenames, user_id=people.charlie.pk)
    held, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock_workspace(alice.workspace_id)
            held.set()
            let_go.wait(20)
        connection.close()

    holder = threading.Thread(target=hold)
    mine, theirs = start(alice, "recorder", "a"), start(other, "recorder", "b")
    holder.start()
    held.wait(10)
    running(4)
    wait_for(lambda: Job.objects.get(pk=theirs.pk).status == "completed", 15)
    assert Job.objects.get(pk=mine.pk).status == "processing"
    let_go.set()
    holder.join()
    wait_for(lambda: Job.objects.get(pk=mine.pk).status == "completed", 15)
    assert recorder.effects == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("error", "state"),
    [(OperationalError("database is locked"), "running"), (IntegrityError("no"), "pending")],
)
def test_only_data_is_blamed_and_not_a_database_that_is_busy(recorder, alice, monkeypatch, error, state):
    start(alice, "recorder", "a")
    lease = uuid4()
    (item,) = claims.claim(1, lease, ["recorder"])

    def save(item, output):
        raise error

    monkeypatch.setattr(recorder, "save", save)
    with suppress(OperationalError):
        save_outcomes([Outcome(item, "a")], lease)
    assert JobItem.objects.get().state == state


def test_a_deleted_workspace_works_no_more(recorder, alice, people, work):
    job = start(alice, "recorder", "a")
    type(people.acme).objects.filter(pk=people.acme.pk).update(deleted_at=now())
    work()
    job.refresh_from_db()
    assert (job.status, recorder.started) == ("queued", [])


def test_an_end_that_fails_keeps_no_other_from_its_own(recorder, alice, monkeypatch):
    lease = uuid4()
    good, bad = start(alice, "recorder", "a"), start(alice, "recorder", "b")
    items = claims.claim(2, lease, ["recorder"])
    exhausted = save_outcomes([Outcome(item, item.key) for item in items], lease).exhausted
    monkeypatch.setattr(claims, "publish", lambda actor, event, job, changes: 1 / (job.pk != bad.pk))
    with pytest.raises(ZeroDivisionError):
        claims.end_jobs(exhausted)
    assert Job.objects.get(pk=good.pk).status == "completed"
    assert Job.objects.get(pk=bad.pk).status == "processing"


def test_a_kind_that_this_worker_does_not_know_is_left_alone(recorder, alice):
    start(alice, "recorder", "a")
    claims.claim(1, uuid4(), ["recorder"])
    Job.objects.update(kind="of-tomorrow")
    JobItem.objects.update(lease_until=now() - timedelta(seconds=1))
    assert claims.sweep(["recorder"]) == 0
    assert claims.ending_jobs(["recorder"]) == []


def test_whoever_is_always_refused_fails_in_the_end(recorder, alice, work, monkeypatch):
    monkeypatch.setattr(type(recorder), "provider", lambda self, *, test_mode: "bank", raising=False)
    monkeypatch.setattr("jobs.outcomes.MIN_PAUSE", 0)
    monkeypatch.setattr("jobs.outcomes.REFUSALS", 3)
    recorder.faults = {("a", n): ProviderBusy(0) for n in range(1, 20)}
    start(alice, "recorder", "a")
    work()
    item = JobItem.objects.get()
    assert (item.state, item.attempts, item.failures) == ("failed", 7, 4)


def test_a_database_that_fails_while_reading_blames_nobody(recorder, alice, work, monkeypatch):
    answers = iter([OperationalError("the server closed the connection")] * 5)

    def load(items):
        for error in answers:
            raise error
        return {item.id: item.key for item in items}

    monkeypatch.setattr(recorder, "load", load)
    monkeypatch.setattr(engine, "TROUBLE", 0.01)
    start(alice, "recorder", "a")
    work()
    item = JobItem.objects.get()
    assert (item.state, item.failures, item.attempts) == ("done", 0, 1)
