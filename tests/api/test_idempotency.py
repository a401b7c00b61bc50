"""The same Idempotency-Key, the same answer, one effect: on three surfaces, in parallel, and over a kill -9."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.db import connection

from accounts.models import Activity, ApiKey, Invitation, Membership
from accounts.roles import Role
from accounts.services import api_keys, members
from ajansops.api import idempotency, throttling
from ajansops.api.models import IdempotencyRecord
from ajansops.kit.clock import now
from ajansops.kit.crypto import decrypt, encrypt
from ajansops.kit.limiter import Limit
from content.models import Persona, Product
from jobs.models import Job
from sites.models import Site
from tests import migrated
from tests.conftest import Api
from tests.processes import free_port, status_of, wait_for

PERSONAS = "/api/v1/personas"
BODY = {"name": "Thrifty"}


def token_of(key: str, workspace_id: int) -> str:
    login = Api().post("/v1/auth/login", {"apiKey": key, "workspaceId": workspace_id})
    return login.json()["access_token"]


def core(people, key_for):
    return Api(key=key_for(people.acme)), PERSONAS, BODY, Persona


def core_session(people, key_for):
    return Api(user=people.alice), PERSONAS, BODY, Persona


def app(people, key_for):
    return Api(user=people.alice), "/api/sites", {"name": "S", "domain": "s.example.com"}, Site


def studio(people, key_for):
    bearer = token_of(key_for(people.acme), people.acme.pk)
    body = {"name": "Second", "permissions": ["generate_content"], "workspaceId": people.acme.pk}
    return Api(key=bearer), "/v1/api-keys", body, ApiKey


SURFACES = [core, core_session, app, studio]


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.__name__)
def test_a_repeated_request_gets_the_first_answer_and_has_no_effect(people, key_for, surface):
    api, path, body, model = surface(people, key_for)
    first = api.post(path, body, idempotency_key="one")
    rows, lines = model.objects.count(), Activity.objects.count()
    again = api.post(path, body, idempotency_key="one")
    assert (first.status_code, "Idempotent-Replayed" in first.headers) == (201, False)
    assert (again.status_code, again.content, again["Content-Type"]) == (201, first.content, first["Content-Type"])
    assert again["Idempotent-Replayed"] == "true"
    assert (model.objects.count(), Activity.objects.count()) == (rows, lines)
    assert again["X-Request-ID"] != first["X-Request-ID"]
    assert "X-RateLimit-Remaining" in again.headers


@pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.__name__)
def test_another_body_with_the_key_is_refused_and_not_executed(people, key_for, surface):
    api, path, body, model = surface(people, key_for)
    api.post(path, body, idempotency_key="one")
    rows = model.objects.count()
    refused = api.post(path, body | {"name": "Other"}, idempotency_key="one")
    told = refused.json()
    code = told["error"]["code"] if surface is studio else told.get("code", told["error"])
    assert (refused.status_code, code.lower()) == (422, "idempotency_key_reused")
    assert model.objects.count() == rows


OTHERS = {
    "path": ("POST", "/api/v1/audiences", "", BODY),
    "method": ("PUT", PERSONAS + "/{pk}", "", BODY),
    "query": ("POST", PERSONAS, "?x=1", BODY),
    "white space": ("POST", PERSONAS, "", json.dumps(BODY) + " "),
}


@pytest.mark.parametrize(("method", "path", "query", "body"), OTHERS.values(), ids=OTHERS)
def test_any_other_request_is_another(acme, method, path, query, body):
    pk = acme.post(PERSONAS, BODY, idempotency_key="one").json()["data"]["id"]
    refused = acme.call(method, path.format(pk=pk) + query, body, idempotency_key="one")
    assert (refused.status_code, refused.json()["error"]) == (422, "idempotency_key_reused")


def test_the_order_of_the_query_is_none(acme):
    made = [acme.call("POST", PERSONAS + query, BODY, idempotency_key="q") for query in ("?a=1&b=2", "?b=2&a=1")]
    assert [answer.get("Idempotent-Replayed") for answer in made] == [None, "true"]


def test_the_order_within_a_name_is_another_request(acme):
    made = [acme.call("POST", PERSONAS + query, BODY, idempotency_key="q") for query in ("?a=1&a=2", "?a=2&a=1")]
    assert [answer.status_code for answer in made] == [201, 422]


def test_a_quoted_key_is_the_bare_one(acme):
    first = acme.post(PERSONAS, BODY, idempotency_key='"550e8400 \\" x"')
    assert acme.post(PERSONAS, BODY, idempotency_key='550e8400 " x').content == first.content


@pytest.mark.parametrize("key", ["", " ", '""', "x" * 256, "ä", "a\tb", "\xa0a", "a\x1c"])
def test_a_bad_key_is_refused_before_anything_is_done(acme, key):
    refused = acme.post(PERSONAS, BODY, idempotency_key=key)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_idempotency_key")
    assert not Persona.objects.exists()


def test_reads_ignore_it(acme):
    assert acme.get(PERSONAS, idempotency_key="x" * 300).status_code == 200
    acme.get(PERSONAS, idempotency_key="one")
    assert not IdempotencyRecord.objects.exists()


def test_put_patch_and_delete_are_repeated_too(acme):
    pk = acme.post(PERSONAS, BODY).json()["data"]["id"]
    path = f"{PERSONAS}/{pk}"
    for method, body, status in (("PATCH", {"name": "A"}, 200), ("PUT", {"name": "B"}, 200), ("DELETE", None, 204)):
        first, again = (acme.call(method, path, body, idempotency_key=method) for _ in range(2))
        assert (first.status_code, again.status_code, again.get("Idempotent-Replayed")) == (status, status, "true")
        assert (again.content, again.get("Content-Type")) == (first.content, first.get("Content-Type"))


# --- whose key it is --------------------------------------------------------------------------------------------------


def test_a_rotated_key_and_its_token_are_the_same_caller(people, key_for):
    raw = key_for(people.acme)
    old = Api(key=raw)
    first = old.post(PERSONAS, BODY, idempotency_key="one")
    rotated = old.post(f"/api/v1/api-keys/{ApiKey.objects.get().pk}/rotate", {}).json()["data"]["key"]
    assert Api(key=rotated).post(PERSONAS, BODY, idempotency_key="one").content == first.content
    record = IdempotencyRecord.objects.get(key="one")
    token = Api(key=token_of(rotated, people.acme.pk))
    token.post("/v1/api-keys", {"name": "T", "permissions": ["generate_content"]}, idempotency_key="two")
    assert IdempotencyRecord.objects.get(key="two").credential == record.credential


def test_nobody_else_shares_it(people, acme, other, key_for):
    acme.post(PERSONAS, BODY, idempotency_key="one")
    foreign = other.post(PERSONAS, BODY, idempotency_key="one")
    assert (foreign.status_code, "Idempotent-Replayed" in foreign) == (201, False)
    for caller in (Api(key=key_for(people.acme)), Api(user=people.alice)):
        assert caller.post(PERSONAS, BODY, idempotency_key="one").json()["error"] == "conflict"


def test_a_replay_is_still_authorised(people, key_for):
    raw = key_for(people.acme)
    assert Api(key=raw).post(PERSONAS, BODY, idempotency_key="one").status_code == 201
    key = ApiKey.objects.get()
    key.scopes = ["personas:read"]
    key.save()
    assert Api(key=raw).post(PERSONAS, BODY, idempotency_key="one").status_code == 403
    api_keys.revoke_leaked(raw)
    assert Api(key=raw).post(PERSONAS, BODY, idempotency_key="one").status_code == 401


def test_a_person_without_a_workspace_may_use_one(people):
    Membership.objects.filter(user=people.bob).delete()
    bob = Api(user=people.bob)
    first, again = (bob.post("/api/v1/workspaces", {"name": "Mine"}, idempotency_key="w") for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)


def test_a_person_may_use_one_in_each_workspace(people):
    members.add_member(people.other, people.alice, Role.ADMIN)
    alice = Api(user=people.alice)
    for workspace in (people.acme, people.other):
        changed = alice.patch(f"/api/v1/workspaces/{workspace.pk}", {"name": "Same"}, idempotency_key="w")
        assert (changed.status_code, changed.json()["data"]["id"]) == (200, workspace.pk)


def test_a_repetition_after_a_removal_is_not_answered(people):
    membership = members.add_member(people.other, people.alice, Role.ADMIN)
    alice, path = Api(user=people.alice), f"/api/v1/workspaces/{people.other.pk}"
    assert alice.patch(path, {"name": "Mine"}, idempotency_key="w").status_code == 200
    membership.delete()
    assert alice.patch(path, {"name": "Mine"}, idempotency_key="w").status_code == 404


# --- what is kept -----------------------------------------------------------------------------------------------------


def test_a_conflict_is_repeated_though_it_would_succeed_now(acme):
    pk = acme.post(PERSONAS, BODY).json()["data"]["id"]
    first = acme.post(PERSONAS, BODY, idempotency_key="one")
    acme.delete(f"{PERSONAS}/{pk}")
    again = acme.post(PERSONAS, BODY, idempotency_key="one")
    assert (first.status_code, again.status_code, again.content) == (409, 409, first.content)
    assert not Persona.objects.exists()


def test_the_first_answers_language_is_told_with_it(acme):
    acme.post(PERSONAS, BODY)
    first, again = (
        acme.post(PERSONAS, BODY, idempotency_key="one", accept_language=language) for language in ("tr", "hu")
    )
    assert (first["Content-Language"], again["Content-Language"]) == ("tr", "tr")
    assert again.content == first.content


MISTAKES = {
    "invalid": (lambda acme: acme.post(PERSONAS, {}, idempotency_key="one"), 422),
    "no JSON": (lambda acme: acme.post(PERSONAS, "{", idempotency_key="one"), 400),
    "wrong type": (lambda acme: acme.post(PERSONAS, "a=1", idempotency_key="one", content_type="text/plain"), 415),
    "too large": (lambda acme: acme.post(PERSONAS, " " * 2**21, idempotency_key="one"), 413),
    "not found": (lambda acme: acme.patch(PERSONAS + "/987654", BODY, idempotency_key="one"), 404),
    "wrong method": (lambda acme: acme.patch(PERSONAS, BODY, idempotency_key="one"), 405),
    "nobody": (lambda acme: Api().post(PERSONAS, BODY, idempotency_key="one"), 401),
}


@pytest.mark.parametrize(("mistake", "status"), MISTAKES.values(), ids=MISTAKES)
def test_a_corrected_request_may_use_the_key_again(acme, mistake, status):
    assert mistake(acme).status_code == status
    assert not IdempotencyRecord.objects.exists()
    assert acme.post(PERSONAS, BODY, idempotency_key="one").status_code == 201


def test_a_refused_call_is_not_kept(acme, monkeypatch):
    monkeypatch.setitem(throttling.BY_TIER, "enterprise", Limit(0))
    assert acme.post(PERSONAS, BODY, idempotency_key="one").status_code == 429
    monkeypatch.undo()
    throttling.limiter_at.cache_clear()
    assert acme.post(PERSONAS, BODY, idempotency_key="one").status_code == 201


def test_an_unforeseen_error_leaves_neither_effect_nor_record(acme, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr("content.api.readers.PersonaViewSet.reply", lambda *_, **__: 1 / 0)
        assert acme.post(PERSONAS, BODY, idempotency_key="one").status_code == 500
    assert not Persona.objects.exists()
    assert acme.post(PERSONAS, BODY, idempotency_key="one").status_code == 201


def test_a_key_that_is_shown_once_is_replayed_whole_and_kept_encrypted(acme):
    body = {"name": "Shown once"}
    first, again = (acme.post("/api/v1/api-keys", body, idempotency_key="k") for _ in range(2))
    raw = first.json()["data"]["key"]
    assert (again.content, ApiKey.objects.filter(name="Shown once").count()) == (first.content, 1)
    assert Api(key=raw).get(PERSONAS).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT body, headers, fingerprint FROM api_idempotencyrecord")
        kept = [bytes(part) if isinstance(part, memoryview) else str(part).encode() for part in cursor.fetchone()]
    assert raw.encode() not in b"".join(kept)


def test_what_is_encrypted_opens_for_its_purpose_only():
    sealed = encrypt("one", b"secret")
    assert decrypt("one", sealed) == b"secret"
    for purpose, data in (("two", sealed), ("one", sealed[:-1] + bytes([sealed[-1] ^ 1])), ("one", b"")):
        with pytest.raises(ValueError, match="encrypted"):
            decrypt(purpose, data)


def test_it_counts_for_a_day_and_is_removed_after_two(acme):
    acme.post(PERSONAS, BODY, idempotency_key="one")
    for passed, error in ((timedelta(hours=23, minutes=59), None), (timedelta(hours=24, seconds=1), "conflict")):
        with time_machine.travel(now() + passed):
            assert acme.post(PERSONAS, BODY, idempotency_key="one").json().get("error") == error
    IdempotencyRecord.objects.update(created_at=now() - timedelta(hours=49))
    assert idempotency.reap() == {"idempotency_records_removed": 1}


def test_what_waits_for_the_commit_happens_once(people, mailoutbox, django_capture_on_commit_callbacks):
    alice = Api(user=people.alice)
    body = {"email": "new@example.org", "role": "VIEWER"}
    with django_capture_on_commit_callbacks(execute=True):
        first, again = (alice.post("/api/users/invite", body, idempotency_key="i") for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert (len(mailoutbox), Invitation.objects.count()) == (1, 1)


CSV = b"sku,title\nA-1,Vase\n"
FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="p.csv"\r\n\r\n' + CSV + b"\r\n--x--\r\n"


@pytest.mark.parametrize(("kind", "data"), [("text/csv", CSV), ("multipart/form-data; boundary=x", FORM)])
def test_a_file_is_imported_once(acme, kind, data):
    first, again = (
        acme.post("/api/v1/products/import", data, idempotency_key="f", content_type=kind) for _ in range(2)
    )
    assert (first.status_code, again.content, Job.objects.count()) == (202, first.content, 1)


# --- at the same time, and dying --------------------------------------------------------------------------------------


def at_once(raw: str, number: int) -> list[int]:
    """The statuses of so many simultaneous calls."""
    gate, found = threading.Barrier(number), []

    def call(place: int) -> None:
        api = Api(key=raw)
        gate.wait()
        body = (
            {"sku": f"S-{place}", "title": "T"} if isinstance(idempotency._alone, Off) else {"sku": "S", "title": "T"}
        )
        found.append(api.post("/api/v1/products", body, idempotency_key="one").status_code)
        connection.close()

    threads = [threading.Thread(target=call, args=[place]) for place in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


class Off:
    """The guard, switched off: everybody is alone, and nothing is known."""

    def __call__(self, claim) -> bool:
        return True


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_works(people, key_for):
    found = at_once(key_for(people.acme), 12)
    assert Product.objects.count() == 1
    assert set(found) <= {201, 409}
    assert 201 in found


@pytest.mark.django_db(transaction=True)
def test_without_the_guard_all_of_them_would(people, key_for, monkeypatch):
    monkeypatch.setattr(idempotency, "_alone", Off())
    monkeypatch.setattr(idempotency.Claim, "record", lambda self: None)
    monkeypatch.setattr(idempotency.Claim, "keep", lambda self, answer: None)
    at_once(key_for(people.acme), 4)
    assert Product.objects.count() == 4


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one writer in at a time")
def test_while_the_first_is_worked_on_others_are_told_at_once(people, key_for, monkeypatch):
    raw, working, told = key_for(people.acme), threading.Event(), threading.Event()
    keep = idempotency.Claim.keep

    def slow(claim, answer):
        working.set()
        told.wait(20)
        keep(claim, answer)

    monkeypatch.setattr(idempotency.Claim, "keep", slow)
    first: list[int] = []

    def call() -> None:
        first.append(Api(key=raw).post(PERSONAS, BODY, idempotency_key="one").status_code)
        connection.close()

    thread = threading.Thread(target=call)
    thread.start()
    assert working.wait(20)
    second = Api(key=raw).post(PERSONAS, BODY, idempotency_key="one")
    other = Api(key=raw).post(PERSONAS, {"name": "B"}, idempotency_key="two")
    told.set()
    thread.join()
    assert (second.status_code, second.json()["error"], second["Retry-After"]) == (409, "idempotency_in_flight", "1")
    assert (first, other.status_code) == ([201], 201)


def serve(port: int, application: str, **environ: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "uvicorn", "--interface", "wsgi", "--port", str(port), "--log-level", "error"]
    return subprocess.Popen([*command, application], env=environ)


def ask(port: int, key: str) -> tuple[int, str | None, bytes]:
    """Status, whether it is a replay, and body; (0, None, b"") when the server dies."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Idempotency-Key": "one"}
    try:
        connection.request("POST", PERSONAS, json.dumps(BODY), headers)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Idempotent-Replayed"), answer.read()
    except (OSError, http.client.HTTPException):
        return 0, None, b""
    finally:
        connection.close()


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> tuple[Path, str]:
    """A data directory with one workspace, made once, and a key of it."""
    var = tmp_path_factory.mktemp("installed") / "var"

    def command(*arguments: str) -> str:
        ran = subprocess.run(
            [sys.executable, "manage.py", *arguments], env=_environ(var), capture_output=True, text=True, check=True
        )
        return ran.stdout

    migrated.copy_to(var / "db.sqlite3")
    owner = ("--owner", "a@example.org", "--password", "a-long-password", "--plan", "enterprise")
    command("create_workspace", "Acme", "--slug", "acme", *owner)
    return var, json.loads(command("create_api_key", "acme", "--name", "k", "--scopes", "*", "--json"))["key"]


