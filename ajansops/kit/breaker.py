"""Somebody whom we can do without, and who may be away: Redis."""

from collections.abc import Callable
from threading import Lock
from time import monotonic

import structlog

PAUSE_SECONDS = 5  # without asking, once there was no answer
LOG_SECONDS = 60

log = structlog.get_logger(__name__)


class Breaker:
    """While they are away one caller asks every few seconds, and the others do not wait. Logged once a minute."""

    def __init__(self, event: str, clock: Callable[[], float] = monotonic) -> None:
        self._event, self._clock = event, clock
        self._lock = Lock()
        self._down = False
        self._ask_again = 0.0
        self._log_again = 0.0

    def may_ask(self) -> bool:
        """Whether it is this caller who asks."""
        if not self._down:
            return True
        with self._lock:
            if self._clock() < self._ask_again:
                return False
            self._ask_again = self._clock() + PAUSE_SECONDS
            return True

    def worked(self) -> None:
        """They are there."""
        self._down = False

    def failed(self, error: Exception) -> None:
        """They are away, or too slow."""
        with self._lock:
            now = self._clock()
            self._down, self._ask_again = True, now + PAUSE_SECONDS
            quiet = now < self._log_again
            if not quiet:
                self._log_again = now + LOG_SECONDS
        if not quiet:
            log.warning(self._event, error=str(error))
