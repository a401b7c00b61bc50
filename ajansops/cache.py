"""The cache: on Redis and outliving it, or in the process; what counts attempts to sign in is in neither alone."""

from collections.abc import Callable
from functools import cache
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import DatabaseCache
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted
from redis import RedisError

from ajansops.kit.breaker import Breaker

COUNTS = "allauth"  # attempts to sign in, to reset a password, …, the locks of these counts, codes that were used
TABLE = "api_cachedcount"
MANY = 1_000_000  # never culled at random, which would forget a count: a periodic task removes what has expired


class DelegatingCache(BaseCache):
    """One that asks another. `_call` says which."""

    def add(self, *args: Any, **options: Any) -> bool:
        """As Django documents it, and so the others."""
        return bool(self._call("add", *args, **options))

    def get(self, *args: Any, **options: Any) -> Any:
        """The value or the default."""
        return self._call("get", *args, **options)

    def set(self, *args: Any, **options: Any) -> None:
        """Store."""
        self._call("set", *args, **options)

    def touch(self, *args: Any, **options: Any) -> bool:
        """A new expiry."""
        return bool(self._call("touch", *args, **options))

    def delete(self, *args: Any, **options: Any) -> bool:
        """Forget."""
        return bool(self._call("delete", *args, **options))

    def incr(self, *args: Any, **options: Any) -> int:
        """Atomic in Redis, and in the process."""
        return int(self._call("incr", *args, **options))

    def has_key(self, *args: Any, **options: Any) -> bool:
        """Whether it is there."""
        return bool(self._call("has_key", *args, **options))

    def clear(self) -> None:
        """Everything under our prefix."""
        self._call("clear")

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        raise NotImplementedError


class OwnCache(DelegatingCache):
    """In this process, but for counts: whoever guesses passwords would have so many tries in each process.

    Those are in the database, some ten short statements beside a password's hash.
    """

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._memory = LocMemCache(name, params)
        self._database = DatabaseCache(TABLE, params | {"OPTIONS": {"MAX_ENTRIES": MANY}})

    def clear(self) -> None:
        """Everything, also what other processes counted."""
        self._memory.clear()
        self._database.clear()

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        key = str(args[0] if args else options["key"])
        return getattr(self._database if key.startswith(COUNTS) else self._memory, name)(*args, **options)


class RedisOrLocalCache(DelegatingCache):
    """While Redis is away each process has a cache of its own, so that whoever counts or locks in it still does.

    django-redis can ignore errors instead, but then `add` is False, which allauth's limits take for "too many": nobody
    could sign in.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis: Any = RedisCache(server, params)
        self._own = OwnCache("while-redis-is-away", params)
        self._breaker = breaker(server)

    def clear(self) -> None:
        """What is under our prefix: the same Redis keeps the limits, and perhaps the broker's queue."""
        self._ask(lambda: self._redis.delete_pattern("*"), self._own.clear)

    def _call(self, name: str, *args: Any, **options: Any) -> Any:
        redis, own = getattr(self._redis, name), getattr(self._own, name)
        return self._ask(lambda: redis(*args, **options), lambda: own(*args, **options))

    def _ask(self, redis: Callable[[], Any], own: Callable[[], Any]) -> Any:
        if self._breaker.may_ask():
            try:
                answer = redis()
            except (ConnectionInterrupted, RedisError) as error:
                self._breaker.failed(error)
            else:
                self._breaker.worked()
                return answer
        return own()


@cache
def breaker(_server: str) -> Breaker:
    """One a process: Django makes a cache for each thread, and each would wait for itself."""
    return Breaker("cache_away")
