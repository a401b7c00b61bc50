"""What one workspace, receiver or lock does, beside others: they are told all the same, and what is written is true."""

import asyncio
import threading
from contextlib import contextmanager

import pytest
from django.core.management import call_command
from django.db import connection, connections, transaction

from accounts.actors import operator
from ajansops.kit.clock import now
from ajansops.kit.events import tell
from content.models import Product
from tests.processes import wait_for
from tests.webhooks.receiver import Answer, receiving
from webhooks import claims, dispatcher
from webhooks.dispatcher import Dispatcher
from webhooks.health import disable
from webhooks.models import Delivery, Endpoint, Outbox
from webhooks.parcels import Held, Outcome, Parcel

SITE = {"name": "Tea", "domain": "tea.example.com"}
LONG = 10  # seconds until a test that waits has failed
pytestmark = pytest.mark.django_db(transaction=True)
needs_row_locks = pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite locks everything or nothing")


def add(api, url: str) -> int:
    answer = api.post("/api/v1/webhooks", {"url": url, "events": ["site.*"]})
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]["id"]


def make_sites(api, count: int = 1) -> None:
    for number in range(count):
        assert api.post("/api/v1/sites", SITE | {"domain": f"tea-{number}.example.com"}).status_code == 201


def came(receiver, count: int) -> bool:
    """Whether so many have come, before it is too long."""
    with receiver.lock:
        return receiver.changed.wait_for(lambda: len(receiver.taken) >= count, LONG)


@contextmanager
def dispatching():
    """One that runs beside the test."""
    dispatcher = Dispatcher()

    def run() -> None:
        asyncio.run(dispatcher.run())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        thread.join()


