"""Endpoints: what can be made, what they are told, what is signed, and what is kept secret."""

import json
import time
from datetime import timedelta
from threading import BoundedSemaphore

import pytest
import standardwebhooks
import svix
from allauth.account.models import EmailAddress

from accounts.models import Activity
from accounts.roles import Role
from accounts.services.erasure import erase_user
from accounts.services.members import add_member
from ajansops.api.idempotency import ABANDONED, BEGUN
from ajansops.api.models import IdempotencyRecord
from ajansops.kit.clock import now
from ajansops.kit.public_events import public_events
from tests.conftest import Api
from tests.webhooks.page import documented
from tests.webhooks.receiver import Answer
from webhooks import claims, dispatcher, services, trial
from webhooks.models import Delivery, Endpoint, Event, Outbox
from webhooks.notices import send_notices
from webhooks.parcels import Held
from webhooks.signatures import hex_signature

SITE = {"name": "Tea", "domain": "tea.example.com"}


def add(api, receiver, *events, **fields):
    return api.post("/api/v1/webhooks", {"url": receiver.url, "events": list(events), **fields})


def test_it_works(people, acme, receiver, dispatch, endpoint):
    assert endpoint["secret"].startswith("whsec_")
    made = acme.post("/api/v1/sites", SITE).json()["data"]
    dispatch()
    told = [json.loads(taken.body) for taken in receiver.taken]
    assert [one["type"] for one in told] == ["site.created"]
    assert told[0]["data"] == acme.get(f"/api/v1/sites/{made['id']}").json()["data"]
    shown = acme.get(f"/api/v1/webhooks/{endpoint['id']}").json()["data"]
    assert (shown["success_count"], shown["failure_count"], shown["consecutive_failures"]) == (1, 0, 0)
    assert shown["last_delivery_at"]


def test_the_documented_answers(acme, receiver, endpoint):
    assert acme.get("/api/v1/webhooks").json()["data"][0] == {k: v for k, v in endpoint.items() if k != "secret"}
    path = f"/api/v1/webhooks/{endpoint['id']}"
    changed = acme.patch(path, {"events": ["post.*"], "is_active": False}).json()
    assert changed["message"] == "Webhook endpoint updated successfully."
    assert (changed["data"]["events"], changed["data"]["is_active"]) == (["post.*"], False)
    assert acme.delete(path).status_code == 204
    assert acme.get(path).status_code == 404


@pytest.mark.parametrize(
    ("events", "told"),
    [
        (["*"], ["site.created", "site.updated", "site.deleted"]),
        (["site.*"], ["site.created", "site.updated", "site.deleted"]),
        (["site.created", "site.deleted"], ["site.created", "site.deleted"]),
        (["post.*"], []),
        (["seo.*", "seo.report.*"], []),
    ],
)
def test_it_is_told_what_it_wants(acme, receiver, dispatch, events, told):
    add(acme, receiver, *events)
    site = acme.post("/api/v1/sites", SITE).json()["data"]["id"]
    acme.patch(f"/api/v1/sites/{site}", {"name": "Green tea"})
    acme.delete(f"/api/v1/sites/{site}")
    dispatch()
    assert sorted(taken.headers["x-webhook-event"] for taken in receiver.taken) == sorted(told)


