"""How often somebody may do something rare and costly. Exact under concurrency, on any database, without Redis."""

import math
from datetime import timedelta

from accounts.models import ActionWindow
from ajansops.kit.clock import now
from ajansops.kit.errors import RateLimited

KEPT = timedelta(days=1)  # longer than any window


def count_action(key: str, *, most: int, within: timedelta) -> None:
    """Raise `RateLimited` when it was done `most` times within the last `within`; else count it.

    Call it in the transaction of the action: one that fails is not counted, and parallel ones wait for each other.
    """
    moment = now().timestamp()
    ActionWindow.objects.bulk_create([ActionWindow(key=key)], ignore_conflicts=True)
    window = ActionWindow.objects.select_for_update().get(key=key)
    times = [time for time in window.times if time > moment - within.total_seconds()]
    if len(times) >= most:
        wait = math.ceil(times[0] + within.total_seconds() - moment)
        raise RateLimited(retry_after=max(1, wait), limit=most, remaining=0)
    window.times = [*times, moment]
    window.save()


def forget_old_actions() -> int:
    """Rows whose window is long over."""
    deleted, _ = ActionWindow.objects.filter(updated_at__lt=now() - KEPT).delete()
    return deleted
