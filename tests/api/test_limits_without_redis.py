"""Several processes without Redis, or with one that is away: nobody gets more, and no door is left open."""

import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.conf import settings as product
from django.core.cache import caches
from django.db import connection
from django.test import Client
from structlog.testing import capture_logs

from ajansops import cache
from ajansops.api import throttling
from ajansops.api.models import CachedCount, CallWindow
from ajansops.api.windows import DatabaseStore, forget_old_windows
from ajansops.kit import breaker
from ajansops.kit.clock import now
from ajansops.kit.limiter import EXACT, Bucket, Limit
from ajansops.supervisor import Stack
from tests.api.test_rate_limits import left, tight
from tests.conftest import Api
from tests.kit.redis_server import RedisServer
from tests.kit.test_limiter import Clock, Counting, hits

__all__ = ["tight"]

pytestmark = pytest.mark.urls("tests.api.limited_urls")

CORE = "/api/v1/probe"
CLOSED = "redis://127.0.0.1:1/0"
WITHOUT = [("", 2), (CLOSED, 1), (CLOSED, 2)]
THREADS = 6


@pytest.fixture
def live(settings):
    """`live(redis_url, processes)`"""

    def configure(redis_url: str, processes: int) -> None:
        settings.ENV = replace(settings.ENV, redis_url=redis_url, web_workers=processes)

    return configure


def in_turn(calls: int, call, processes: int = 2) -> list[int]:
    """Statuses of so many calls of each of the processes, one process after the other."""
    seen = []
    for _ in range(processes):
        throttling.limiter_at.cache_clear()
        seen += [call().status_code for _ in range(calls)]
    return seen


# --- the general limit ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("redis_url", ["", CLOSED])
def test_each_of_two_processes_admits_half(acme, tight, live, redis_url):
    live(redis_url, 2)
    assert in_turn(3, lambda: acme.get(CORE)) == [200, 200, 429] * 2, "four, as one process would"


def test_one_process_without_redis_admits_all(acme, tight, live):
    live("", 1)
    assert in_turn(5, lambda: acme.get(CORE), processes=1) == [200] * 4 + [429]


def test_headers_tell_of_the_whole_limit(acme, live):
    live("", 4)
    answers = [acme.get(CORE) for _ in range(2)]
    assert [(answer["X-RateLimit-Limit"], left(answer)) for answer in answers] == [
        ("100000", 100_000 - 4),
        ("100000", 100_000 - 8),
    ]


def test_up_tells_its_processes_how_many_they_are():
    assert Stack(port=1, workers=3)._environ["WEB_WORKERS"] == "3"
    web = re.search(r"^web: (.*)$", (product.BASE_DIR / "Procfile").read_text(), re.MULTILINE)[1]
    assert re.findall(r"\$\{WEB_WORKERS:-\d\}", web) == ["${WEB_WORKERS:-2}"] * 2, "told, and started"


# --- addresses without a credential -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("redis_url", "processes"), WITHOUT)
@pytest.mark.parametrize("key", ["", "sk_live_wrong"])
def test_wrong_keys_are_counted_by_all_processes_together(db, tight, live, redis_url, processes, key):
    live(redis_url, processes)
    assert in_turn(2, lambda: Api(key=key).get(CORE)) == [401, 401, 401, 429]


def test_guessing_at_the_studio_login_is_counted_together(db, tight, live):
    live(CLOSED, 2)
    body = {"apiKey": "sk_live_wrong", "workspaceId": "1"}
    assert in_turn(2, lambda: Api().post("/v1/auth/login", body)) == [401, 401, 401, 429]


def test_a_flood_from_a_full_address_writes_nothing(db, tight, live, django_assert_num_queries):
    live(CLOSED, 1)
    in_turn(4, lambda: Api().get(CORE), processes=1)
    with django_assert_num_queries(0):
        assert Api().get(CORE).status_code == 429


def test_a_good_credential_writes_nothing(acme, live):
    live(CLOSED, 2)
    acme.get(CORE)
    assert not CallWindow.objects.exists()


# --- the store --------------------------------------------------------------------------------------------------------


def by_threads(hit, calls_each: int = 10) -> int:
    start = threading.Barrier(THREADS)

    def work(_number: int) -> int:
        start.wait()
        try:
            return sum(hit() for _ in range(calls_each))
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)))


@pytest.mark.django_db(transaction=True)
def test_threads_get_exactly_what_there_is_in_the_database():
    one, two = Bucket("one", Limit(20)), Bucket("two", Limit(40))
    stores = [DatabaseStore() for _ in range(2)]
    assert by_threads(lambda: stores[0].hit([one, two])[0].admitted) == 20
    assert by_threads(lambda: stores[1].hit([two])[0].admitted) == 20, "refused ones used up nothing of the other"


@pytest.mark.django_db(transaction=True)
def test_reading_and_then_writing_in_the_database_oversells():
    """Positive control: these threads find the gap."""
    CallWindow.objects.create(name="naive", entries=[], updated_at=now())

    def naive() -> bool:
        row = CallWindow.objects.get(name="naive")
        if len(row.entries) >= 20:
            return False
        time.sleep(0.001)
        CallWindow.objects.filter(name="naive").update(entries=[*row.entries, 1])
        return True

    assert by_threads(naive) > 20


