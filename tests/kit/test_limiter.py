"""The sliding window on both stores, and what happens while Redis is away."""

import contextlib
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from redis import Redis, RedisError
from structlog.testing import capture_logs

from ajansops.kit import limiter_stores
from ajansops.kit.limiter import EXACT, Bucket, Limit, Limiter
from ajansops.kit.limiter_stores import BUCKETS, DividedStore, MemoryStore, RedisStore, SharedStore, SplitStore

REDIS = "redis://127.0.0.1:6379/8"
THREADS = 16


class Clock:
    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def redis():
    client = Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except RedisError as error:
        pytest.skip(f"no Redis at {REDIS}: {error}")
    return client


@pytest.fixture
def redis_store(redis):
    prefix = f"ajansops-test:{uuid.uuid4()}:"
    yield RedisStore(REDIS, prefix)
    for key in redis.scan_iter(f"{prefix}*"):
        redis.delete(key)


@pytest.fixture(params=["memory", "redis"])
def store(request):
    return MemoryStore() if request.param == "memory" else request.getfixturevalue("redis_store")


def hits(store, bucket: Bucket, calls: int) -> int:
    """How many of them are admitted."""
    return sum(store.hit([bucket])[0].admitted for _ in range(calls))


def by_threads(hit, calls_each: int = 20) -> int:
    start = threading.Barrier(THREADS)

    def work(_number: int) -> int:
        start.wait()
        return sum(hit() for _ in range(calls_each))

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(work, range(THREADS)))


# --- both stores ------------------------------------------------------------------------------------------------------


def test_it_works(store):
    first = store.hit([Bucket("a", Limit(3))])[0]
    assert (first.used, first.admitted, first.remaining, first.retry_after) == (1, True, 2, 60)
    assert first.now < first.reset <= first.now + 61
    assert hits(store, Bucket("a", Limit(3)), 5) == 2
    refused = store.hit([Bucket("a", Limit(3))])[0]
    assert (refused.admitted, refused.remaining) == (False, 0)
    assert 1 <= refused.retry_after <= 60
    assert store.hit([Bucket("b", Limit(3))])[0].used == 1


def test_the_burst_is_on_top_and_remaining_is_of_the_plain_limit(store):
    bucket = Bucket("a", Limit(10, burst=30))
    told = [store.hit([bucket])[0] for _ in range(14)]
    assert [one.remaining for one in told] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0]
    assert [one.admitted for one in told] == [True] * 13 + [False]


@pytest.mark.parametrize("most", [100, EXACT + 72])
def test_sixteen_threads_get_exactly_what_there_is(store, most):
    bucket = Bucket("hot", Limit(most))
    assert by_threads(lambda: store.hit([bucket])[0].admitted) == most


class Yielding(Limit):
    """Lets other threads in between the look and the count."""

    @property
    def grain(self) -> float:
        time.sleep(0)
        return 0


def test_sixteen_threads_do_not_get_between_look_and_count():
    store, bucket = MemoryStore(), Bucket("hot", Yielding(100))
    assert by_threads(lambda: store.hit([bucket])[0].admitted) == 100


def test_a_naive_limiter_in_memory_oversells():
    """Positive control: the threads above would have found it."""
    used = [0]

    def naive() -> bool:
        seen = used[0]
        time.sleep(0)  # as any input or output between reading and writing
        used[0] += seen < 100
        return seen < 100

    assert by_threads(naive) > 100


def test_a_naive_limiter_in_redis_oversells(redis):
    name = f"ajansops-test:{uuid.uuid4()}"

    def naive() -> bool:
        if int(redis.get(name) or 0) >= 100:
            return False
        redis.incr(name)
        return True

    try:
        assert by_threads(naive) > 100
    finally:
        redis.delete(name)


def test_two_buckets_are_counted_both_or_neither(store):
    narrow, wide = Bucket("narrow", Limit(2)), Bucket("wide", Limit(10))
    for _ in range(5):
        told = store.hit([wide, narrow])
    assert [(one.used, one.admitted) for one in told] == [(2, True), (2, False)]
    assert store.hit([wide])[0].used == 3


def test_threads_over_two_buckets_lose_nothing(store):
    narrow, wide = Bucket("narrow", Limit(50)), Bucket("wide", Limit(1000))
    assert by_threads(lambda: store.hit([wide, narrow])[1].admitted) == 50
    assert store.hit([wide])[0].used == 51


def test_whoever_waits_as_told_is_admitted(store):
    bucket = Bucket("short", Limit(3, seconds=1))
    assert hits(store, bucket, 4) == 3
    refused = store.hit([bucket])[0]
    time.sleep(refused.retry_after)
    assert store.hit([bucket])[0].admitted


