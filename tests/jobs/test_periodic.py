"""Periodic work: each slot once, whoever asks and however often; what is missed, fails, hangs or dies."""

import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from io import StringIO
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
import structlog
from django.core.management import CommandError, call_command
from django.db import connection

from ajansops.celery import BeginOfSlot, schedule
from ajansops.kit import periodic
from ajansops.kit.errors import Conflict
from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Cron, Every
from jobs import periodic as running
from jobs.models import PeriodicRun
from jobs.periodic import forget_runs, run_due
from jobs.tasks import run_periodic
from tests.accounts.test_admin import address, staff
from tests.conftest import Api
from tests.processes import wait_for

SECRET = {"authorization": "Bearer cron-secret"}
ALWAYS = Every(10**9)  # one slot for all the time that tests take
TEN = datetime(2026, 11, 30, 10, tzinfo=UTC)


class Counted:
    """A task that says how often it ran, and does what a test wants meanwhile."""

    def __init__(self, schedule=ALWAYS, name="counted"):
        self.task = Periodic(name, schedule, self.run)
        self.runs = 0
        self.meanwhile = lambda: None

    def run(self):
        self.runs += 1
        self.meanwhile()
        return {"runs": self.runs}


@pytest.fixture
def only(monkeypatch):
    """`only(schedule)` makes the one task there is."""
    monkeypatch.setattr(periodic, "_TASKS", {})

    def make(schedule=ALWAYS, name="counted") -> Counted:
        made = Counted(schedule, name)
        periodic.register(made.task)
        return made

    return make


class Clock:
    """Stands where it was put."""

    def __init__(self):
        self.moment = TEN

    def __call__(self):
        return self.moment

    def go(self, **passed):
        self.moment += timedelta(**passed)


@pytest.fixture
def clock(monkeypatch) -> Clock:
    made = Clock()
    for place in ("jobs.periodic", "ajansops.celery", "ajansops.management.commands.periodic"):
        monkeypatch.setattr(f"{place}.now", made)
    return made


@pytest.fixture
def said():
    with structlog.testing.capture_logs() as lines:
        yield lines


def cron(name="counted", query=""):
    answer = Api(**SECRET).post(f"/api/cron/{name}{query}")
    assert answer.status_code == 200
    return answer.json()


SKIPPED = {"ok": True, "skipped": True}


# --- each slot once ---------------------------------------------------------------------------------------------------


def test_a_crontab_that_calls_every_five_minutes_runs_an_hourly_task_once_an_hour(db, only, clock):
    task = only(Every(3600))
    answers = []
    for _ in range(24):
        answers.append(cron())
        clock.go(minutes=5)
    assert [answer for answer in answers if answer != SKIPPED] == [{"ok": True, "runs": 1}, {"ok": True, "runs": 2}]
    assert task.runs == 2
    assert list(PeriodicRun.objects.order_by("slot").values_list("slot", flat=True)) == [TEN, TEN + timedelta(hours=1)]


def test_beat_cron_and_worker_together_run_a_slot_once(db, only, clock):
    task = only(Every(60))
    for _ in range(3):
        run_due()
        run_periodic(name="counted")
        assert cron() == SKIPPED
        run_due()
        clock.go(seconds=60)
    assert task.runs == 3


def test_nothing_due_costs_one_query(db, only, clock, django_assert_num_queries):
    for name in ("a", "b", "c"):
        only(Every(60), name)
    run_due()
    with django_assert_num_queries(1):
        run_due()


def test_a_clock_that_is_put_back_runs_nothing_again(db, only, clock):
    task = only(Every(60))
    run_due()
    clock.go(minutes=-10)
    run_due()
    assert task.runs == 1


def race(callers) -> None:
    """All at once, each in a thread of its own."""
    start = threading.Barrier(len(callers))
    errors = []

    def one(call):
        start.wait()
        try:
            call()
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=[call]) for call in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


DOORS = [run_due, lambda: run_periodic(name="counted"), cron, lambda: run_due("counted")] * 4


def test_of_sixteen_doors_at_once_one_runs_the_slot(transactional_db, only):
    for place in range(3):
        task = only(name="counted")
        PeriodicRun.objects.all().delete()
        race(DOORS)
        assert (place, task.runs) == (place, 1)
        assert PeriodicRun.objects.get().result == {"runs": 1}