def test_others_are_told_nothing(other, receiver, dispatch, endpoint):
    other.post("/api/v1/sites", SITE)
    dispatch()
    assert receiver.taken == []


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": "http://example.com/hook"}, "url"),
        ({"url": "https://127.0.0.2/hook"}, "url"),
        ({"url": "https://10.0.0.1/hook"}, "url"),
        ({"url": "https://[::ffff:10.0.0.1]/hook"}, "url"),
        ({"url": "https://169.254.169.254/hook"}, "url"),
        ({"url": "ftp://example.com/"}, "url"),
        ({"url": "https://user:password@example.com/"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["post.creatd"]}, "events"),
        ({"events": ["post*"]}, "events"),
        ({"events": "post.created"}, "events"),
        ({"secret": "whsec_short"}, "secret"),
        ({"secret": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}, "secret"),
        ({"secret": "whsec_" + "?" * 40}, "secret"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_wrong_is_named(acme, fields, wrong):
    body = {"url": "https://unknown.invalid/hook", "events": ["post.created"]}
    assert acme.post("/api/v1/webhooks", body).status_code == 201
    answer = acme.post("/api/v1/webhooks", body | fields)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [wrong]


def test_standard_libraries_and_a_few_lines_verify_every_delivery(acme, receiver, dispatch, endpoint):
    receiver.answer = lambda taken: Answer(500 if len(receiver.taken) == 1 else 200)
    acme.post("/api/v1/sites", SITE)
    dispatch()
    Delivery.objects.update(next_attempt_at=now(), status="retrying")
    dispatch()
    assert len(receiver.taken) == 2
    secret = endpoint["secret"]
    for taken in receiver.taken:
        svix.Webhook(secret).verify(taken.body, taken.headers)
        assert standardwebhooks.Webhook(secret).verify(taken.body, taken.headers)["type"] == "site.created"
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(secret).verify(taken.body + b" ", taken.headers)
        stamp = taken.headers["x-webhook-timestamp"]
        assert taken.headers["x-webhook-signature"] == hex_signature(secret, stamp, taken.body)


def test_for_a_day_both_secrets_sign(acme, receiver, dispatch, endpoint):
    answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/rotate-secret")
    new = answer.json()["data"]["secret"]
    assert new != endpoint["secret"]
    acme.post("/api/v1/sites", SITE)
    dispatch()
    Endpoint.objects.update(old_until=now() - timedelta(seconds=1))
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    dispatch()
    both, one = receiver.taken
    for secret in (endpoint["secret"], new):
        standardwebhooks.Webhook(secret).verify(both.body, both.headers)
        stamp = both.headers["x-webhook-timestamp"]
        assert hex_signature(secret, stamp, both.body) in both.headers["x-webhook-signature"].split(",")
    standardwebhooks.Webhook(new).verify(one.body, one.headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(endpoint["secret"]).verify(one.body, one.headers)


def test_only_the_two_newest_sign_the_newest_first(acme, receiver, dispatch, endpoint):
    path = f"/api/v1/webhooks/{endpoint['id']}/rotate-secret"
    second, third = (acme.post(path).json()["data"]["secret"] for _ in range(2))
    acme.post("/api/v1/sites", SITE)
    dispatch()
    [taken] = receiver.taken
    stamp = taken.headers["x-webhook-timestamp"]
    signed = [hex_signature(secret, stamp, taken.body) for secret in (third, second)]
    assert taken.headers["x-webhook-signature"].split(",") == signed
    first_of_the_others = taken.headers | {"webhook-signature": taken.headers["webhook-signature"].split()[0]}
    standardwebhooks.Webhook(third).verify(taken.body, first_of_the_others)
    remaining = Endpoint.objects.get().old_until - now()
    assert timedelta(hours=23, minutes=59) < remaining <= timedelta(hours=24)


def test_jobs_are_signed_with_the_workspaces_secret(people, acme, receiver, dispatch, end_job):
    secret = acme.post("/api/v1/webhooks/jobs/rotate-secret").json()["data"]["secret"]
    end_job(people.acme, receiver.url)
    dispatch()
    [taken] = receiver.taken
    assert standardwebhooks.Webhook(secret).verify(taken.body, taken.headers)["type"] == "job.completed"


def test_one_of_the_callers_choice(acme, receiver, dispatch):
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert add(acme, receiver, "*", secret=secret).json()["data"]["secret"] == secret
    acme.post("/api/v1/sites", SITE)
    dispatch()
    [taken] = receiver.taken
    svix.Webhook(secret).verify(taken.body, taken.headers)


def test_the_secret_is_nowhere_else(people, acme, endpoint):
    secret = endpoint["secret"]
    row = Endpoint.objects.get()
    assert secret not in row.secret
    for path in ("", f"/{endpoint['id']}", f"/{endpoint['id']}/deliveries"):
        assert secret not in acme.get(f"/api/v1/webhooks{path}").content.decode()
    assert secret not in acme.get("/api/v1/activity").content.decode()
    assert not [line for line in Activity.objects.all() if row.secret in line.details or secret in line.details]


# --- what becomes of an endpoint --------------------------------------------------------------------------------------


def test_gone_disables_it(people, acme, receiver, dispatch, endpoint, mailoutbox):
    receiver.answer = lambda taken: Answer(410)
    acme.post("/api/v1/sites", SITE)
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    dispatch()
    shown = acme.get(f"/api/v1/webhooks/{endpoint['id']}").json()["data"]
    assert (shown["is_active"], shown["disabled_reason"]) == (False, "gone")
    assert {d.status for d in Delivery.objects.all()} == {"failed"}
    taken = len(receiver.taken)
    acme.post("/api/v1/sites", SITE | {"domain": "three.example.com"})
    dispatch()
    assert len(receiver.taken) == taken
    for _ in range(2):
        send_notices()
    [mail] = mailoutbox
    assert mail.to == ["alice@example.org"]
    assert receiver.url in mail.body
    assert "410" in mail.body


def test_five_days_of_failures_disable_it(acme, receiver, dispatch, endpoint):
    receiver.answer = lambda taken: Answer(500)
    acme.post("/api/v1/sites", SITE)
    dispatch()
    Endpoint.objects.update(failing_since=now() - timedelta(days=5), consecutive_failures=8)
    Delivery.objects.update(next_attempt_at=now())
    dispatch()
    assert Endpoint.objects.get().is_active, "nine are not enough"
    Delivery.objects.update(next_attempt_at=now())
    dispatch()
    row = Endpoint.objects.get()
    assert (row.is_active, row.disabled_reason) == (False, "failing")


def test_four_days_of_failures_do_not(acme, receiver, dispatch, endpoint):
    receiver.answer = lambda taken: Answer(500)
    acme.post("/api/v1/sites", SITE)
    since = now() - timedelta(days=4, hours=23)
    Endpoint.objects.update(failing_since=since, consecutive_failures=50)
    dispatch()
    row = Endpoint.objects.get()
    assert (row.is_active, row.failing_since, row.consecutive_failures) == (True, since, 51)


def test_disabled_it_is_sent_nothing_that_waits_and_enabled_again_what_is_new(acme, receiver, dispatch, endpoint):
    receiver.answer = lambda taken: Answer(500)
    acme.post("/api/v1/sites", SITE)
    dispatch()
    receiver.answer = lambda taken: Answer(410)
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    dispatch()
    assert set(Delivery.objects.values_list("status", "next_attempt_at")) == {("failed", None)}
    waited = Delivery.objects.earliest("id")
    path = f"/api/v1/webhooks/{endpoint['id']}"
    assert acme.post(f"{path}/deliveries/{waited.pk}/redeliver").status_code == 400
    receiver.answer = lambda taken: Answer()
    receiver.taken.clear()
    acme.patch(path, {"is_active": True})
    acme.post("/api/v1/sites", SITE | {"domain": "three.example.com"})
    assert due() == 1, "what answered 410 once is asked again"
    dispatch()
    assert len(receiver.taken) == 1


def due() -> int:
    lease = dispatcher.Dispatcher().lease
    claims.claim(lease)
    try:
        return len(claims.due_parcels(lease, Held(), ()))
    finally:
        claims.release_all(lease)


def test_one_success_starts_anew(acme, receiver, dispatch, endpoint):
    acme.post("/api/v1/sites", SITE)
    Endpoint.objects.update(failing_since=now() - timedelta(days=9), consecutive_failures=50)
    dispatch()
    row = Endpoint.objects.get()
    assert (row.is_active, row.consecutive_failures, row.failing_since) == (True, 0, None)


def test_switched_off_nothing_more_is_sent_and_a_replay_brings_it_back(acme, receiver, dispatch, endpoint):
    path = f"/api/v1/webhooks/{endpoint['id']}"
    begin = now().isoformat()
    acme.post("/api/v1/sites", SITE)
    acme.patch(path, {"is_active": False})
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    dispatch()
    assert receiver.taken == []
    assert acme.post(f"{path}/replay", {"since": begin}).status_code == 400
    acme.patch(path, {"is_active": True})
    dispatch()
    assert receiver.taken == [], "by itself nothing is replayed"
    answer = acme.post(f"{path}/replay", {"since": begin})
    made = answer.json()["data"]
    assert (answer.status_code, made["deliveries"], made["next_cursor"]) == (202, 2, None)
    dispatch()
    assert len(set(receiver.ids)) == 2
    again = acme.post(f"{path}/replay", {"since": begin})
    assert again.json()["data"]["deliveries"] == 0, "all of it has arrived"
    all_of_it = acme.post(f"{path}/replay", {"since": begin, "include_delivered": True})
    assert all_of_it.json()["data"]["deliveries"] == 2
    dispatch()
    assert len(receiver.taken) == 4
    assert len(set(receiver.ids)) == 2, "the ids stay"


def test_a_replay_of_much_goes_on_where_it_ended(acme, receiver, dispatch, endpoint, monkeypatch):
    monkeypatch.setattr(services, "MAX_REPLAY", 2)
    body = {"since": now().isoformat(), "include_delivered": True}
    for n in range(3):
        acme.post("/api/v1/sites", SITE | {"domain": f"tea-{n}.example.com"})
    dispatch()
    told, path = receiver.ids[:], f"/api/v1/webhooks/{endpoint['id']}/replay"
    first = acme.post(path, body).json()["data"]
    acme.post("/api/v1/sites", SITE | {"domain": "later.example.com"})
    second = acme.post(path, body | {"until": first["until"], "cursor": first["next_cursor"]}).json()["data"]
    assert [(one["deliveries"], bool(one["next_cursor"])) for one in (first, second)] == [(2, True), (1, False)]
    dispatch()
    assert all(receiver.ids.count(one) == 2 for one in told)
    assert len(receiver.ids) == 7, "and the later one once"
    wrong = acme.post(path, body | {"cursor": "evt_unknown"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (422, ["cursor"])


def test_deleted_it_is_told_nothing(acme, receiver, dispatch, endpoint):
    acme.post("/api/v1/sites", SITE)
    acme.delete(f"/api/v1/webhooks/{endpoint['id']}")
    dispatch()
    assert receiver.taken == []
    assert Event.objects.count() == 1


# --- deliveries -------------------------------------------------------------------------------------------------------


def deliveries(api, endpoint, query=""):
    return api.get(f"/api/v1/webhooks/{endpoint['id']}/deliveries{query}").json()


def test_deliveries_are_listed(acme, receiver, dispatch, endpoint):
    acme.post("/api/v1/sites", SITE)
    [pending] = deliveries(acme, endpoint)["data"]
    assert (pending["status"], pending["attempt"], pending["response_code"]) == ("pending", 1, None)
    receiver.answer = lambda taken: Answer(500, b"oh")
    dispatch()
    [retrying] = deliveries(acme, endpoint, "?status=retrying")["data"]
    assert (retrying["status"], retrying["attempt"], retrying["response_code"]) == ("retrying", 1, 500)
    assert retrying["next_retry_at"]
    assert retrying["delivered_at"] is None
    assert (retrying["event_id"], retrying["event_type"]) == (receiver.ids[0], "site.created")
    receiver.answer = lambda taken: Answer()
    answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/deliveries/{retrying['id']}/retry")
    assert answer.status_code == 200
    assert answer.json()["message"] == "Delivery queued for retry."
    assert {k: answer.json()["data"][k] for k in ("id", "status", "attempt")} == {
        "id": retrying["id"],
        "status": "pending",
        "attempt": 2,
    }
    dispatch()
    page = deliveries(acme, endpoint, "?status=success&page=1&per_page=5")
    assert [(one["attempt"], bool(one["delivered_at"])) for one in page["data"]] == [(2, True)]
    assert page["meta"]["total"] == 1
    assert deliveries(acme, endpoint, "?status=failed")["data"] == []
    assert acme.get(f"/api/v1/webhooks/{endpoint['id']}/deliveries?status=lost").status_code == 422


@pytest.mark.parametrize("change", [{"status": "success"}, {"status": "failed", "attempts": 10}])
def test_what_cannot_be_retried(acme, dispatch, endpoint, change):
    acme.post("/api/v1/sites", SITE)
    Delivery.objects.update(next_attempt_at=None, **change)
    path = f"/api/v1/webhooks/{endpoint['id']}/deliveries/{Delivery.objects.get().pk}"
    answer = acme.post(f"{path}/retry")
    assert (answer.status_code, answer.json()["error"]) == (400, "cannot_retry")
    again = acme.post(f"{path}/redeliver")
    assert again.status_code == 201
    assert again.json()["data"]["attempt"] == 1
    assert Delivery.objects.count() == 2


def test_of_another_workspace_nothing_is_there(acme, other, endpoint):
    acme.post("/api/v1/sites", SITE)
    delivery = Delivery.objects.get().pk
    path = f"/api/v1/webhooks/{endpoint['id']}"
    for method, address in [
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("GET", f"{path}/deliveries"),
        ("POST", f"{path}/test"),
        ("POST", f"{path}/rotate-secret"),
        ("POST", f"{path}/replay"),
        ("POST", f"{path}/deliveries/{delivery}/retry"),
        ("POST", f"{path}/deliveries/{delivery}/redeliver"),
    ]:
        body = {"since": "2026-01-01T00:00:00Z"} if address.endswith("replay") else {}
        assert other.call(method, address, body).status_code == 404, address


def test_what_a_test_key_does_stays_in_the_house(people, acme, key_for, receiver, dispatch, endpoint):
    test_key = Api(key=key_for(people.acme, "*", test=True))
    window, path = {"since": now().isoformat()}, f"/api/v1/webhooks/{endpoint['id']}"
    dispatch()
    receiver.taken.clear()
    assert test_key.post("/api/v1/sites", SITE).status_code == 201
    dispatch()
    assert receiver.taken == []
    Outbox.objects.all().delete()  # as where nothing was ever sent
    assert acme.post(f"{path}/replay", window).json()["data"]["deliveries"] == 1, "somebody else may send it"
    of_delivery = f"deliveries/{Delivery.objects.latest('pk').pk}"
    for what in ("test", "replay", f"{of_delivery}/retry", f"{of_delivery}/redeliver"):
        assert test_key.post(f"{path}/{what}", window if what == "replay" else {}).status_code == 403, what
    dispatch()
    assert len(receiver.taken) == 1


# --- a test -----------------------------------------------------------------------------------------------------------


def test_a_test_answers_with_what_was_said(acme, receiver, endpoint):
    receiver.answer = lambda taken: Answer(200, b'{"received": true}' + b"x" * 5000)
    answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test", idempotency_key="once")
    body = answer.json()
    assert (answer.status_code, body["success"], body["status_code"]) == (200, True, 200)
    assert body["response_body"].startswith('{"received": true}')
    assert len(body["response_body"]) == 1024
    assert body["response_time_ms"] >= 0
    again = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test", idempotency_key="once")
    assert (again.content, again["Idempotent-Replayed"]) == (answer.content, "true")
    [taken] = receiver.taken
    told = standardwebhooks.Webhook(endpoint["secret"]).verify(taken.body, taken.headers)
    assert told["type"] == "webhook.test"
    assert not Delivery.objects.exists()


def test_a_test_under_way_is_not_sent_twice_and_one_that_died_is_sent_again(acme, receiver, endpoint, monkeypatch):
    def call():
        return acme.post(f"/api/v1/webhooks/{endpoint['id']}/test", idempotency_key="once")

    seen, real = [], trial._parcel
    monkeypatch.setattr(trial, "_parcel", lambda *a: seen.append(IdempotencyRecord.objects.get().status) or real(*a))
    assert call().status_code == 200
    assert seen == [BEGUN], "it is taken before the receiver is asked"
    IdempotencyRecord.objects.update(status=BEGUN)  # as a process leaves it that is at work, or has died
    assert (call().status_code, call().json()["error"]) == (409, "idempotency_in_flight")
    assert len(receiver.taken) == 1
    IdempotencyRecord.objects.update(created_at=now() - ABANDONED - timedelta(seconds=1))
    assert call().status_code == 200
    assert len(receiver.taken) == 2


def test_a_test_that_is_refused_leaves_its_key(acme, endpoint, monkeypatch):
    monkeypatch.setattr(trial, "_places", BoundedSemaphore(1))
    with trial._places:
        answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test", idempotency_key="once")
    assert answer.status_code == 429
    assert not IdempotencyRecord.objects.exists()


def test_a_test_that_fails_is_200_too(acme, receiver, endpoint):
    receiver.answer = lambda taken: Answer(500, b"oh")
    body = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test").json()
    assert (body["success"], body["status_code"]) == (False, 500)
    assert body["error"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "https://10.0.0.1/", "https://unknown.invalid/"])
def test_refused_by_us_by_them_and_by_nobody_look_alike(acme, endpoint, url):
    Endpoint.objects.update(url=url)
    start = time.monotonic()
    body = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test").json()
    assert time.monotonic() - start >= 1
    assert body.pop("response_time_ms") >= 1000
    assert body == {"success": False, "status_code": None, "error": "The address could not be fetched."}


# --- the catalogue ----------------------------------------------------------------------------------------------------


def test_the_catalogue_has_every_event_with_an_example(acme):
    entries = acme.get("/api/v1/webhooks/events").json()["data"]
    assert [entry["type"] for entry in entries] == sorted(public_events())
    for entry in entries:
        assert entry["description"].endswith("."), entry["type"]
        assert list(entry["example"]) == ["id", "type", "created_at", "data", "workspace_id"]
        assert entry["example"]["type"] == entry["type"]


# --- rights -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "events", "status"),
    [
        (("webhooks:write", "posts:read"), ["post.*"], 201),
        (("webhooks:write",), ["post.*"], 403),
        (("webhooks:write", "posts:read"), ["post.*", "lead.created"], 403),
        (("webhooks:write", "posts:read"), ["*"], 403),
        (("webhooks:write", "*:read"), ["*"], 201),
    ],
)
def test_nobody_is_told_what_they_may_not_read(people, key_for, scopes, events, status):
    api = Api(key=key_for(people.acme, *scopes))
    answer = api.post("/api/v1/webhooks", {"url": "https://new.invalid/hook", "events": events})
    assert answer.status_code == status
    assert Endpoint.objects.exists() == (status == 201)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "", {"events": ["*"]}),
        ("PATCH", "", {"url": "https://mine.invalid/hook"}),
        ("POST", "/replay", {"since": "2026-01-01T00:00:00Z"}),
    ],
)
def test_nor_by_way_of_what_others_made(people, acme, key_for, endpoint, method, path, body):
    acme.patch(f"/api/v1/webhooks/{endpoint['id']}", {"events": ["lead.*"]})
    limited = Api(key=key_for(people.acme, "webhooks:*", "posts:read"))
    assert limited.call(method, f"/api/v1/webhooks/{endpoint['id']}{path}", body).status_code == 403