# --- the window slides ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [Limit(60), Limit(1000, burst=20)])
@pytest.mark.parametrize("offset", [0.0, 59.9])
def test_no_sixty_seconds_ever_hold_more(limit, offset):
    """Everything at once, then a try every tenth of a second for three minutes, over each boundary."""
    clock = Clock(1_800_000_000.0 + offset)
    store, bucket = MemoryStore(clock), Bucket("a", limit)
    at = [clock.now] * hits(store, bucket, limit.most + 100)
    assert len(at) == limit.most
    for _ in range(1800):
        clock.now += 0.1
        at += [clock.now] * hits(store, bucket, 20)
    assert max(sum(moment - 60 < other <= moment for other in at) for moment in set(at)) == limit.most
    assert len(at) >= 3 * limit.most, "and nobody gets less either"


def test_no_second_in_redis_ever_holds_more(redis_store):
    """The same with Redis's own clock: bursts either side of each boundary of a short window."""
    limit = Limit(40, burst=25, seconds=1)
    at = []
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        told = redis_store.hit([Bucket("a", limit)])[0]
        at += [told.now] * told.admitted
    assert max(sum(moment - 1 < other <= moment for other in at) for moment in at) == limit.most
    assert len(at) > 2 * limit.most


def test_a_steady_caller_at_the_limit_is_never_refused():
    clock = Clock()
    store = MemoryStore(clock)
    for _ in range(600):
        assert store.hit([Bucket("a", Limit(60))])[0].admitted
        clock.now += 1.0


def test_a_large_window_stays_small_in_redis(redis_store, redis):
    bucket = Bucket("big", Limit(100_000, seconds=1))
    ends = time.monotonic() + 2
    while time.monotonic() < ends:
        told = redis_store.hit([bucket])[0]
    key = redis_store._prefix + "big"
    assert redis.llen(key) <= EXACT + 3
    assert told.used > EXACT
    assert 0 < redis.pttl(key) <= 1000, "an idle bucket goes by itself"


def test_memory_is_bounded():
    store = MemoryStore()
    for number in range(BUCKETS + 100):
        store.hit([Bucket(str(number), Limit(1))])
    assert len(store._windows) == BUCKETS
    clock = Clock()
    store, bucket = MemoryStore(clock), Bucket("big", Limit(100_000, burst=100))
    for _ in range(20_000):
        clock.now += 0.01
        store.hit([bucket])
    assert len(store._windows["big"].entries) <= EXACT + 1


# --- what was refused is remembered -----------------------------------------------------------------------------------


class Counting:
    def __init__(self, store) -> None:
        self.store, self.calls = store, 0

    def hit(self, buckets):
        self.calls += 1
        return self.store.hit(buckets)


def test_a_flood_is_refused_without_asking_the_store():
    clock = Clock()
    store = Counting(MemoryStore(clock))
    limiter = Limiter(store, clock)
    bucket = Bucket("a", Limit(2))
    told = [limiter.hit([bucket]) for _ in range(100)]
    assert sum(one.admitted for one in told) == 2
    assert store.calls == 3
    clock.now += 20.5
    again = limiter.hit([bucket, Bucket("b", Limit(5))])
    assert (again.admitted, again.retry_after, again.reset) == (False, 40, told[-1].reset)
    clock.now += again.retry_after
    assert limiter.hit([bucket]).admitted
    assert limiter.hit([Bucket("a", Limit(99))]).admitted, "another plan is asked anew"


def test_the_tightest_bucket_is_the_one_that_is_told():
    limiter = Limiter(MemoryStore())
    wide, narrow = Bucket("wide", Limit(10)), Bucket("narrow", Limit(2))
    assert [limiter.hit([wide, narrow]).bucket.name for _ in range(4)] == ["narrow"] * 4


# --- several counters -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limit", "among", "together"),
    [
        (Limit(60), 1, 60),
        (Limit(60), 4, 60),
        (Limit(60), 7, 56),
        (Limit(1000, burst=20), 3, 1200),
        (Limit(5), 2, 4),
        (Limit(2), 5, 5),  # one each is the least
    ],
)
def test_processes_apart_admit_together_what_one_would(limit, among, together):
    stores = [DividedStore(MemoryStore(), among) for _ in range(among)]
    assert sum(hits(store, Bucket("a", limit), limit.most + 5) for store in stores) == together


