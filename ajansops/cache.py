"""The cache on Redis, which outlives Redis."""

from time import monotonic
from typing import Any

import structlog
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache
from django_redis.exceptions import ConnectionInterrupted
from redis import RedisError

PAUSE_SECONDS = 5  # without asking Redis, once it did not answer

log = structlog.get_logger(__name__)


class RedisOrLocalCache(BaseCache):
    """While Redis is away each process has a cache of its own, so that whoever counts or locks in it still does.

    django-redis can ignore errors instead, but then `add` is False, which allauth's limits take for "too many": nobody
    could sign in.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._redis: Any = RedisCache(server, params)
        self._local = LocMemCache("while-redis-is-away", params)
        self._away_until = 0.0

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
        if monotonic() >= self._away_until:
            try:
                return getattr(self._redis, name)(*args, **options)
            except (ConnectionInterrupted, RedisError) as error:
                self._away_until = monotonic() + PAUSE_SECONDS
                log.warning("cache_away", error=str(error))
        return getattr(self._local, name)(*args, **options)