def most_at_a_time(only) -> int:
    """Of sixteen manual runs at once. Each is a slot of its own, so it is not the slot that keeps them apart."""
    task, inside, most = only(), [], []

    def meanwhile():
        inside.append(1)
        most.append(len(inside))
        threading.Event().wait(0.1)
        inside.pop()

    task.meanwhile = meanwhile
    race([lambda: cron(query="?force=1")] * 16)
    assert PeriodicRun.objects.count() == task.runs
    return max(most)


def test_of_sixteen_manual_runs_at_once_none_overlaps_another(transactional_db, only):
    assert most_at_a_time(only) == 1


def test_the_control_without_its_constraint_they_overlap(transactional_db, only):
    (guard,) = [one for one in PeriodicRun._meta.constraints if one.name == "periodic_one_at_a_time"]
    with connection.schema_editor() as schema:
        schema.remove_constraint(PeriodicRun, guard)
    try:
        assert most_at_a_time(only) > 1
    finally:
        with connection.schema_editor() as schema:
            schema.add_constraint(PeriodicRun, guard)


def test_the_control_without_the_claim_more_than_one_runs(transactional_db, only, monkeypatch):
    task = only()
    monkeypatch.setattr(running, "claim", lambda name, slot: uuid4())
    race(DOORS)
    assert task.runs > 1


# --- missed, failed, overlapping --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "away", "slot", "missed"),
    [
        (Every(3600), timedelta(days=7, minutes=20), TEN + timedelta(days=7), 167),
        (Every(3600), timedelta(hours=1), TEN + timedelta(hours=1), 0),
        (Cron("0 11 * * *", ZoneInfo("Europe/Budapest")), timedelta(days=7, hours=5), TEN + timedelta(days=7), 6),
        (Cron("0 13 * * MON", ZoneInfo("Europe/Istanbul")), timedelta(days=20), TEN + timedelta(days=14), 1),
    ],
)
def test_after_a_pause_the_latest_slot_runs_once_and_the_log_says_how_many_did_not(
    db, only, clock, said, due, away, slot, missed
):
    task = only(due)
    run_due()
    clock.moment += away
    run_due()
    run_due()
    assert task.runs == 2
    assert PeriodicRun.objects.first().slot == slot
    told = [line["missed"] for line in said if line["event"] == "periodic_slots_missed"]
    assert told == ([missed] if missed else [])


def test_a_task_that_never_ran_has_its_latest_slot_due(db, only, clock):
    task = only(Cron("0 4 1 * *", ZoneInfo("UTC")))
    run_due()
    assert task.runs == 1
    assert PeriodicRun.objects.get().slot == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [(RuntimeError("secret"), "internal_error", "RuntimeError"), (Conflict("Not now."), "conflict", "Not now.")],
)
def test_a_run_that_fails_is_recorded_and_the_next_slot_comes_as_usual(db, only, clock, said, fault, code, words):
    bad, good = only(Every(60), "bad"), only(Every(60), "good")

    def fail():
        raise fault

    bad.meanwhile = fail
    run_due()
    run_due()
    assert (bad.runs, good.runs) == (1, 1)
    row = PeriodicRun.objects.get(task="bad")
    assert (row.error["code"], row.result, row.finished_at) == (code, None, TEN)
    assert words in row.error["message"]
    assert "secret" not in str(row.error)
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["periodic_failed"]
    bad.meanwhile = lambda: None
    clock.go(seconds=60)
    run_due()
    assert PeriodicRun.objects.filter(task="bad").first().result == {"runs": 2}


def test_cron_says_that_a_run_failed(db, only):
    task = only()
    task.meanwhile = lambda: 1 / 0
    assert Api(**SECRET).post("/api/cron/counted").status_code == 500
    assert cron() == SKIPPED


def test_whoever_comes_while_a_task_runs_is_skipped_even_for_a_later_slot(db, only, clock):
    task, answers = only(Every(60)), []

    def meanwhile():
        task.meanwhile = lambda: None
        clock.go(seconds=20)
        answers.append(cron(query="?force=1"))
        answers.append(cron())
        clock.go(seconds=9)
        run_due()
        run_periodic(name="counted")

    clock.go(seconds=40)  # so that the next slot begins meanwhile
    task.meanwhile = meanwhile
    assert cron() == {"ok": True, "runs": 1}
    assert answers == [SKIPPED, SKIPPED]
    assert cron() == {"ok": True, "runs": 2}