@contextmanager
def locked_elsewhere(model, **which):
    """These rows are another session's."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            assert list(model.objects.select_for_update(no_key=True).filter(**which))  # as the product locks
            held.set()
            over.wait(3 * LONG)
        connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(LONG)
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def hanging():
    """Receivers that do not answer before the test is over."""
    with receiving() as one, receiving() as two:
        for receiver in (one, two):
            receiver.answer = lambda taken: Answer(after=3 * LONG)
        yield one, two
        for receiver in (one, two):
            receiver.released.set()


def test_a_backlog_in_memory_keeps_no_new_workspace_waiting(acme, other, receiver, hanging, dispatch, monkeypatch):
    monkeypatch.setattr(claims, "IN_ALL", 8)
    add(acme, hanging[0].url)
    make_sites(acme, 12)
    add(other, receiver.url)
    with dispatching() as dispatcher:
        assert came(hanging[0], 1)
        make_sites(other)
        dispatcher.wake()
        assert came(receiver, 1)
        hanging[0].released.set()
    dispatch()
    assert len(hanging[0].taken) == 12


def test_one_that_has_not_answered_yet_gets_one_request(acme):
    with receiving() as one, receiving() as two:
        one.answer = lambda taken: Answer(after=0 if one.released.is_set() else LONG)
        add(acme, one.url)
        add(acme, two.url)
        make_sites(acme, 8)
        with dispatching():
            assert came(one, 1)
            assert came(two, 8), "while one has all the time for a second request"
            assert len(one.taken) == 1
            one.released.set()
            assert came(one, 8)


def test_those_that_have_not_answered_leave_places_to_those_that_have(acme, receiver):
    add(acme, receiver.url)
    with receiving() as new:
        new.answer = lambda taken: Answer(after=LONG)
        with dispatching() as dispatcher:
            make_sites(acme)
            dispatcher.wake()
            assert came(receiver, 1), "this one has answered"
            for number in range(10):
                add(acme, f"{new.url}/{number}")
            for number in range(20):
                acme.patch(f"/api/v1/sites/{site_of(acme)}", {"name": f"Tea {number}"})
            dispatcher.wake()
            assert came(new, 6)
            assert came(receiver, 21), "while the new ones have all the time for a seventh request"
            assert len(new.taken) == 6
            new.released.set()


def test_two_that_hang_leave_places_to_a_third_of_their_workspace(acme, receiver, hanging):
    for url in (hanging[0].url, hanging[1].url, receiver.url):
        add(acme, url)
    make_sites(acme, 12)
    with dispatching():
        assert came(receiver, 12)
        assert max(one.most for one in hanging) == 1
        for one in hanging:
            one.released.set()


@needs_row_locks
def test_a_locked_endpoint_holds_up_no_other_and_is_written_later(acme, other, receiver, another, dispatch):
    mine, theirs = add(acme, receiver.url), add(other, another.url)
    with dispatching() as dispatcher, locked_elsewhere(Endpoint, pk=mine):
        make_sites(acme, 3)
        dispatcher.wake()
        assert came(receiver, 3)
        make_sites(other)
        dispatcher.wake()
        assert came(another, 1)
        other.patch(f"/api/v1/sites/{site_of(other)}", {"name": "Once more"})
        dispatcher.wake()
        assert came(another, 2)
    dispatch()
    assert (counts(mine), counts(theirs)) == ((3, 0), (2, 0))
    assert len(receiver.taken) == 3, "each was written before it could be sent twice"


@needs_row_locks
def test_gone_in_a_busy_workspace_holds_up_no_other_and_is_disabled_later(people, acme, other, receiver, another):
    receiver.answer = lambda taken: Answer(410)
    mine = [add(acme, f"{receiver.url}/{number}") for number in range(4)]
    add(other, another.url)
    make_sites(acme)
    with locked_elsewhere(type(people.acme), pk=people.acme.pk), dispatching() as dispatcher:
        assert came(receiver, 4)
        make_sites(other)
        dispatcher.wake()
        assert came(another, 1)
    call_command("periodic", "run", "disable_webhooks")
    assert set(Endpoint.objects.filter(pk__in=mine).values_list("is_active", "disabled_reason")) == {(False, "gone")}


def site_of(api) -> int:
    return api.get("/api/v1/sites").json()["data"][0]["id"]


def counts(endpoint: int) -> tuple[int, int]:
    return Endpoint.objects.values_list("success_count", "failure_count").get(pk=endpoint)


def read_by_one_that_died() -> Parcel:
    dead = Dispatcher().lease
    claims.claim(dead)
    [parcel] = claims.due_parcels(dead, Held(), ())
    claims.release_all(dead)
    return parcel


def test_what_a_dead_worker_says_late_counts_nowhere(acme, receiver, dispatch, endpoint):
    make_sites(acme)
    parcel = read_by_one_that_died()
    dispatch()
    assert claims.save_outcomes([Outcome(parcel, 500)]) == []
    row = Endpoint.objects.get()
    assert (row.success_count, row.failure_count, row.failing_since) == (1, 0, None)


def test_nor_where_the_row_is_still_open(acme, receiver, dispatch, endpoint):
    receiver.answer = lambda taken: Answer(500)
    make_sites(acme)
    parcel = read_by_one_that_died()
    dispatch()
    assert claims.save_outcomes([Outcome(parcel, 500)]) == []
    row = Delivery.objects.get()
    assert (row.status, row.attempts, counts(endpoint["id"])) == ("retrying", 1, (0, 1))


def during(call, status: int):
    """Answers after something that happens while the attempt is under way, in the thread of the receiver."""

    def answer(taken) -> Answer:
        call()
        connections.close_all()
        return Answer(status)

    return answer


def test_what_fails_after_it_was_switched_off_stays_closed(acme, receiver, dispatch, endpoint):
    receiver.answer = during(lambda: acme.patch(f"/api/v1/webhooks/{endpoint['id']}", {"is_active": False}), 500)
    make_sites(acme)
    dispatch()
    row = Delivery.objects.get()
    assert (row.status, row.next_attempt_at, row.error) == ("failed", None, "endpoint_disabled")


def test_a_retry_by_hand_outlives_the_failure_that_was_under_way(acme, receiver, dispatch, endpoint):
    def once_more() -> None:
        if len(receiver.taken) == 1:
            path = f"/api/v1/webhooks/{endpoint['id']}/deliveries/{Delivery.objects.get().pk}/retry"
            assert acme.post(path).status_code == 200

    receiver.answer = during(once_more, 503)
    make_sites(acme)
    dispatch()
    assert len(receiver.taken) == 2, "at once, and not after the minute of a 503"
    row = Delivery.objects.get()
    assert (row.status, row.attempts) == ("retrying", 2)
    assert (row.next_attempt_at - row.last_attempt_at).total_seconds() > 59


def test_what_an_address_says_that_was_left_is_not_the_new_ones(acme, receiver, another, dispatch, endpoint):
    """The tenth attempt, which is given up."""
    receiver.answer = during(lambda: acme.patch(f"/api/v1/webhooks/{endpoint['id']}", {"url": another.url}), 500)
    make_sites(acme)
    Delivery.objects.update(attempts=9)
    dispatch()
    assert Delivery.objects.get().status == "failed"
    row = Endpoint.objects.get()
    assert (row.given_up_at, row.failing_since, row.consecutive_failures, row.failure_count) == (None, None, 0, 0)


def test_what_was_read_long_ago_is_read_again(acme, monkeypatch):
    """It may have been switched off."""
    with receiving() as one:
        one.answer = lambda taken: Answer(after=LONG)
        add(acme, one.url)
        make_sites(acme, 6)
        with dispatching():
            assert came(one, 1)
            monkeypatch.setattr(dispatcher, "FRESH", 0.0)
            Delivery.objects.update(status="failed", next_attempt_at=None)
            one.released.set()
            wait_for(lambda: Delivery.objects.filter(status="success").exists())
        assert len(one.taken) == 1


def test_a_lease_is_renewed(acme, endpoint):
    make_sites(acme)
    lease = Dispatcher().lease
    claims.claim(lease)
    Outbox.objects.update(lease_until=now())
    claims.renew(lease)
    assert Outbox.objects.get().lease_until > now() + claims.LEASE / 2


@needs_row_locks
@pytest.mark.parametrize("how", ["by its owner", "by us"])
def test_switching_off_waits_for_what_is_being_told(people, acme, endpoint, how):
    """And closes it, whoever tells without the workspace's lock."""
    product = Product.objects.create(workspace=people.acme, sku="A", title="Tea")

    def switch_off() -> None:
        if how == "by us":
            disable(Endpoint.objects.get(), within_ms=1000 * LONG)
        else:
            acme.patch(f"/api/v1/webhooks/{endpoint['id']}", {"is_active": False})
        connections.close_all()

    switching = threading.Thread(target=switch_off)
    with transaction.atomic():
        tell(operator(people.acme.pk), "product.created", [product])
        switching.start()
        wait_for(lambda: waits_for_a_lock() or not switching.is_alive())
    switching.join()
    assert Delivery.objects.get().status == "failed"


