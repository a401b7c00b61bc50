"""Webhooks in the admin: how endpoints fare, what was sent where, and what people do about it, by their rights."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ajansops.kit.clock import iso, now
from tests.accounts.test_admin import address, post, staff
from tests.webhooks.receiver import Answer
from tests.webhooks.test_endpoints import SITE
from webhooks.models import Delivery, Endpoint, Event

LONG = "https://unknown.invalid/" + "x" * 2000


def lists(model, query: str = "") -> str:
    return address(model, "changelist") + query


def rows(answer) -> list:
    assert answer.status_code == 200
    return list(answer.context_data["cl"].result_list)


def act(api, action: str, *chosen):
    return post(api, lists(type(chosen[0])), action=action, _selected_action=[row.pk for row in chosen])


@pytest.fixture
def failed(acme, receiver, dispatch, endpoint) -> Delivery:
    """A delivery that has failed once, and waits for its next attempt."""
    receiver.answer = lambda taken: Answer(500, b"oh")
    acme.post("/api/v1/sites", SITE)
    dispatch()
    receiver.answer = lambda taken: Answer()
    return Delivery.objects.get()


def test_retry_sends_it_at_once(people, receiver, dispatch, failed):
    dispatch()
    assert len(receiver.taken) == 1, "it would wait"
    act(staff(people.alice), "retry", failed)
    dispatch()
    assert len(receiver.taken) == 2
    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == ("success", 2)


def test_redeliver_sends_the_event_once_more(people, receiver, dispatch, failed):
    act(staff(people.alice), "redeliver", failed)
    dispatch()
    assert receiver.ids[0] == receiver.ids[1]
    assert sorted(Delivery.objects.values_list("status", flat=True)) == ["retrying", "success"]


def test_what_cannot_be_retried_is_told_by_name(people, failed):
    Delivery.objects.update(status="success", next_attempt_at=None)
    api = staff(people.alice)
    act(api, "retry", failed)
    assert f"{failed.pk}: Delivery already succeeded" in api.get(lists(Delivery)).content.decode()
    assert Delivery.objects.get().status == "success"


def test_disable_closes_what_waits_and_enable_starts_anew(people, receiver, dispatch, failed):
    api, endpoint = staff(people.alice), Endpoint.objects.get()
    act(api, "disable", endpoint)
    endpoint.refresh_from_db()
    failed.refresh_from_db()
    assert (endpoint.is_active, failed.status) == (False, "failed")
    act(api, "enable", endpoint)
    endpoint.refresh_from_db()
    assert (endpoint.is_active, endpoint.consecutive_failures) == (True, 0)
    dispatch()
    assert len(receiver.taken) == 1, "nothing is replayed by itself"


@pytest.mark.parametrize("action", ["retry", "redeliver", "enable", "disable"])
@pytest.mark.parametrize(("who", "status"), [("bob", 403), ("charlie", 302)], ids=["a viewer", "an outsider"])
def test_others_can_do_none_of_it(people, failed, action, who, status):
    chosen = failed if action in {"retry", "redeliver"} else Endpoint.objects.get()
    Endpoint.objects.update(is_active=action != "enable")
    kept = list(Endpoint.objects.values()), list(Delivery.objects.values())
    api = staff(getattr(people, who))
    assert act(api, action, chosen).status_code == status
    assert (list(Endpoint.objects.values()), list(Delivery.objects.values())) == kept
    listed = api.get(lists(type(chosen)))
    assert listed.status_code == (403 if who == "bob" else 200)
    assert chosen.pk not in ([] if who == "bob" else [row.pk for row in rows(listed)])
    assert api.get(address(type(chosen), "change", chosen.pk)).status_code != 200


def test_an_endpoint_leads_to_its_deliveries_and_a_delivery_to_its_endpoint(people, acme, failed):
    acme.post("/api/v1/webhooks", {"url": LONG, "events": ["*"]})
    api, first = staff(people.alice), Endpoint.objects.earliest("pk")
    link = f"{lists(Delivery)}?endpoint__id__exact={first.pk}"
    for page in (lists(Endpoint), address(Endpoint, "change", first.pk)):
        assert link in api.get(page).content.decode()
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    assert {row.endpoint_id for row in rows(api.get(link))} == {first.pk}
    assert address(Endpoint, "change", first.pk) in api.get(address(Delivery, "change", failed.pk)).content.decode()


def test_what_was_answered_and_when_is_in_the_list(people, failed):
    page = staff(people.alice).get(lists(Delivery)).content.decode()
    times = (failed.created_at, failed.last_attempt_at, failed.next_attempt_at)
    assert all(f'title="{iso(time)}"' in page for time in times)
    assert failed.event.public_id in page
    assert "500" in page


def test_a_long_address_is_shortened_and_still_there(people, acme):
    acme.post("/api/v1/webhooks", {"url": LONG, "events": ["*"]})
    page = staff(people.alice).get(lists(Endpoint)).content.decode()
    assert f'<span title="{LONG}" style="display:inline-block;max-width' in page


def test_deliveries_of_jobs_are_there_too(people, failed, end_job):
    end_job(people.acme, "http://127.0.0.1:9/hook")
    api = staff(people.alice)
    assert [row.url for row in rows(api.get(lists(Delivery, "?to=job")))] == ["http://127.0.0.1:9/hook"]
    assert "http://127.0.0.1:9/hook" in api.get(lists(Delivery, "?to=job")).content.decode()
    assert failed in rows(api.get(lists(Delivery, "?to=endpoint")))
    assert len(rows(api.get(lists(Delivery)))) == 3, "both, and the endpoint is told of the job"


def test_overdue_is_told_from_what_rightly_waits(people, failed):
    """Made a day ago, to be tried in an hour: nothing is wrong. To be tried five minutes ago: something is."""
    api = staff(people.alice)
    Delivery.objects.update(created_at=now() - timedelta(days=1), next_attempt_at=now() + timedelta(hours=1))
    [row] = rows(api.get(lists(Endpoint)))
    assert (row.oldest_due, bool(row.next_attempt)) == (None, True)
    assert rows(api.get(lists(Endpoint, "?time=overdue"))) == []
    assert rows(api.get(lists(Delivery, "?time=later"))) == [failed]
    assert "Deliveries are late" not in api.get(lists(Endpoint)).content.decode()
    Delivery.objects.update(next_attempt_at=now() - timedelta(minutes=5))
    [row] = rows(api.get(lists(Endpoint, "?time=overdue&o=3")))
    assert (bool(row.oldest_due), row.next_attempt) == (True, None)
    assert rows(api.get(lists(Delivery, "?time=overdue"))) == [failed]
    for model in (Endpoint, Delivery):
        page = api.get(lists(model)).content.decode()
        assert "Deliveries are late" in page
        assert lists(Delivery, "?time=overdue") in page
        assert "Deliveries are late" not in staff(people.charlie).get(lists(model)).content.decode()


@pytest.mark.parametrize(
    ("fields", "health"),
    [
        ({"consecutive_failures": 0}, "well"),
        ({"consecutive_failures": 3}, "failing"),
        ({"is_active": False}, "off"),
        ({"is_active": False, "disabled_reason": "gone"}, "disabled"),
    ],
    ids=["well", "failing", "off", "disabled"],
)
def test_the_filter_says_what_the_column_says(people, failed, fields, health):
    Endpoint.objects.update(**fields)
    api = staff(people.alice)
    for name in ("well", "failing", "disabled", "off"):
        assert len(rows(api.get(lists(Endpoint, f"?health={name}")))) == (name == health), name
    assert f">{health}<" in "".join(api.get(lists(Endpoint)).content.decode().split())


def test_a_secret_that_cannot_be_read_is_seen(people, endpoint):
    Endpoint.objects.update(secret="bG9zdA==")
    assert "secret lost" in staff(people.alice).get(lists(Endpoint)).content.decode()


@pytest.mark.parametrize("query", ["?health=__class__", "?to=0", "?time=now"])
def test_a_choice_that_is_none_filters_nothing(people, failed, query):
    model = Endpoint if "health" in query else Delivery
    assert len(rows(staff(people.alice).get(lists(model, query)))) == 1


@pytest.mark.parametrize("model", [Endpoint, Delivery, Event], ids=lambda model: model.__name__)
def test_more_rows_take_no_more_queries(people, acme, endpoint, end_job, model):
    api = staff(people.alice)
    api.get(lists(model))
    found = []
    for count in (1, 8):
        fill(acme, end_job, people, count)
        with CaptureQueriesContext(connection) as queries:
            found.append((len(rows(api.get(lists(model)))), len(queries)))
    (few, once), (many, again) = found
    assert many >= few + 8
    assert again <= once


def fill(acme, end_job, people, count: int) -> None:
    for n in range(count):
        acme.post("/api/v1/webhooks", {"url": f"https://unknown.invalid/{count}/{n}", "events": ["lead.*"]})
        end_job(people.acme, f"http://127.0.0.1:9/{count}/{n}")