@pytest.mark.parametrize("limit", [Limit(20), Limit(250, burst=20)])
def test_the_window_in_the_database_slides(db, limit):
    clock = Clock()
    store, bucket = DatabaseStore(clock), Bucket("a", limit)
    at = [clock.now] * hits(store, bucket, limit.most + 1)
    for _ in range(26):
        clock.now += 2.5
        at += [clock.now] * hits(store, bucket, 20)
    assert max(sum(moment - 60 < other <= moment for other in at) for moment in set(at)) == limit.most
    assert len(at) > limit.most, "what left it is free again"
    assert len(CallWindow.objects.get(name="a").entries) <= EXACT + 1


def test_what_no_limit_asks_for_is_forgotten(db):
    DatabaseStore().hit([Bucket("old", Limit(1)), Bucket("new", Limit(1))])
    CallWindow.objects.filter(name="old").update(updated_at=now() - timedelta(days=2))
    for name, hours in (("gone", -1), ("kept", 1)):
        CachedCount.objects.create(cache_key=name, value="", expires=now() + timedelta(hours=hours))
    assert forget_old_windows() == {"windows": 1, "counts": 1}
    assert CallWindow.objects.get().name == "new"
    assert CachedCount.objects.get().cache_key == "kept"


# --- sign-in and passwords --------------------------------------------------------------------------------------------

REDIS_AWAY = {"BACKEND": "ajansops.cache.RedisOrLocalCache", "LOCATION": CLOSED}


@pytest.fixture(params=["none", "away"])
def other_process(request, settings, db):
    """`other_process()`: from now on another one answers, with nothing in its memory."""
    settings.CACHES = {"default": REDIS_AWAY if request.param == "away" else {"BACKEND": "ajansops.cache.OwnCache"}}

    def become() -> None:
        backend = caches["default"]
        getattr(backend, "_own", backend)._memory.clear()
        cache.breaker.cache_clear()

    become()
    return become


def sign_in(password: str, peer: str = "192.0.2.1"):
    client = Client(REMOTE_ADDR=peer)
    return client.post("/accounts/login/", {"login": "alice@example.org", "password": password})


def test_wrong_passwords_are_counted_by_all_processes_together(people, other_process):
    for number in range(5):
        other_process()
        assert sign_in("wrong", peer=f"192.0.2.{number}").status_code == 200
    other_process()
    answer = sign_in("alice-password")
    assert (answer.status_code, "Too many failed login attempts" in answer.content.decode()) == (200, True)


def test_without_five_wrong_ones_the_right_password_opens(people, other_process):
    for _ in range(4):
        other_process()
        sign_in("wrong")
    other_process()
    assert sign_in("alice-password").status_code == 302


def test_mails_that_reset_a_password_are_counted_by_all_processes_together(people, other_process, mailoutbox):
    for number in range(7):
        other_process()
        Client(REMOTE_ADDR=f"192.0.2.{number}").post("/accounts/password/reset/", {"email": "alice@example.org"})
    assert len(mailoutbox) == 5


def test_what_else_is_cached_stays_in_the_process(other_process):
    backend = caches["default"]
    backend.set("anything", 1)
    assert backend.get("anything") == 1
    other_process()
    assert backend.get("anything") is None
    assert not CachedCount.objects.exists()


# --- a Redis of our own, through HTTP ---------------------------------------------------------------------------------


@pytest.fixture
def server():
    machine = RedisServer()
    yield machine
    machine.close()


def test_a_frozen_redis_slows_one_call_and_refuses_none(acme, live, server, monkeypatch):
    live(server.url, 1)
    store = throttling.limiter()._store
    store._shared = redis = Counting(store._shared)
    assert [left(acme.get(CORE)) for _ in range(2)] == [99_999, 99_998]
    server.freeze()
    with capture_logs() as logs:
        answers = [acme.get(CORE) for _ in range(20)]
    assert {answer.status_code for answer in answers} == {200}
    assert redis.calls == 2 + 1
    assert [line["event"] for line in logs if "away" in line["event"]] == ["limiter_store_away"]
    server.thaw()
    monkeypatch.setattr(breaker, "PAUSE_SECONDS", 0)
    store._breaker._ask_again = 0
    assert left(acme.get(CORE)) in {99_997, 99_996}, "it has kept the first two, and perhaps heard of the third"


def test_people_sign_in_while_redis_is_frozen(people, live, server, settings):
    timeouts = {"OPTIONS": {"SOCKET_TIMEOUT": 0.2, "SOCKET_CONNECT_TIMEOUT": 0.2}}
    settings.CACHES = {"default": REDIS_AWAY | {"LOCATION": server.url} | timeouts}
    live(server.url, 1)
    server.freeze()
    with capture_logs() as logs:
        assert sign_in("alice-password").status_code == 302
    assert [line["event"] for line in logs if line["event"] == "cache_away"] == ["cache_away"], "waited for once"
