"""Limits that count in the database: over all processes, without Redis, for what must never be let off."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from time import time

from django.db import transaction

from ajansops.api.models import CachedCount, CallWindow
from ajansops.kit.clock import now
from ajansops.kit.limiter import Bucket, Standing
from ajansops.kit.limiter_stores import Entry, Window, count

KEPT = timedelta(days=1)  # longer than any window


class DatabaseStore:
    """A row a bucket, locked while it is counted: three statements and a commit, one or two milliseconds.

    Told by this machine's clock, read under the lock; machines should keep the same time.
    """

    def __init__(self, clock: Callable[[], float] = time) -> None:
        self._clock = clock

    @transaction.atomic
    def hit(self, buckets: Sequence[Bucket]) -> list[Standing]:
        """As `Store.hit`. Not in a transaction that may be rolled back."""
        rows = _locked(bucket.name for bucket in buckets)
        windows = [(bucket, _read(rows[bucket.name])) for bucket in buckets]
        standings = count(windows, self._clock())
        if all(standing.admitted for standing in standings):
            for bucket, window in windows:
                rows[bucket.name].entries = [[entry.first, entry.last, entry.calls] for entry in window.entries]
            CallWindow.objects.bulk_update(rows.values(), ["entries"])
        return standings


def forget_old_windows() -> dict[str, int]:
    """What no limit asks for any more."""
    windows, _ = CallWindow.objects.filter(updated_at__lt=now() - KEPT).delete()
    counts, _ = CachedCount.objects.filter(expires__lt=now()).delete()
    return {"windows": windows, "counts": counts}


def _locked(names: Iterable[str]) -> dict[str, CallWindow]:
    """The upsert locks them, in one order for everybody, and keeps them from being forgotten meanwhile."""
    wanted = [CallWindow(name=name, updated_at=now()) for name in sorted(names)]
    CallWindow.objects.bulk_create(wanted, update_conflicts=True, unique_fields=["name"], update_fields=["updated_at"])
    return CallWindow.objects.in_bulk([row.name for row in wanted])


def _read(row: CallWindow) -> Window:
    entries = deque(Entry(*entry) for entry in row.entries)
    return Window(entries, sum(entry.calls for entry in entries))
