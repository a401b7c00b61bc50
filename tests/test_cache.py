"""The cache while Redis is away: nobody is shut out, and limits go on counting."""

import os

import pytest
from django.core.cache import caches
from redis import Redis

from ajansops.cache import RedisOrLocalCache
from tests.conftest import Api

CLOSED = "redis://127.0.0.1:9/0"
OPTIONS = {"OPTIONS": {"SOCKET_TIMEOUT": 1, "SOCKET_CONNECT_TIMEOUT": 1}}
REDIS = os.environ.get("REDIS_URL", "")


def servers() -> list:
    return [CLOSED, *([REDIS] if REDIS else [])]


@pytest.mark.parametrize("server", servers())
def test_it_works(server):
    cache = RedisOrLocalCache(server, OPTIONS | {"KEY_PREFIX": "test-cache"})
    cache.delete("k")
    assert cache.add("k", 1) is True
    assert cache.add("k", 2) is False
    assert (cache.get("k"), cache.incr("k"), cache.has_key("k"), cache.touch("k", 60)) == (1, 2, True, True)
    assert cache.get("other", "default") == "default"
    cache.set("k", [1])
    assert cache.get_many(["k", "other"]) == {"k": [1]}
    assert cache.delete("k") is True
    assert cache.get("k") is None


@pytest.mark.skipif(not REDIS, reason="Redis only")
def test_clearing_leaves_what_others_keep_in_the_same_redis():
    """Limits, and the broker's queue."""
    with Redis.from_url(REDIS) as redis:
        redis.set("test-others", 1, ex=60)
        cache = RedisOrLocalCache(REDIS, OPTIONS | {"KEY_PREFIX": "test-clear"})
        cache.set("k", 1)
        cache.clear()
        assert cache.get("k") is None
        assert redis.delete("test-others") == 1


@pytest.fixture
def no_redis(settings):
    backend = {"BACKEND": "ajansops.cache.RedisOrLocalCache", "LOCATION": CLOSED, **OPTIONS}
    settings.CACHES = {"default": backend}
    yield
    caches["default"].clear()


def test_people_sign_in_without_redis_and_guessing_is_still_limited(people, no_redis):
    def sign_in(password: str) -> int:
        client = Api().client
        client.post("/accounts/login/", {"login": "alice@example.org", "password": password})
        return client.get("/api/v1/sites").status_code

    assert sign_in("alice-password") == 200
    for _ in range(15):
        assert sign_in("guess") == 401
    assert sign_in("alice-password") == 401, "too many failed attempts"