def test_a_secret_that_nobody_can_open_stops_nobody_else(acme, other, receiver, dispatch, endpoint):
    """Its key was taken out of ENCRYPTION_KEYS."""
    theirs = add(other, receiver, "site.*").json()["data"]["id"]
    for api in (acme, other):
        api.post("/api/v1/sites", SITE)
    Endpoint.objects.exclude(pk=theirs).update(secret="AAAA")
    dispatch()
    found = dict(Delivery.objects.values_list("endpoint_id", "error"))
    assert found == {theirs: "", endpoint["id"]: "secret_unreadable"}
    assert Delivery.objects.get(endpoint=endpoint["id"]).status == "retrying"
    tested = acme.post(f"/api/v1/webhooks/{endpoint['id']}/test").json()
    assert (tested["success"], tested["error"]) == (False, "The secret cannot be read any more. Rotate it.")
    new = acme.post(f"/api/v1/webhooks/{endpoint['id']}/rotate-secret").json()["data"]["secret"]
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    dispatch()
    assert documented().verified_by_hand(receiver.taken[-1].body, receiver.taken[-1].headers, new)


def test_a_backlog_of_one_workspace_keeps_no_other_from_being_sent(acme, other, receiver, dispatch, monkeypatch):
    """More is waiting than may be in flight, to many receivers that take their time."""
    monkeypatch.setattr(dispatcher, "IN_FLIGHT", 12)
    for _ in range(6):
        add(acme, receiver, "site.*")
    add(other, receiver, "site.*")
    for n in range(8):
        acme.post("/api/v1/sites", SITE | {"domain": f"tea-{n}.example.com"})
    other.post("/api/v1/sites", SITE)
    receiver.answer = lambda taken: Answer(after=0.05)
    dispatch()
    workspaces = [json.loads(taken.body)["workspace_id"] for taken in receiver.taken]
    assert len(workspaces) == 49
    assert workspaces.index(Endpoint.objects.get(workspace__slug="other").workspace_id) < 24


