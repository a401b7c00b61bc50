"""`manage.py jobs`."""

import json
import sys
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from django.db import connections

from accounts.models import Activity
from ajansops.kit.runners import ItemFailed, NewItem
from ajansops.management.commands import jobs as command
from jobs.models import Job
from jobs.services import start_job

pytestmark = pytest.mark.django_db


def run(*args: str) -> str:
    out = StringIO()
    call_command("jobs", *args, stdout=out)
    return out.getvalue()


def data(*args: str):
    return json.loads(run(*args, "--json"))


def start(actor, *keys: str) -> Job:
    return start_job(actor, "recorder", [NewItem(key) for key in keys])


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(command, "LOOKS_SECONDS", 0.02)


@pytest.fixture
def in_background(work):
    """A worker beside the command."""

    def loop() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = threading.Thread(target=loop)
    yield thread
    thread.join()


def test_jobs_are_listed_newest_first_and_narrowed(people, alice, recorder):
    first, second = start(alice, "a"), start(alice, "b", "c")
    Job.objects.filter(pk=first.pk).update(status="failed", failed=1)
    assert [row["id"] for row in data("list")] == [second.pk, first.pk]
    assert [row["id"] for row in data("list", "--limit", "1")] == [second.pk]
    assert [row["id"] for row in data("list", "--status", "failed")] == [first.pk]
    assert [row["id"] for row in data("list", "--kind", "recorder", "--workspace", "acme")] == [second.pk, first.pk]
    assert data("list", "--workspace", "other") == data("list", "--kind", "seo") == []
    assert data("list")[0]["progress"] == {"total": 2, "processed": 0, "succeeded": 0, "failed": 0, "percentage": 0}
    lines = run("list").splitlines()
    assert lines[0].split(None, 2) == [second.pk, "acme", "queued, 0 of 2"]
    assert lines[1].split(None, 2) == [first.pk, "acme", "failed, 1 of 1, 1 failed"]
    assert run("list", "--kind", "seo") == "No jobs.\n"


def test_a_job_is_shown_with_what_failed_and_why(alice, recorder, work):
    recorder.faults = {(str(n), 1): ItemFailed(f"no page {n}") for n in range(12)}
    job = start(alice, *(str(n) for n in range(12)), "good")
    work()
    said = run("show", job.pk)
    assert "completed, 13 of 13, 12 failed" in said
    assert "Failed, the first 10 of 12:" in said
    assert "  3: no page 3\n" in said
    assert "no page 11" not in said
    shown = data("show", job.pk)
    assert (shown["id"], shown["workspace"], shown["status"]) == (job.pk, "acme", "completed")
    assert len(shown["failed_items"]) == 10
    assert shown["failed_items"][0]["error"] == {"code": "item_failed", "message": "no page 0"}


def test_a_job_is_controlled_and_the_log_says_that_it_was_a_command(alice, recorder):
    job = start(alice, "a")
    for action, before, after, told in (
        ("pause", "queued", "paused", "job.paused"),
        ("resume", "paused", "queued", "job.resumed"),
        ("cancel", "queued", "cancelled", "job.cancelled"),
        ("requeue", "cancelled", "processing", "job.requeued"),
    ):
        assert run(action, job.pk) == f"{job.pk} was {before} and is {after}.\n"
        assert Job.objects.get(pk=job.pk).status == after
        assert Activity.objects.get(object_id=job.pk, action=told).via == "command"
    assert data("pause", job.pk)["status"] == "paused"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("resume", "{job}"), "'resume' is not possible for a job that is 'queued'."),
        (("show", "nope"), "There is no job 'nope'."),
        (("pause", "nope"), "There is no job 'nope'."),
        (("list", "--workspace", "nope"), "There is no workspace 'nope'."),
    ],
)
def test_what_is_refused_is_said_in_one_line(alice, recorder, arguments, said):
    job = start(alice, "a")
    with pytest.raises(CommandError) as refused:
        run(*(argument.format(job=job.pk) for argument in arguments))
    assert (str(refused.value), refused.value.returncode) == (said, 1)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [((), 2), (("list", "--status", "nope"), 2), (("list", "--limit", "0"), 2), (("show",), 2), (("--help",), 0)],
)
def test_a_wrong_usage_is_exit_status_2(arguments, status):
    with pytest.raises(SystemExit) as left:
        execute_from_command_line(["manage.py", "jobs", *arguments])
    assert left.value.code == status


def test_waiting_follows_a_job_to_its_end(alice, recorder, in_background, capsys):
    job = start(alice, *(str(n) for n in range(40)))
    in_background.start()
    said = run("show", job.pk, "--wait", "--timeout", "60")
    followed = capsys.readouterr().out
    assert f"{job.pk}: completed, 40 of 40" in followed
    assert "completed, 40 of 40" in said


def test_waiting_with_json_prints_nothing_else(alice, recorder, in_background, capsys):
    job = start(alice, "a")
    in_background.start()
    assert data("show", job.pk, "--wait")["status"] == "completed"
    assert capsys.readouterr().out == ""


def test_on_a_terminal_there_is_a_bar(alice, recorder, in_background, monkeypatch):
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", terminal := Terminal())
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TERM", "xterm-256color")
    job = start(alice, *(str(n) for n in range(40)))
    in_background.start()
    run("show", job.pk, "--wait")
    shown = terminal.getvalue()
    assert "━" in shown
    assert job.pk in shown
    assert "40/40" in shown


@pytest.mark.parametrize("how", ["failed", "cancelled"])
def test_waiting_for_one_that_does_not_complete_is_exit_status_1(alice, recorder, work, how):
    recorder.faults = {("a", 1): ItemFailed("no such page")}
    job = start(alice, "a")
    if how == "failed":
        work()
    else:
        run("cancel", job.pk)
    with pytest.raises(SystemExit) as left:
        run("show", job.pk, "--wait")
    assert left.value.code == 1
    assert run("show", job.pk), "without --wait it is no failure to look"


def test_a_timeout_is_exit_status_3(alice, recorder):
    job = start(alice, "a")
    run("pause", job.pk)
    with pytest.raises(CommandError) as late:
        run("show", job.pk, "--wait", "--timeout", "1")
    assert late.value.returncode == 3
    assert str(late.value) == f"{job.pk} is still paused after 1 s."


def test_what_is_requeued_can_be_waited_for(alice, recorder, work, in_background):
    recorder.faults = {("a", 1): ItemFailed("no such page")}
    job = start(alice, "a")
    work()
    in_background.start()
    assert "completed, 1 of 1" in run("requeue", job.pk, "--wait", "--timeout", "60")
