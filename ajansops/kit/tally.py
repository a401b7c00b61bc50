"""How many calls each workspace makes: counted in the process, written down every few seconds, refused at the limit.

No call waits for the database. How the meter stands is what the process has last read, and its own calls since; what
other processes have admitted meanwhile it learns with its next writing (docs/decisions/0012).
"""

import threading
import time
from collections import Counter

import structlog
from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import Error, connection, transaction

from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, FeatureLimitReached, Meter, entitlements
from ajansops.kit.plans import plans
from ajansops.kit.tenancy import lock_workspace_soon

log = structlog.get_logger(__name__)

PAUSE = 0.1  # seconds between two writings, whoever asks
LEAST_FRESH = 5.0  # seconds for which a reading holds, however often it is written
KEPT = 10_000  # workspaces of which it is known how they stand


class Tally:
    """Of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = threading.Event()
        self._calls: Counter[int] = Counter()  # a workspace that was only refused is in it with 0
        self._in_writing: Counter[int] = Counter()
        self._known: dict[int, tuple[Meter, float]] = {}  # with the moment of reading
        self._thread: threading.Thread | None = None

    def add(self, workspace_id: int) -> None:
        """One call. Raises `FeatureLimitReached`, and counts nothing, when the plan allows no more.

        The first starts the thread that writes: in the process that serves, not in one that forks.
        """
        with self._lock:
            meter = self._fresh(workspace_id)
            since = self._calls[workspace_id] + self._in_writing[workspace_id]
            full = meter is not None and not meter.has(since + 1) and now() < meter.resets_at
            self._calls[workspace_id] += not full
            if self._thread is None and settings.CALLS_WRITTEN_EVERY:
                self._thread = threading.Thread(target=self._write_for_ever, name="tally", daemon=True)
                self._thread.start()
        if meter is None:
            self._asked.set()  # about a stranger we ask at once
        elif full:
            raise FeatureLimitReached(Feature.API_CALLS, plans().upgrade_url(workspace_id), meter.resets_at)

    def _fresh(self, workspace_id: int) -> Meter | None:
        """How it stood a moment ago. Of who has not called for a while nothing is known: they may have another plan."""
        meter, read_at = self._known.get(workspace_id, (None, 0.0))
        return meter if time.monotonic() - read_at < max(2 * settings.CALLS_WRITTEN_EVERY, LEAST_FRESH) else None

    def write(self) -> None:
        """In a line of the ledger for each workspace and hour. What cannot be written now is kept for the next time."""
        with self._lock:
            calls, self._calls = self._calls, Counter()
            self._in_writing = calls.copy()
        for workspace_id, count in calls.items():
            try:
                meter = _written(workspace_id, count)
            except ObjectDoesNotExist:
                self._note(workspace_id, None)  # the workspace is gone for good
            except Error as error:
                log.warning("calls_not_written", error=str(error))
                with self._lock:
                    self._calls[workspace_id] += self._in_writing.pop(workspace_id)
            else:
                self._note(workspace_id, meter)

    def _note(self, workspace_id: int, meter: Meter | None) -> None:
        """What was written is known now, and is not to be counted twice."""
        with self._lock:
            del self._in_writing[workspace_id]
            if len(self._known) >= KEPT and workspace_id not in self._known:
                self._known.clear()
            if meter is not None:
                self._known[workspace_id] = meter, time.monotonic()

    def _write_for_ever(self) -> None:
        while seconds := settings.CALLS_WRITTEN_EVERY:
            self._asked.wait(seconds)
            self._asked.clear()
            try:
                self.write()
            except Exception:
                log.exception("calls_lost")
            finally:
                connection.close()
            time.sleep(PAUSE)


def _written(workspace_id: int, count: int) -> Meter:
    if not count:
        return entitlements().meter(workspace_id, Feature.API_CALLS)
    with transaction.atomic():
        lock_workspace_soon(workspace_id)  # one that is busy does not hold up what is known of the others
        return entitlements().record(workspace_id, Feature.API_CALLS, count, f"calls:{now():%Y-%m-%dT%H}")


CALLS = Tally()
