"""What piles up and nobody needs: expired sessions, old runs of tasks, items of old jobs, the embedded broker's read
messages.
"""

import time

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore

from ajansops.kit.periodic import Periodic
from ajansops.kit.slots import Every
from jobs.periodic import forget_runs
from jobs.retention import forget_items

KEEP_MESSAGES = 3600  # seconds


def housekeep() -> dict[str, int]:
    """Idempotent."""
    SessionStore.clear_expired()
    return {
        "messages_removed": _remove_read_messages(),
        "runs_removed": forget_runs(),
        "items_removed": forget_items(),
    }


def _remove_read_messages() -> int:
    old = time.time() - KEEP_MESSAGES
    files = [f for f in (settings.VAR_DIR / "broker" / "processed").glob("*.msg") if f.stat().st_mtime < old]
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


HOUSEKEEPING = Periodic("housekeeping", Every(3600), housekeep)