def test_a_share_is_told_as_the_whole():
    store, bucket = DividedStore(MemoryStore(), 2), Bucket("a", Limit(10))
    told = [store.hit([bucket])[0] for _ in range(6)]
    assert [one.remaining for one in told] == [8, 6, 4, 2, 0, 0]
    assert [one.admitted for one in told] == [True] * 5 + [False]
    assert {one.bucket for one in told} == {bucket}


def test_sensitive_buckets_are_counted_together_and_the_others_apart():
    together, limits = MemoryStore(), [Bucket("door", Limit(3), sensitive=True), Bucket("hall", Limit(3))]
    processes = [SplitStore(MemoryStore(), together) for _ in range(2)]
    assert sum(hits(store, limits[0], 5) for store in processes) == 3
    assert sum(hits(store, limits[1], 5) for store in processes) == 6
    refused = Limiter(processes[0]).hit(limits)
    assert (refused.bucket.name, refused.admitted) == ("hall", False)
    assert together.hit([limits[0]])[0].used == 3, "what is refused in the hall does not knock at the door"


# --- Redis is away ----------------------------------------------------------------------------------------------------


@contextmanager
def silent_server():
    """Never answers. Its port, and how many have connected since that was last asked."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        server.setblocking(False)

        def connected() -> int:
            count = 0
            with contextlib.suppress(BlockingIOError):
                while True:
                    server.accept()[0].close()
                    count += 1
            return count

        yield server.getsockname()[1], connected


def shared(url: str, clock=time.monotonic) -> SharedStore:
    return SharedStore(RedisStore(url, "ajansops-test:"), MemoryStore(), clock)


def test_a_closed_port_fails_over_to_this_process():
    store, bucket = shared("redis://127.0.0.1:1/0"), Bucket("a", Limit(5))
    assert hits(store, bucket, 50) == 5


def test_a_server_that_never_answers_is_waited_for_once():
    with silent_server() as (port, connected):
        store, bucket = shared(f"redis://127.0.0.1:{port}/0", Clock()), Bucket("a", Limit(5))
        assert by_threads(lambda: store.hit([bucket])[0].admitted) == 5
        assert connected() > 0
        by_threads(lambda: store.hit([bucket])[0].admitted)
        assert connected() == 0


class Flaky:
    def __init__(self) -> None:
        self.calls, self.well = 0, False

    def hit(self, buckets):
        self.calls += 1
        if not self.well:
            raise RedisError("away")
        return MemoryStore().hit(buckets)


def test_while_it_is_away_one_caller_asks_every_five_seconds_and_it_is_logged_once_a_minute():
    clock, redis = Clock(), Flaky()
    store, bucket = SharedStore(redis, MemoryStore(), clock), Bucket("a", Limit(10_000))
    with capture_logs() as logs:
        for _ in range(590):  # 59 seconds
            store.hit([bucket])
            clock.now += 0.1
        assert redis.calls == 12
        assert [line["event"] for line in logs] == ["limiter_store_away"]
        clock.now += 5
        store.hit([bucket])
        assert len(logs) == 2
    clock.now += 5
    redis.well = True
    before = redis.calls
    for _ in range(10):
        store.hit([bucket])
    assert redis.calls == before + 10, "and then it is asked again"


def test_of_many_callers_one_finds_out_whether_it_is_back():
    class Slow(Flaky):
        def hit(self, buckets):
            time.sleep(0.05)
            return super().hit(buckets)

    clock, redis = Clock(), Slow()
    store, bucket = SharedStore(redis, MemoryStore(), clock), Bucket("a", Limit(10_000))
    store.hit([bucket])
    clock.now += 5
    by_threads(lambda: store.hit([bucket])[0].admitted)
    assert redis.calls == 2


def test_it_comes_back_by_itself(redis_store):
    clock = Clock()
    store = SharedStore(redis_store, MemoryStore(), clock)
    store._breaker.failed(RedisError("away"))
    bucket = Bucket("a", Limit(10))
    assert store.hit([bucket])[0].used == 1
    clock.now += 5
    assert store.hit([bucket])[0].used == 1, "Redis has not heard of the first"
    assert store.hit([bucket])[0].used == 2


def test_a_redis_that_was_flushed_or_has_something_else_there_breaks_nothing(redis, redis_store, monkeypatch):
    bucket = Bucket("a", Limit(2))
    redis.set(redis_store._prefix + "a", "not a list")
    assert SharedStore(redis_store, MemoryStore()).hit([bucket])[0].admitted
    monkeypatch.setattr(limiter_stores, "DIGEST", "0" * 40)  # as after SCRIPT FLUSH, which others would feel
    redis.delete(redis_store._prefix + "a")
    assert hits(redis_store, bucket, 3) == 2
