"""A job's webhook_url is told that the job has ended: once the change is kept, until somebody has taken it."""

import hashlib
import hmac
import json
import time
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.actors import operator
from ajansops.kit.clock import now
from ajansops.kit.events import publish
from jobs.models import Job
from tests.webhooks.receiver import Answer, receiving
from webhooks import claims, sending
from webhooks.dispatcher import Dispatcher
from webhooks.models import Delivery, Event, Outbox
from webhooks.parcels import Held, Outcome
from webhooks.schedule import DELAYS, MAX_ATTEMPTS


def make_due() -> None:
    """As if the time of the next attempt had come."""
    Delivery.objects.filter(next_attempt_at__isnull=False).update(next_attempt_at=now())


def delay_of(delivery: Delivery) -> float:
    assert delivery.next_attempt_at
    assert delivery.last_attempt_at
    return (delivery.next_attempt_at - delivery.last_attempt_at).total_seconds()


def test_it_works(people, acme, receiver, dispatch, end_job):
    job = end_job(people.acme, receiver.url, total=1, done=1)
    dispatch()
    [taken] = receiver.taken
    body = json.loads(taken.body)
    assert list(body) == ["id", "type", "created_at", "data", "workspace_id"]
    assert body["type"] == "job.completed"
    assert body["workspace_id"] == people.acme.pk
    assert body["data"] == acme.get(f"/api/v1/jobs/{job.pk}").json()["data"]
    assert taken.headers["content-type"] == "application/json"
    assert taken.headers["x-webhook-id"] == taken.headers["webhook-id"] == body["id"]
    assert body["id"].startswith("evt_")
    assert taken.headers["x-webhook-event"] == "job.completed"
    assert taken.headers["x-request-id"] == "req_of_job"
    assert taken.headers["accept-encoding"] == "identity"
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.response_status) == ("success", 1, 200)
    assert delivery.response_body == "ok"


@pytest.mark.parametrize("told", ["job.completed", "job.failed", "job.cancelled"])
def test_each_end_is_told(people, receiver, dispatch, end_job, told):
    end_job(people.acme, receiver.url, told=told)
    dispatch()
    assert [taken.headers["x-webhook-event"] for taken in receiver.taken] == [told]


def test_nothing_else_of_it_is_told(people, receiver, dispatch, end_job):
    job = end_job(people.acme, "")
    Job.objects.filter(pk=job.pk).update(webhook_url=receiver.url)
    job.refresh_from_db()
    with transaction.atomic():
        publish(operator(people.acme.pk), "job.created", job)
    dispatch()
    assert receiver.taken == []
    assert not Event.objects.exists()


def test_a_change_that_is_undone_is_not_told(people, receiver, dispatch, end_job):
    with transaction.atomic():
        end_job(people.acme, receiver.url)
        transaction.set_rollback(True)
    dispatch()
    assert receiver.taken == []


def test_both_signatures_are_of_the_workspaces_secret(people, receiver, dispatch, end_job):
    end_job(people.acme, receiver.url)
    dispatch()
    [taken] = receiver.taken
    [secret] = Outbox.objects.get().secrets()
    stamp = taken.headers["x-webhook-timestamp"]
    assert abs(int(stamp) - time.time()) < 60
    expected = hmac.new(secret.encode(), stamp.encode() + b"." + taken.body, hashlib.sha256).hexdigest()
    assert taken.headers["x-webhook-signature"] == expected
    assert taken.headers["webhook-signature"].startswith("v1,")
    assert secret not in Outbox.objects.get().secret


def test_bytes_and_id_stay_and_the_signature_is_new(people, receiver, dispatch, end_job, monkeypatch):
    answers = iter([Answer(500), Answer(200)])
    receiver.answer = lambda taken: next(answers)
    job = end_job(people.acme, receiver.url)
    dispatch()
    Job.objects.filter(pk=job.pk).update(subject="changed since")
    make_due()
    real = time.time
    monkeypatch.setattr(sending.time, "time", lambda: real() + 10)
    dispatch()
    first, second = receiver.taken
    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]
    assert Delivery.objects.get().status == "success"


def test_the_schedule(people, receiver, dispatch, end_job):
    receiver.answer = lambda taken: Answer(500, b"no")
    end_job(people.acme, receiver.url)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        make_due()
        dispatch()
        delivery = Delivery.objects.get()
        assert (delivery.attempts, delivery.response_status, delivery.response_body) == (attempt, 500, "no")
        if attempt < MAX_ATTEMPTS:
            assert delivery.status == "retrying"
            assert 0.79 * DELAYS[attempt] <= delay_of(delivery) <= 1.21 * DELAYS[attempt]
    assert (delivery.status, delivery.next_attempt_at) == ("failed", None)
    assert len(receiver.taken) == len(DELAYS) == 10
    assert len(set(receiver.ids)) == 1