def test_an_erased_person_is_in_no_event(people, acme, receiver, dispatch, endpoint):
    """What was told of them goes, sent or not; that they are no member any more is told without a name."""
    alice = Api(user=people.alice)
    alice.post("/api/v1/invitations", {"email": "bob@example.org", "role": "VIEWER"})
    dispatch()
    bob = add_member(people.acme, people.bob, Role.EDITOR)
    assert alice.patch(f"/api/v1/members/{bob.pk}", {"role": "ADMIN"}).status_code == 200
    alice.post("/api/v1/invitations", {"email": "jimbob@example.org", "role": "VIEWER"})
    add(Api(user=people.bob), receiver, "site.*")
    EmailAddress.objects.create(user=people.bob, email="jimbob@example.org", verified=False)  # not proven to be his
    assert erase_user(people.bob).rows["webhooks.Event"] == 2
    receiver.taken.clear()
    dispatch()
    told = {taken.headers["x-webhook-event"]: taken.body for taken in receiver.taken}
    assert b"jimbob@example.org" in told["invitation.created"]
    assert json.loads(told["member.deleted"])["data"]["user_id"] == people.bob.pk
    assert not [event for event in Event.objects.all() if b'"bob@example.org"' in bytes(event.body)]
    assert not Endpoint.objects.filter(creator=people.bob).exists()
