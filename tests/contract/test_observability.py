"""A call can be followed: by its request id through the answer, the log, the job it starts and what the worker does."""

import io
import json
import logging
from contextlib import contextmanager

import pytest
import structlog
from django.contrib.admin.utils import quote

from accounts.models import Activity
from accounts.services import people as persons
from ajansops.kit.runners import runner
from ajansops.logs import ACCESS, AccessFormatter
from jobs.models import Job
from tests.conftest import Api
from tests.contract.matrix import AUDITED

KEYS = {
    "event",
    "level",
    "timestamp",
    "request_id",
    "method",
    "route",
    "status",
    "duration_ms",
    "surface",
    "workspace_id",
    "user_id",
    "api_key_id",
}


@contextmanager
def access_log():
    """What is written while it is open, parsed."""
    written, lines = io.StringIO(), []
    handler = logging.StreamHandler(written)
    handler.setFormatter(AccessFormatter(json=True))
    logging.getLogger(ACCESS).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(ACCESS).removeHandler(handler)
        lines += [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_call_is_one_line_with_who_what_and_how_it_went(people, key_for):
    key = key_for(people.acme, creator=people.alice)
    with access_log() as lines:
        answer = Api(key=key).get("/api/v1/sites?search=private", X_Request_ID="abc-1")
    (line,) = lines
    assert set(line) == KEYS
    assert line["request_id"] == answer["X-Request-ID"] == "abc-1"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/sites", 200)
    assert (line["surface"], line["workspace_id"], line["user_id"]) == ("core", people.acme.pk, people.alice.pk)
    assert isinstance(line["api_key_id"], int)
    assert line["duration_ms"] > 0


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/sites/17", "/api/v1/sites/<str:pk>"),
        ("/v1/jobs/job_1/status", "/v1/jobs/<str:job>/status"),
        ("/api/v1/nope/deeper", "/api/v1/nope/deeper"),
        ("/v1/sk_live_abcdefghijklmnop", "/v1/sk_live_[redacted]"),
        ("/accounts/invitations/a-secret-token/", "/accounts/invitations/<str:token>/"),
        ("/accounts/invitations/a-secret-token", "/accounts/…"),
        ("/nowhere/a-secret-token/x?key=a-secret-token", "/nowhere/…"),
        ("/api/v1/a%0ab", "/api/v1/a\nb"),
    ],
)
def test_a_line_names_the_route_and_no_secret(db, path, route):
    with access_log() as lines:
        Api().get(path)
    assert [line["route"] for line in lines] == [route]
    assert "secret" not in json.dumps(lines)


def test_a_refused_call_is_told_without_a_person(people):
    with access_log() as lines:
        answer = Api(key="sk_live_wrong").get("/api/v1/sites")
    assert answer.status_code == 401
    assert [(line["status"], line["user_id"], line["api_key_id"]) for line in lines] == [(401, None, None)]
    assert "sk_live" not in json.dumps(lines)


def test_a_person_on_the_api_is_named(people):
    with access_log() as lines:
        Api(user=people.bob).get("/api/sites")
    assert [(line["surface"], line["user_id"], line["workspace_id"]) for line in lines] == [
        ("app", people.bob.pk, people.acme.pk)
    ]


def test_lines_for_people_are_lines(db):
    """A path cannot fake a line of its own."""
    told = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(AccessFormatter(json=False).format(record))
    logging.getLogger(ACCESS).addHandler(handler)
    try:
        Api().get("/api/v1/a%0ab", X_Request_ID="abc-2")
    finally:
        logging.getLogger(ACCESS).removeHandler(handler)
    assert len(told) == 1
    assert "\n" not in told[0]
    assert told[0].endswith("abc-2")


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, "é", "sk_live_abcdefghijklmnop"])
def test_a_request_id_that_is_not_sane_is_replaced(db, given):
    answer = Api().get("/api/v1/nope", X_Request_ID=given)
    assert answer["X-Request-ID"].startswith("req_")
    assert int(answer["X-Duration-Ms"]) >= 0


@pytest.mark.parametrize(
    "path", ["/healthz", "/api/v1/sites", "/v1/nope", "/api/health", "/api/cron", "/accounts/login/"]
)
def test_every_answer_has_its_id_and_duration(db, path):
    answer = Api().get(path)
    assert answer["X-Request-ID"]
    assert answer["X-Duration-Ms"].isdigit()


def test_an_event_during_a_call_carries_its_id(people, acme, caplog, monkeypatch):
    """Also one of a library that knows nothing of ours."""

    def broken(*_args, **_options):
        structlog.get_logger("ours").warning("noticed")
        raise RuntimeError("broken")

    monkeypatch.setattr("accounts.api.core.Workspace.objects.visible_to", broken)
    with caplog.at_level(logging.WARNING):
        answer = acme.get("/api/v1/workspaces", X_Request_ID="abc-3")
    assert answer.json()["request_id"] == "abc-3"
    events = {record.msg["event"]: record.msg for record in caplog.records if isinstance(record.msg, dict)}
    assert events["noticed"]["request_id"] == events["unhandled_error"]["request_id"] == "abc-3"


def test_the_id_of_a_call_follows_its_job_into_the_worker(people, acme, work, monkeypatch):
    """What the worker logs and what it changes are of the call that started it."""
    bound = {}
    asked = type(runner("audit")).work

    async def noting(self, item, given):
        bound.update(structlog.contextvars.get_contextvars())
        return await asked(self, item, given)

    monkeypatch.setattr(type(runner("audit")), "work", noting)
    answer = acme.post("/api/audit/run", {"context": AUDITED}, X_Request_ID="abc-4", Prefer="respond-async")
    assert answer.status_code == 202, answer.content
    work()
    job = answer.json()["jobId"]
    assert acme.get(f"/api/v1/jobs/{job}").json()["data"]["request_id"] == "abc-4"
    assert (bound["request_id"], bound["job"]) == ("abc-4", job)
    told = dict(Activity.objects.filter(request_id="abc-4").values_list("action", "object_id"))
    assert told["job.created"] == job
    assert "audit.completed" in told


def test_a_fault_in_the_worker_is_logged_with_the_id(people, acme, work, caplog, monkeypatch):
    async def broken(_self, _item, _given):
        raise RuntimeError("broken")

    monkeypatch.setattr(type(runner("audit")), "work", broken)
    monkeypatch.setattr("ajansops.kit.runners.RETRIES", 0)
    answer = acme.post("/api/audit/run", {"context": AUDITED}, X_Request_ID="abc-5", Prefer="respond-async")
    with caplog.at_level(logging.ERROR):
        work()
    crashed = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    crashed = [event for event in crashed if event["event"] == "item_crashed"]
    assert [(event["request_id"], event["job"]) for event in crashed] == [("abc-5", answer.json()["jobId"])]
    assert Job.objects.get(pk=answer.json()["jobId"]).status == "failed"


def test_the_admin_shows_the_id_of_a_job(people, acme, client):
    job = acme.post("/api/audit/run", {"context": AUDITED}, X_Request_ID="abc-6", Prefer="respond-async").json()[
        "jobId"
    ]
    client.force_login(_superuser(), backend="accounts.backends.RoleBackend")
    assert "abc-6" in client.get(f"/admin/jobs/job/{quote(job)}/change/").content.decode()


def _superuser():
    user = persons.create_user(email="root@example.org", password="root-password", staff=True)
    user.is_superuser = True
    user.save()
    return user
