"""`GET /api/v1/jobs/{id}/events`: one snapshot through WSGI, as it happens through real uvicorn."""

import http.client
import json
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.utils import CursorWrapper

from accounts.models import ApiKey, Membership, User, Workspace
from ajansops.kit.clock import now
from ajansops.kit.runners import NewItem
from jobs import watching
from jobs.api import events
from jobs.models import Job
from jobs.services import start_job
from tests.conftest import Api
from tests.processes import wait_for
from tests.serving import serving

JOB = "job_of_acme"
URL = f"/api/v1/jobs/{JOB}/events"
SHOWN = {"id", "type", "status", "subject", "progress", "error", "started_at", "completed_at", "resumes_at"}


class Listener:
    """What a client of server-sent events makes of an answer's bytes."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer = answer
        self.id = ""
        assert (answer.status, self.block()) == (200, {"retry": "1000"})

    def block(self) -> dict[str, str]:
        """The fields up to the next empty line; {} at the end."""
        fields = {}
        while line := self.answer.readline().decode():
            if line == "\n":
                break
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
        return fields

    def event(self) -> tuple[str, dict]:
        """The next one; ("", {}) at the end."""
        while (fields := self.block()) and "event" not in fields:
            pass
        self.id = fields.get("id", self.id)
        return fields.get("event", ""), json.loads(fields.get("data", "{}"))

    def processed(self) -> int:
        """Of the next event."""
        return self.event()[1]["progress"]["processed"]


@pytest.fixture(autouse=True)
def _quickly(monkeypatch):
    monkeypatch.setattr(watching, "TICK", 0.05)


@pytest.fixture
def key(people, key_for) -> str:
    return f"Bearer {key_for(people.acme, 'jobs:read')}"


@pytest.fixture
def job(people) -> Job:
    return Job.objects.create(
        id=JOB, workspace=people.acme, kind="recorder", status="processing", total=4, done=1, configuration={"a": 1}
    )


@pytest.fixture
def server(transactional_db):
    """The product under uvicorn."""
    with serving() as running:
        yield running


def move(**fields) -> None:
    """As the engine does, in one statement."""
    Job.objects.filter(pk=JOB).update(**fields)


def finish(status: str = "completed") -> None:
    move(status=status, done=4, completed_at=now())


def places() -> int:
    """Streams that are counted as open."""
    return sum(events.PLACES._taken.values())


# --- what is told -----------------------------------------------------------------------------------------------------


def test_it_begins_with_the_job_as_it_is_and_ends_with_the_job(server, key, job):
    answer = server.get(URL, Authorization=key, Accept="text/event-stream")
    assert answer.headers["Content-Type"] == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store, no-transform"
    assert answer.headers["X-RateLimit-Limit"]
    listener = Listener(answer)
    name, data = listener.event()
    assert (name, data["status"], data["progress"]["percentage"]) == ("progress", "processing", 25)
    assert data.keys() >= SHOWN
    assert "configuration" not in data
    move(done=2, failed=1)
    name, data = listener.event()
    assert (name, data["progress"]) == (
        "progress",
        {"total": 4, "processed": 3, "succeeded": 2, "failed": 1, "percentage": 75},
    )
    move(done=3, status="completed", completed_at=now())
    name, data = listener.event()
    assert (name, data["status"], data["progress"]["percentage"]) == ("completed", "completed", 100)
    assert data["completed_at"]
    assert listener.answer.read() == b""


def test_what_it_shows_is_what_the_job_shows(server, key, job, acme):
    _, told = Listener(server.get(URL, Authorization=key)).event()
    shown = acme.get(URL.removesuffix("/events")).json()["data"]
    assert told == {name: value for name, value in shown.items() if name not in {"configuration", "updated_at"}}


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
def test_the_last_event_is_named_by_how_it_ended(server, key, job, status):
    listener = Listener(server.get(URL, Authorization=key))
    listener.event()
    move(status=status, error={"code": "timeout", "message": "It took too long."} if status == "failed" else None)
    name, data = listener.event()
    assert (name, data["status"]) == (status, status)
    assert (data["error"] or {}).get("code") == ("timeout" if status == "failed" else None)
    assert listener.event() == ("", {})


@pytest.mark.parametrize(
    "change",
    [
        {"status": "paused"},
        {"done": 2},
        {"failed": 1},
        {"total": 9},
        {"started_at": now()},
        {"resumes_at": now() + timedelta(hours=1)},
        {"error": {"code": "x", "message": "x"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_change_that_is_shown_is_told(server, key, job, change):
    listener = Listener(server.get(URL, Authorization=key))
    before = listener.event()
    move(**change)
    after = listener.event()
    assert after[0] == "progress"
    assert after != before


def test_a_change_that_is_not_shown_is_not_told(server, key, job, monkeypatch):
    monkeypatch.setattr(events, "ALIVE_EVERY", 0.3)
    listener = Listener(server.get(URL, Authorization=key))
    listener.event()
    move(claimed_at=now(), updated_at=now() + timedelta(minutes=1))
    assert listener.block() == {"": "still here"}


def test_the_engine_is_followed_to_the_end(server, key, alice, recorder, work):
    started = start_job(alice, "recorder", [NewItem(str(n)) for n in range(20)])
    listener = Listener(server.get(f"/api/v1/jobs/{started.pk}/events", Authorization=key))
    heard = [listener.event()]
    working = threading.Thread(target=lambda: work(concurrency=2))
    working.start()
    while heard[-1][0] == "progress":
        heard.append(listener.event())
    working.join()
    processed = [data["progress"]["processed"] for _, data in heard]
    assert heard[-1][0] == "completed"
    assert processed == sorted(processed)
    assert (processed[0], processed[-1]) == (0, 20)
    assert listener.event() == ("", {})


# --- going on where one was -------------------------------------------------------------------------------------------


def test_what_is_known_is_not_told_again(server, key, job):
    first = Listener(server.get(URL, Authorization=key))
    first.event()
    second = Listener(server.get(URL, Authorization=key, Last_Event_ID=first.id))
    move(done=3)
    assert second.processed() == 3


def test_nothing_that_happened_while_away_is_lost(server, key, job):
    first = Listener(server.get(URL, Authorization=key))
    first.event()
    server.hang_up(first.answer)
    move(done=2)
    move(done=3)
    second = Listener(server.get(URL, Authorization=key, Last_Event_ID=first.id))
    assert second.processed() == 3
    finish()
    assert second.event()[0] == "completed"


@pytest.mark.parametrize("known", ["", "x", "0" * 16, "é".encode().decode("latin-1"), "a" * 5000])
def test_an_id_that_is_not_of_now_is_answered_with_the_job_at_once(server, key, job, known):
    assert Listener(server.get(URL, Authorization=key, Last_Event_ID=known)).processed() == 1


def test_the_end_is_told_once(server, key, job):
    finish()
    listener = Listener(server.get(URL, Authorization=key))
    assert listener.event()[0] == "completed"
    assert listener.event() == ("", {})
    answer = server.get(URL, Authorization=key, Last_Event_ID=listener.id)
    assert (answer.status, answer.read()) == (204, b"")  # for EventSource: do not come again


def test_a_stream_is_alive_while_nothing_happens(server, key, job, monkeypatch):
    monkeypatch.setattr(events, "ALIVE_EVERY", 0.05)
    listener = Listener(server.get(URL, Authorization=key))
    listener.event()
    assert [listener.block() for _ in range(3)] == [{"": "still here"}] * 3
    move(done=3)
    assert listener.processed() == 3


def test_a_stream_does_not_last_for_ever(server, key, job, monkeypatch):
    monkeypatch.setattr(events, "LONGEST", 0.2)
    listener = Listener(server.get(URL, Authorization=key))
    assert listener.event()[0] == "progress"
    assert listener.event() == ("", {})
    assert listener.answer.read() == b""
    wait_for(lambda: places() == 0, 5)


# --- who may listen ---------------------------------------------------------------------------------------------------


def test_a_cookie_opens_it(server, people, job):
    session = Api(user=people.bob).client.cookies["sessionid"].value
    assert Listener(server.get(URL, Cookie=f"sessionid={session}")).event()[0] == "progress"


def test_others_are_told_what_they_are_told_elsewhere(server, people, key_for, key, job):
    outsider = Api(user=people.charlie).client.cookies["sessionid"].value
    for status, code, path, headers in [
        (404, "not_found", URL, {"Authorization": f"Bearer {key_for(people.other)}"}),
        (404, "not_found", URL, {"Cookie": f"sessionid={outsider}"}),
        (404, "not_found", "/api/v1/jobs/nope/events", {"Authorization": key}),
        (403, "access_denied", URL, {"Authorization": f"Bearer {key_for(people.acme, 'sites:read')}"}),
        (401, "unauthorized", URL, {}),
    ]:
        answer = server.get(path, **headers)
        assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
        assert json.load(answer)["error"] == code
    assert places() == 0


@pytest.mark.parametrize(
    "loss",
    {
        "key revoked": lambda people, key: ApiKey.objects.update(revoked_at=now()),
        "key expired": lambda people, key: ApiKey.objects.update(expires_at=now()),
        "scope taken": lambda people, key: ApiKey.objects.update(scopes=["sites:read"]),
        "creator gone": lambda people, key: Membership.objects.filter(user=people.bob).delete(),
        "creator deactivated": lambda people, key: User.objects.filter(pk=people.bob.pk).update(is_active=False),
        "workspace deleted": lambda people, key: Workspace.objects.update(deleted_at=now()),
        "job gone": lambda people, key: Job.objects.all().delete(),
    }.items(),
    ids=lambda named: named[0],
)
def test_who_may_no_longer_listen_soon_does_not(server, people, key_for, job, loss, monkeypatch):
    monkeypatch.setattr(watching, "RIGHTS_EVERY", 0.1)
    raw = key_for(people.acme, "jobs:read", creator=people.bob)
    listener = Listener(server.get(URL, Authorization=f"Bearer {raw}"))
    listener.event()
    loss[1](people, raw)
    assert listener.event() == ("", {})


def test_a_member_who_was_removed_does_not_listen_on(server, people, key, job, monkeypatch):
    monkeypatch.setattr(watching, "RIGHTS_EVERY", 0.1)
    session = Api(user=people.bob).client.cookies["sessionid"].value
    bob, other = Listener(server.get(URL, Cookie=f"sessionid={session}")), Listener(server.get(URL, Authorization=key))
    bob.event(), other.event()
    Membership.objects.filter(user=people.bob).delete()
    assert bob.event() == ("", {})
    move(done=3)
    assert other.processed() == 3


# --- how many, and at what cost ---------------------------------------------------------------------------------------


def test_ten_at_once_and_no_more_until_one_ends(server, people, key, key_for, job):
    open_ones = [Listener(server.get(URL, Authorization=key)) for _ in range(10)]
    refused = server.get(URL, Authorization=key)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "5")
    assert json.load(refused)["message"] == "Too many streams of events are open at once. Close one first."
    other = f"Bearer {key_for(people.acme, 'jobs:read')}"
    assert Listener(server.get(URL, Authorization=other)).event()[0] == "progress"
    finish()
    for listener in open_ones:
        assert [listener.event()[0] for _ in range(2)] in (["progress", "completed"], ["completed", ""])
        assert listener.answer.read() == b""
    wait_for(lambda: places() == 0, 5)
    assert server.get(URL, Authorization=key).status == 200


def test_a_client_that_goes_away_frees_its_place(server, key, job):
    listener = Listener(server.get(URL, Authorization=key))
    listener.event()
    assert places() == 1
    server.hang_up(listener.answer)
    wait_for(lambda: places() == 0, 5)
    assert wait_for(lambda: not events.WATCHERS._watches, 5)


@contextmanager
def queries(monkeypatch):
    """Each statement of other threads than this one."""
    told, execute, ours = [], CursorWrapper.execute, threading.get_ident()

    def executed(self, sql, params=None):
        if threading.get_ident() != ours:
            told.append(sql)
        return execute(self, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(CursorWrapper, "execute", executed)
        yield told


def test_fifty_streams_cost_one_query_a_tick(server, people, key_for, job, monkeypatch):
    monkeypatch.setattr(watching, "TICK", 0.2)
    monkeypatch.setattr(watching, "RIGHTS_EVERY", 1000.0)  # counted below
    keys = [f"Bearer {key_for(people.acme, 'jobs:read')}" for _ in range(5)]
    listeners = [Listener(server.get(URL, Authorization=key)) for key in keys for _ in range(10)]
    assert {listener.processed() for listener in listeners} == {1}
    with queries(monkeypatch) as told:
        began = time.monotonic()
        for done in (2, 3):
            move(done=done)
            assert {listener.processed() for listener in listeners} == {done}
        took = time.monotonic() - began
    assert 0 < len(told) <= took / 0.2 + 1, told
    with queries(monkeypatch) as told:
        finish()
        assert {listener.event()[0] for listener in listeners} == {"completed"}
        wait_for(events.WATCHERS._reader.done, 5)
        told.clear()
        time.sleep(0.5)  # nobody watches: nothing to wait for
    assert told == []


def test_who_may_still_listen_costs_two_queries_for_all(server, people, key_for, job, monkeypatch):
    monkeypatch.setattr(watching, "RIGHTS_EVERY", 0.0)
    sessions = [Api(user=user).client.cookies["sessionid"].value for user in (people.alice, people.bob)]
    keys = [f"Bearer {key_for(people.acme, 'jobs:read', creator=people.alice)}" for _ in range(5)]
    headers = [{"Authorization": key} for key in keys] + [{"Cookie": f"sessionid={one}"} for one in sessions]
    listeners = [Listener(server.get(URL, **one)) for one in headers]
    with queries(monkeypatch) as told:
        wait_for(lambda: len(told) > 8, 5)
    assert all("jobs_job" in told[n] for n in range(next(n for n, sql in enumerate(told) if "jobs_job" in sql), 9, 3))
    assert {listener.processed() for listener in listeners} == {1}


def test_a_stream_holds_neither_a_connection_nor_a_thread(server, key, job, monkeypatch):
    monkeypatch.setattr(watching, "TICK", 0.5)
    held: dict[int, BaseDatabaseWrapper] = {}
    connect, close = BaseDatabaseWrapper.connect, BaseDatabaseWrapper.close

    def connected(self):
        connect(self)
        held[id(self)] = self

    def closed(self):
        close(self)
        held.pop(id(self), None)

    monkeypatch.setattr(BaseDatabaseWrapper, "connect", connected)
    monkeypatch.setattr(BaseDatabaseWrapper, "close", closed)
    before = threading.active_count()
    listeners = [Listener(server.get(URL, Authorization=key)) for _ in range(10)]
    assert {listener.processed() for listener in listeners} == {1}
    wait_for(lambda: not [one for one in held.values() if one is not connection], 5)
    assert threading.active_count() <= before + 2  # the reader's


def test_a_database_that_is_away_for_a_while_ends_no_stream(server, key, job, monkeypatch):
    listener = Listener(server.get(URL, Authorization=key))
    listener.event()
    read, failures = events.WATCHERS._read, []

    def broken(ids):
        failures.append(ids)
        raise OperationalError("away")

    monkeypatch.setattr(events.WATCHERS, "_read", broken)
    move(done=2)
    wait_for(lambda: len(failures) > 2, 5)
    monkeypatch.setattr(events.WATCHERS, "_read", read)
    assert listener.processed() == 2


def test_a_server_that_stops_does_not_wait_for_streams(server, key, job, monkeypatch):
    stopping = threading.Event()
    monkeypatch.setattr(watching, "STOPPING", stopping)
    listener = Listener(server.get(URL, Authorization=key))
    listener.event()
    stopping.set()
    assert listener.event() == ("", {})


# --- where there is no event loop -------------------------------------------------------------------------------------


def test_through_wsgi_it_is_one_snapshot_and_the_client_comes_again(acme, job):
    answer = acme.get(URL)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/event-stream")
    retry, event, rest = answer.content.decode().split("\n\n")
    fields = dict(line.split(": ", 1) for line in event.split("\n"))
    assert (retry, rest, fields["event"]) == ("retry: 1000", "", "progress")
    assert json.loads(fields["data"])["id"] == JOB
    assert acme.get(URL, Last_Event_ID=fields["id"]).content == b"retry: 1000\n\n"
    finish()
    last = acme.get(URL, Last_Event_ID=fields["id"]).content.decode()
    assert "event: completed" in last
    known = next(line for line in last.split("\n") if line.startswith("id: "))[4:]
    assert acme.get(URL, Last_Event_ID=known).status_code == 204
    assert places() == 0


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("text/event-stream", 200),
        ("*/*", 200),
        ("text/*", 200),
        ("application/json, text/event-stream;q=0.5", 200),
        ("application/json", 406),
        ("text/html", 406),
    ],
)
def test_whoever_takes_no_event_stream_gets_none(acme, job, accept, status):
    answer = acme.get(URL, Accept=accept)
    assert answer.status_code == status
    if status == 406:
        assert answer.json()["error"] == "not_acceptable"
    told = acme.get("/api/v1/jobs/nope/events", Accept=accept)
    assert (told.status_code, told["Content-Type"]) == (404 if status == 200 else 406, "application/json")


def test_a_head_is_only_a_head(server, key, job):
    connected = server.connect()
    connected.request("HEAD", URL, headers={"Authorization": key})
    answer = connected.getresponse()
    assert (answer.status, answer.headers["Content-Type"], answer.read()) == (200, "text/event-stream", b"")
    assert places() == 0


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_405(acme, job, method):
    answer = acme.call(method, URL)
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
