"""A real Redis is killed, frozen and comes back under the limiter; and counts for many processes at once."""

import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

import pytest
from redis import Redis
from structlog.testing import capture_logs

from ajansops.kit.limiter import Bucket, Limit
from ajansops.kit.limiter_stores import MemoryStore, RedisStore, SharedStore
from tests.kit.redis_server import RedisServer
from tests.kit.test_limiter import Clock, Counting

PROCESSES, THREADS, CALLS = 3, 4, 50
LIMIT = Limit(80, burst=25)


@pytest.fixture(scope="module")
def machine():
    server = RedisServer()
    yield server
    server.close()


@pytest.fixture
def server(machine):
    """Up, and nothing in it."""
    machine.thaw()
    if machine.process.poll() is not None:
        machine.start()
    with Redis.from_url(machine.url) as client:
        client.flushall()
    return machine


class Client:
    """A web process: how often it asked Redis, and how long its calls took."""

    def __init__(self, server: RedisServer) -> None:
        self.clock, self.redis = Clock(), Counting(RedisStore(server.url, "limit:"))
        self.store = SharedStore(self.redis, MemoryStore(), self.clock)
        self.bucket = Bucket("a", Limit(10_000))

    def call(self, times: int = 1) -> list[int]:
        """What each was told to be the count."""
        return [self.store.hit([self.bucket])[0].used for _ in range(times)]


@pytest.mark.parametrize("outage", ["kill", "freeze"])
def test_calls_go_on_and_one_in_five_seconds_finds_out_that_it_is_still_away(server, outage):
    client = Client(server)
    assert client.call(3) == [1, 2, 3]
    getattr(server, outage)()
    asked = client.redis.calls
    with capture_logs() as logs:
        assert client.call(50) == list(range(1, 51)), "counted here"
        assert client.redis.calls == asked + 1
        for _ in range(11):
            client.clock.now += 5
            client.call(20)
        assert client.redis.calls == asked + 12
    assert [line["event"] for line in logs] == ["limiter_store_away"]


def test_one_that_thaws_is_asked_again_and_has_kept_its_count(server):
    client = Client(server)
    client.call(3)
    server.freeze()
    client.call(5)
    server.thaw()
    assert client.call() == [6], "not before the five seconds are over"
    client.clock.now += 5
    assert client.call()[0] in {4, 5}, "the frozen call may have been counted when it thawed"


def test_one_that_starts_again_is_asked_again_and_begins_anew(server):
    client = Client(server)
    client.call(3)
    server.kill()
    assert client.call(2) == [1, 2]
    server.start()
    client.clock.now += 5
    assert client.call(3) == [1, 2, 3]


def test_one_that_was_restarted_between_two_calls_costs_nobody_anything(server):
    """A connection that ended while nobody used it is no outage."""
    client = Client(server)
    client.call(3)
    server.kill()
    server.start()
    with capture_logs() as logs:
        assert client.call(2) == [1, 2]
    assert logs == []


def test_threads_that_meet_a_frozen_one_wait_once(server):
    client = Client(server)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client.call, [1] * 8))
        server.freeze()
        list(pool.map(client.call, [20] * 8))
    assert client.redis.calls <= 8 + 8, "each thread that was on its way"


# --- many processes -------------------------------------------------------------------------------------------------


def _together(url: str) -> None:
    """Waits for the other processes."""
    with Redis.from_url(url) as client:
        client.incr("ready")
        while int(client.get("ready")) < PROCESSES:
            time.sleep(0.001)


def _by_threads(url: str, hit) -> int:
    _together(url)
    start = threading.Barrier(THREADS)

    def work(_number: int) -> int:
        start.wait()
        return sum(hit() for _ in range(CALLS))

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)))


def counted(url: str) -> int:
    store, bucket = RedisStore(url, "limit:"), Bucket("hot", LIMIT)
    return _by_threads(url, lambda: store.hit([bucket])[0].admitted)


def read_then_written(url: str) -> int:
    client = Redis.from_url(url)

    def hit() -> bool:
        if int(client.get("naive") or 0) >= LIMIT.most:
            return False
        client.incr("naive")
        return True

    return _by_threads(url, hit)


def in_processes(work, url: str) -> int:
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("fork")) as pool:
        return sum(pool.map(work, [url] * PROCESSES))


def test_processes_times_threads_get_the_limit_and_its_burst_and_not_one_more(server):
    assert in_processes(counted, server.url) == LIMIT.most == 100


def test_read_then_write_oversells(server):
    """Positive control: the same callers find the gap."""
    assert in_processes(read_then_written, server.url) > LIMIT.most
