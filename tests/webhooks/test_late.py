"""Operators are told when what is due is not sent, also by the web where no worker is alive."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from ajansops.kit.clock import now
from tests.conftest import Api
from tests.webhooks.receiver import Answer
from tests.webhooks.test_endpoints import SITE
from webhooks.models import Delivery, Endpoint
from webhooks.periodic import tell_late

ON_TIME = {"webhooks_late_seconds": 0, "webhooks_late_workspaces": 0}


@pytest.fixture
def told(caplog):
    """`told()` runs the periodic task; what it answers with, and what it has logged as an error."""

    def run():
        caplog.clear()
        result = tell_late()
        return result, [record.msg["event"] for record in caplog.records if record.levelname == "ERROR"]

    return run


def delay(**since) -> None:
    """Everything open has been due for so long."""
    Delivery.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=now() - timedelta(**since))


def test_what_waits_too_long_is_an_error(people, acme, endpoint, end_job, told):
    assert told() == (ON_TIME, [])
    acme.post("/api/v1/sites", SITE)
    end_job(people.other, "http://127.0.0.1:9/hook")
    delay(seconds=60)
    assert told() == (ON_TIME, []), "a moment is nothing"
    delay(minutes=5)
    result, errors = told()
    assert result["webhooks_late_seconds"] >= 300
    assert (result["webhooks_late_workspaces"], errors) == (2, ["webhooks_late"])


def test_what_is_late_is_sent_and_forgotten(acme, receiver, dispatch, endpoint, told):
    acme.post("/api/v1/sites", SITE)
    delay(minutes=5)
    dispatch()
    assert len(receiver.taken) == 1
    assert told() == (ON_TIME, [])


def test_what_rightly_waits_is_not_late(people, acme, receiver, dispatch, endpoint, told):
    receiver.answer = lambda taken: Answer(500)
    acme.post("/api/v1/sites", SITE)
    dispatch()
    Delivery.objects.update(created_at=now() - timedelta(days=1), next_attempt_at=now() + timedelta(hours=20))
    assert told() == (ON_TIME, []), "its next attempt has its time"
    delay(minutes=5)
    assert told()[1] == ["webhooks_late"]
    people.acme.deleted_at = now()
    people.acme.save()
    assert told() == (ON_TIME, []), "a deleted workspace is told nothing"


def test_the_web_says_it_without_any_worker(acme, endpoint, settings):
    settings.ENV = replace(settings.ENV, cron_secret="secret-of-cron")
    acme.post("/api/v1/sites", SITE)
    delay(minutes=5)
    answer = Api().get("/api/cron/webhooks_late?force=1", authorization="Bearer secret-of-cron")
    assert answer.json()["webhooks_late_seconds"] >= 300


# --- manage.py webhooks list ------------------------------------------------------------------------------------------


def listed(capsys, *arguments: str):
    call_command("webhooks", "list", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_list_tells_overdue_from_waiting(acme, receiver, dispatch, endpoint, capsys):
    acme.post("/api/v1/sites", SITE)
    [due] = listed(capsys)
    assert (bool(due["oldest_due"]), due["next_attempt"], due["health"]) == (True, None, "well")
    receiver.answer = lambda taken: Answer(500)
    dispatch()
    [waits] = listed(capsys)
    assert (waits["oldest_due"], bool(waits["next_attempt"]), waits["health"]) == (None, True, "failing")
    call_command("webhooks", "list")
    assert "late" not in capsys.readouterr().out
    delay(minutes=5)
    call_command("webhooks", "list")
    shown = capsys.readouterr().out
    assert "overdue since" in shown
    assert "Deliveries are late." in shown


def test_the_list_names_a_secret_that_cannot_be_read(acme, endpoint, capsys):
    Endpoint.objects.update(secret="bG9zdA==")
    [shown] = listed(capsys)
    assert shown["health"] == "secret lost"
    for _ in range(2):  # after the first the lost one would have to sign as well
        acme.post(f"/api/v1/webhooks/{endpoint['id']}/rotate-secret")
    [shown] = listed(capsys)
    assert shown["health"] == "well"


def test_deliveries_of_jobs_are_listed(people, acme, other, endpoint, end_job, capsys):
    acme.post("/api/v1/sites", SITE)
    for workspace in (people.acme, people.other):
        end_job(workspace, "http://127.0.0.1:9/hook?token=x")
    found = listed(capsys, "--jobs")
    assert [(one["workspace"], one["url"], one["status"]) for one in found] == [
        (slug, "http://127.0.0.1:9/hook?token=x", "pending") for slug in (people.other.slug, people.acme.slug)
    ]
    [mine] = listed(capsys, "--jobs", "--workspace", "acme", "--status", "pending")
    assert mine["workspace"] == "acme"
    assert listed(capsys, "--jobs", "--status", "failed") == []
    assert len(listed(capsys, "--endpoint", str(endpoint["id"]), "--workspace", "acme")) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--status", "failed"], "--endpoint or --jobs"),
        (["--workspace", "acme", "--status", "failed"], "--endpoint or --jobs"),
        (["--endpoint", "{id}", "--workspace", "other"], "There is no webhook {id} in 'other'"),
        (["--endpoint", "{id}", "--jobs"], "not allowed with"),
        (["--endpoint", "{id}", "--workspace", "nobody"], "There is no workspace 'nobody'"),
    ],
    ids=["status", "status of a workspace", "foreign", "both", "unknown"],
)
def test_what_does_not_go_together_is_refused(people, endpoint, arguments, said):
    given = [one.format(id=endpoint["id"]) for one in arguments]
    with pytest.raises(CommandError, match=said.format(id=endpoint["id"])):
        call_command("webhooks", "list", *given)
