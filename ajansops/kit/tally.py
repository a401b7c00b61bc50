"""How many calls each workspace makes: counted in the process, written down every few seconds.

No call waits for it or fails by it. So it lags by seconds, and a process that is killed forgets its last ones.
"""

import threading
from collections import Counter
from time import sleep

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import Error, connection

from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, entitlements

log = structlog.get_logger(__name__)


class Tally:
    """Of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: Counter[int] = Counter()
        self._thread: threading.Thread | None = None

    def add(self, workspace_id: int) -> None:
        """One call. The first starts the thread that writes: in the process that serves, not in one that forks."""
        with self._lock:
            self._calls[workspace_id] += 1
            if self._thread is None and settings.CALLS_WRITTEN_EVERY:
                self._thread = threading.Thread(target=self._write_for_ever, name="tally", daemon=True)
                self._thread.start()

    def write(self) -> None:
        """In a line of the ledger for each workspace and hour. What cannot be written now is kept for the next time."""
        with self._lock:
            calls, self._calls = self._calls, Counter()
        for workspace_id, count in calls.items():
            try:
                entitlements().record(workspace_id, Feature.API_CALLS, count, f"calls:{now():%Y-%m-%dT%H}")
            except ObjectDoesNotExist:
                pass  # the workspace is gone for good
            except Error as error:
                log.warning("calls_not_written", error=str(error))
                with self._lock:
                    self._calls[workspace_id] += count

    def _write_for_ever(self) -> None:
        while seconds := settings.CALLS_WRITTEN_EVERY:
            sleep(seconds)
            try:
                self.write()
            except Exception:
                log.exception("calls_lost")
            finally:
                connection.close()


CALLS = Tally()