def _environ(var: Path) -> dict[str, str]:
    """SQLite in that directory, and no Redis."""
    outside = {"DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL"}
    made = {name: value for name, value in os.environ.items() if name not in outside}
    return made | {"VAR_DIR": str(var), "DJANGO_SETTINGS_MODULE": "ajansops.settings"}


@pytest.mark.parametrize(
    ("fault", "replayed"), [("before the record", None), ("before the commit", None), ("after the commit", "true")]
)
def test_a_kill_leaves_both_or_neither(installed, tmp_path, fault, replayed):
    made, key = installed
    shutil.copytree(made, tmp_path / "var")
    environ = _environ(tmp_path / "var")

    port = free_port()
    dying = serve(port, "tests.faulty:application", **environ, FAULT=fault)
    wait_for(lambda: status_of(port) == 200)
    assert ask(port, key) == (0, None, b"")
    assert dying.wait(20) == -9

    port = free_port()
    living = serve(port, "ajansops.wsgi:application", **environ)
    try:
        wait_for(lambda: status_of(port) == 200)
        status, was_replayed, body = ask(port, key)
        assert (status, was_replayed) == (201, replayed)
        assert ask(port, key) == (201, "true", body)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", PERSONAS, headers={"Authorization": f"Bearer {key}"})
        assert json.loads(connection.getresponse().read())["meta"]["total"] == 1
    finally:
        living.kill()
        living.wait()