def test_a_manual_run_is_a_slot_of_its_own(db, only, clock):
    task = only(Every(3600))
    assert cron() == {"ok": True, "runs": 1}
    clock.go(minutes=17)
    assert cron(query="?force=0") == SKIPPED
    assert cron(query="?force=1") == {"ok": True, "runs": 2}
    assert cron() == SKIPPED
    clock.go(minutes=43)
    assert cron() == {"ok": True, "runs": 3}
    assert task.runs == PeriodicRun.objects.count() == 3


# --- a process that dies ----------------------------------------------------------------------------------------------

CHILD = """
import sys, django
django.setup()
from datetime import timedelta
from django.db import connection
from ajansops.kit.periodic import Periodic, register
from ajansops.kit.slots import Every
from jobs import periodic
connection.settings_dict["NAME"] = sys.argv[1]
periodic.LEASE, periodic.HEARTBEAT = timedelta(seconds=2), 0.1
def run():
    print("started", flush=True)
    sys.stdin.read()
    return {"runs": 0}
register(Periodic("counted", Every(10**9), run))
periodic.run_due("counted")
print("ended", flush=True)
"""


@pytest.fixture
def child(transactional_db):
    """Another process in the middle of the run, in the database of the test."""
    name = str(connection.settings_dict["NAME"])
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "started\n"
        yield process
        process.kill()


def test_a_slot_whose_process_was_killed_runs_again_after_its_lease_and_not_before(child, only):
    task = only()
    first = PeriodicRun.objects.get()
    renewed = wait_for(lambda: PeriodicRun.objects.filter(lease_until__gt=first.lease_until).first(), 20)
    child.kill()
    child.wait()
    last = PeriodicRun.objects.get()
    assert last.lease_until >= renewed.lease_until
    run_due()
    assert task.runs == 0
    wait_for(lambda: run_due() or task.runs, 20)
    assert task.runs == 1
    again = PeriodicRun.objects.get()
    assert again.started_at >= last.lease_until
    assert (again.attempts, again.slot, again.result) == (2, first.slot, {"runs": 1})


def test_a_run_that_lasts_longer_than_its_lease_keeps_it(child, only):
    task = only()
    first = PeriodicRun.objects.get()
    wait_for(lambda: PeriodicRun.objects.get().lease_until > first.lease_until + timedelta(seconds=3), 30)
    run_due()
    assert task.runs == 0
    child.stdin.close()
    assert child.stdout.readline() == "ended\n"
    assert PeriodicRun.objects.get().result == {"runs": 0}


def test_a_task_that_hangs_loses_its_lease_in_the_end(transactional_db, only, monkeypatch):
    for name, value in {"LEASE": timedelta(seconds=0.5), "HEARTBEAT": 0.1, "HEARTBEATS": 10}.items():
        monkeypatch.setattr(running, name, value)
    task, began = only(), time.monotonic()

    def hang():
        task.meanwhile = lambda: None
        wait_for(lambda: run_due() or task.runs == 2, 20)

    task.meanwhile = hang
    run_due()
    assert time.monotonic() - began > 1.4  # ten beats and the lease
    assert PeriodicRun.objects.get().attempts == 2


def died(clock, only, **schedule) -> Counted:
    """A task whose run has just died without a word."""
    task = only(**schedule)

    def die():
        raise SystemExit

    task.meanwhile = die
    with pytest.raises(SystemExit):
        run_due()
    return task


def test_a_slot_that_kills_its_process_five_times_is_over(db, only, clock):
    task = died(clock, only)
    for _ in range(4):
        run_due()
        clock.go(seconds=31)
        with pytest.raises(SystemExit):
            run_due()
    clock.go(seconds=31)
    run_due()
    run_due()
    assert task.runs == 5
    row = PeriodicRun.objects.get()
    assert (row.attempts, row.error["code"]) == (5, "worker_lost")


def test_what_died_in_an_earlier_slot_is_closed_when_the_next_comes(db, only, clock):
    task = died(clock, only, schedule=Every(60))
    task.meanwhile = lambda: None
    clock.go(seconds=60)
    run_due()
    assert list(PeriodicRun.objects.order_by("slot").values_list("error__code", "attempts")) == [
        ("worker_lost", 1),
        (None, 1),
    ]