@pytest.mark.parametrize(
    ("answer", "least", "most"),
    [
        (Answer(500), 3.9, 6.1),
        (Answer(404), 3.9, 6.1),
        (Answer(302, headers={"Location": "/elsewhere"}), 3.9, 6.1),
        (Answer(307, headers={"Location": "/elsewhere"}), 3.9, 6.1),
        (Answer(429), 59, 61),
        (Answer(502), 59, 61),
        (Answer(503), 59, 61),
        (Answer(504), 59, 61),
        (Answer(503, headers={"Retry-After": "Fri, 01 Jan 2100 00:00:00 GMT"}), 86_399, 86_401),
        (Answer(503, headers={"Retry-After": "3600"}), 3599, 3601),
        (Answer(429, headers={"Retry-After": "99999999"}), 86_399, 86_401),
        (Answer(429, headers={"Retry-After": "soon"}), 59, 61),
        (Answer(429, headers={"Retry-After": "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"}), 59, 61),
        (Answer(500, headers={"Retry-After": "3600"}), 3.9, 6.1),
    ],
    ids=lambda value: f"{value.status}{value.headers}" if isinstance(value, Answer) else "",
)
def test_when_it_is_tried_again(people, receiver, dispatch, end_job, answer, least, most):
    receiver.answer = lambda taken: answer
    end_job(people.acme, receiver.url)
    dispatch()
    delivery = Delivery.objects.get()
    assert delivery.status == "retrying"
    assert least <= delay_of(delivery) <= most
    assert [taken.path for taken in receiver.taken] == ["/hook"], "a redirect is not followed"


def test_gone_is_for_good(people, receiver, dispatch, end_job):
    receiver.answer = lambda taken: Answer(410)
    end_job(people.acme, receiver.url)
    dispatch()
    assert Delivery.objects.get().status == "failed"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_will_do(people, receiver, dispatch, end_job, status):
    receiver.answer = lambda taken: Answer(status, b"")
    end_job(people.acme, receiver.url)
    dispatch()
    assert Delivery.objects.get().status == "success"


def test_of_an_answer_only_the_beginning_is_kept(people, receiver, dispatch, end_job):
    receiver.answer = lambda taken: Answer(200, b"a\0\xff" + b"b" * 5_000_000)
    end_job(people.acme, receiver.url)
    dispatch()
    delivery = Delivery.objects.get()
    assert delivery.status == "success"
    assert delivery.response_body.startswith("a\ufffdbbb")
    assert len(delivery.response_body) < 4 * 1024


def test_a_receiver_that_hangs_is_given_up_and_delays_nobody(people, receiver, another, dispatch, end_job, monkeypatch):
    monkeypatch.setattr(sending, "LIMITS", sending.Limits(total_seconds=2))
    receiver.answer = lambda taken: Answer(after=30)
    for _ in range(4):
        end_job(people.acme, receiver.url)
    for _ in range(20):
        end_job(people.acme, another.url)
    end_job(people.other, another.url.replace("/hook", "/others"))
    start = time.monotonic()
    dispatch()
    arrived = [taken.at - start for taken in another.taken]
    assert len(arrived) == 21
    assert max(arrived) < 1.5, "before the first one was given up"
    waiting = Delivery.objects.filter(url=receiver.url)
    assert {d.status for d in waiting} == {"retrying"}
    assert {d.error for d in waiting} == {"fetch_failed"}
    assert all(delay_of(d) >= 59 for d in waiting)


def test_not_more_than_its_share_is_in_flight(people, receiver, another, dispatch, end_job):
    receiver.answer = another.answer = lambda taken: Answer(after=0.05)
    for _ in range(24):
        end_job(people.acme, receiver.url)
        end_job(people.acme, another.url)
    dispatch()
    assert len(receiver.taken) == len(another.taken) == 24
    assert (receiver.most, another.most) == (4, 4)


def test_a_workspace_has_not_more_than_its_share(people, dispatch, end_job):
    inside = []
    with receiving() as a, receiving() as b, receiving() as c:
        everybody = (a, b, c)

        def answer(taken):
            inside.append(sum(receiver.inside for receiver in everybody))
            return Answer(after=0.05)

        for receiver in everybody:
            receiver.answer = answer
            for _ in range(12):
                end_job(people.acme, receiver.url)
        dispatch()
    assert len(inside) == 36
    assert 6 <= max(inside) <= 8


@pytest.mark.parametrize(
    "url", ["http://127.0.0.2:8080/", "http://169.254.169.254/", "https://10.0.0.1/", "http://example.invalid/"]
)
def test_what_is_not_open_to_us_is_not_asked(people, dispatch, end_job, url):
    end_job(people.acme, url)
    dispatch()
    delivery = Delivery.objects.get()
    assert (delivery.status, delivery.response_status, delivery.error) == ("retrying", None, "fetch_failed")


def test_a_worker_that_died_is_followed_by_another(people, receiver, dispatch, end_job):
    end_job(people.acme, receiver.url)
    dead = Dispatcher().lease
    assert claims.claim(dead) == 1
    assert claims.claim(Dispatcher().lease) == 0, "it is that one's"
    Outbox.objects.update(lease_until=now() - timedelta(seconds=1))
    [parcel] = claims.due_parcels(dead, Held(), ())
    dispatch()
    assert len(receiver.taken) == 1
    assert claims.save_outcomes([Outcome(parcel, 500)]) == []
    assert Delivery.objects.get().status == "success", "what the dead one says later does not count"


def test_a_deleted_workspace_tells_nobody(people, receiver, dispatch, end_job):
    end_job(people.acme, receiver.url)
    type(people.acme).objects.filter(pk=people.acme.pk).update(deleted_at=now())
    dispatch()
    assert receiver.taken == []


def test_too_much_is_a_link(people, receiver, dispatch, end_job):
    job = end_job(people.acme, receiver.url, configuration={"text": "x" * 300_000})
    dispatch()
    [taken] = receiver.taken
    data = json.loads(taken.body)["data"]
    assert data["id"] == job.pk
    assert data["url"].endswith(f"/api/v1/jobs/{job.pk}")