def waits_for_a_lock() -> bool:
    """Whether anybody does, in this database, at this moment of our transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return cursor.fetchone() is not None


def test_what_arrives_after_it_was_switched_off_has_arrived(acme, receiver, dispatch, endpoint):
    def answer(taken) -> Answer:
        Endpoint.objects.update(is_active=False)
        Delivery.objects.update(status="failed", next_attempt_at=None, error="endpoint_disabled")
        connections.close_all()
        return Answer()

    receiver.answer = answer
    make_sites(acme)
    dispatch()
    row = Delivery.objects.get()
    assert (row.status, row.attempts, row.error) == ("success", 1, "")


def test_gone_is_said_of_the_address_that_was_asked(acme, receiver, another, dispatch, endpoint):
    """It has moved meanwhile: the event follows."""

    def gone(taken) -> Answer:
        Endpoint.objects.update(url=another.url)
        connections.close_all()
        return Answer(410)

    receiver.answer = gone
    make_sites(acme)
    dispatch()
    assert Endpoint.objects.get().is_active
    assert Delivery.objects.get().status == "retrying"
    acme.post(f"/api/v1/webhooks/{endpoint['id']}/deliveries/{Delivery.objects.get().pk}/retry")
    dispatch()
    assert another.ids == receiver.ids


def test_not_more_is_held_than_has_room(acme, receiver, dispatch, endpoint, monkeypatch):
    """But for one of each receiver: one that hangs with much to take keeps no other from being told."""
    monkeypatch.setattr(claims, "WEIGHT_OF_OUTBOX", 1)
    make_sites(acme, 3)
    lease = Dispatcher().lease
    claims.claim(lease)
    first = claims.due_parcels(lease, Held(), ())
    assert len(first) == 1
    assert claims.due_parcels(lease, Held(first), ()) == []
    add(acme, receiver.url)
    acme.patch(f"/api/v1/sites/{site_of(acme)}", {"name": "Once more"})
    assert len(claims.due_parcels(lease, Held(first), ())) == 1
    claims.release_all(lease)
    dispatch()
    assert len(receiver.taken) == 5