def test_who_lost_the_lease_meanwhile_leaves_the_row_alone(db, only, clock, said):
    task = only()

    def stall():
        task.meanwhile = lambda: None
        clock.go(seconds=31)
        run_due()

    task.meanwhile = stall
    run_due()
    assert PeriodicRun.objects.get().result == {"runs": 2}
    assert "periodic_lease_lost" in [line["event"] for line in said]


# --- beat, the command, the admin, old rows ---------------------------------------------------------------------------


def test_beat_speaks_when_a_slot_begins(only, clock):
    due = BeginOfSlot(Cron("0 2 * * *", ZoneInfo("Europe/Budapest")))
    clock.moment = datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)  # a second before the clocks go from 2 to 3
    yesterday = clock.moment - timedelta(days=1)
    assert tuple(due.is_due(clock.moment - timedelta(hours=1))) == (False, 1.0)
    assert due.is_due(yesterday - timedelta(hours=12)).is_due
    clock.go(seconds=1)
    assert tuple(due.is_due(clock.moment - timedelta(hours=1))) == (True, 23 * 3600.0)
    assert not due.is_due(clock.moment).is_due


def test_beat_knows_every_task():
    schedule()
    assert set(run_periodic.app.conf.beat_schedule) == set(periodic.tasks())


def command(*arguments) -> str:
    out = StringIO()
    call_command("periodic", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_lists_tasks_with_their_last_run_and_next_slot(db, only, clock):
    only(Every(3600))
    assert json.loads(command("list", "--json")) == [
        {"name": "counted", "schedule": "every 3600 s", "next": "2026-11-30T11:00:00Z", "last": None}
    ]
    assert "has never run" in command("list")
    run_due()
    (told,) = json.loads(command("list", "--json"))
    assert told["last"]["result"] == {"runs": 1}
    assert "ran at 2026-11-30T10:00:00Z: {'runs': 1}" in command("list")


def test_the_command_runs_a_task_now(db, only, clock):
    task = only(Every(3600))
    run_due()
    clock.go(seconds=1)
    assert json.loads(command("run", "counted", "--json")) == {"name": "counted", "result": {"runs": 2}}
    task.meanwhile = lambda: 1 / 0
    clock.go(seconds=1)
    with pytest.raises(CommandError, match="counted failed: division by zero"):
        command("run", "counted")
    assert "failed at 2026-11-30T10:00:02Z: ZeroDivisionError" in command("list")


@pytest.mark.parametrize(("arguments", "says"), [(["run"], "Which"), (["run", "nope"], "not found")])
def test_the_command_says_what_is_wrong(db, arguments, says):
    with pytest.raises(CommandError, match=says):
        command(*arguments)


def test_the_command_does_not_overlap_a_run(db, only, clock):
    died(clock, only)
    clock.go(seconds=29)
    assert "started at" in command("list")
    with pytest.raises(CommandError, match="running already"):
        command("run", "counted")


def test_runs_are_in_the_admin_for_superusers(people, only):
    only()
    run_due()
    row = PeriodicRun.objects.get()
    page = staff(people.charlie).get(address(PeriodicRun, "changelist"))
    assert page.status_code == 403
    superuser = staff(people.charlie, is_superuser=True)
    assert "counted" in superuser.get(address(PeriodicRun, "changelist")).content.decode()
    assert superuser.get(address(PeriodicRun, "change", row.pk)).status_code == 200
    assert superuser.get(address(PeriodicRun, "add")).status_code == 403
    assert superuser.get(address(PeriodicRun, "delete", row.pk)).status_code == 403


def test_old_runs_are_forgotten_but_never_the_last_of_a_task(db, only, clock):
    often, rare = only(Every(86_400 * 20), "often"), only(Every(86_400 * 10_000), "rare")
    for _ in range(4):
        run_due()
        clock.go(days=20)
    assert (often.runs, rare.runs) == (4, 1)
    assert forget_runs() == 3
    assert set(PeriodicRun.objects.values_list("task", flat=True)) == {"often", "rare"}
    run_due("rare")
    assert rare.runs == 1
