"""Points at which a process kills itself, put around public functions from here: the product has no hook for it.

The harness arms a point by making the file `armed/ROLE.POINT`. The process that takes the file away at the point is
the one that dies there, and says so in `deaths` first. `CHAOS_GUARD_OFF` takes one guard out of the product.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any
from uuid import UUID

from celery import Celery
from django.db.backends.base.base import BaseDatabaseWrapper

from ajansops.kit.clock import now
from jobs import claims, engine, outcomes

FOLDER = Path(os.environ["CHAOS_FOLDER"])
GUARD_OFF = os.environ.get("CHAOS_GUARD_OFF", "")
LEASE = float(os.environ.get("CHAOS_LEASE", "0"))  # seconds, where 30 are too long to wait for

WORKER_POINTS = (
    "before_claim",
    "after_claim",
    "in_load",
    "before_call",
    "after_call",
    "before_save",
    "before_effect",
    "after_effect",
    "before_commit",
    "after_commit",
    "after_save",
    "in_drained",
    "before_renew",
    "before_release",
    "after_release",
    "before_sweep",
    "after_sweep",
    "before_end",
    "after_end",
)
WEB_POINTS = ("before_commit", "after_commit", "before_announce", "after_announce")


def role() -> str:
    """Of this process, by its command line; `harness` is none of the product's."""
    if sys.argv[0].endswith("uvicorn/__main__.py"):
        return "web"
    if sys.argv[0].endswith("celery/__main__.py"):
        return "worker" if "worker" in sys.argv else "scheduler"
    return "harness"


ROLE = role()


def die_at(point: str) -> None:
    """Returns only when the point is not armed."""
    try:
        (FOLDER / "armed" / f"{ROLE}.{point}").unlink()
    except FileNotFoundError:
        return
    with (FOLDER / "deaths").open("a") as log:
        log.write(f"{time.time()} {os.getpid()} {ROLE}.{point}\n")
    os.kill(os.getpid(), signal.SIGKILL)


def install() -> None:
    """Called once all apps are ready."""
    if ROLE == "harness":
        return
    around(BaseDatabaseWrapper, "commit", "commit")
    around(Celery, "send_task", "announce")
    around(claims, "claim", "claim")
    around(claims, "renew", "renew")
    around(claims, "release", "release")
    around(claims, "sweep", "sweep")
    around(claims, "end_jobs", "end")
    around(engine, "save_outcomes", "save")
    tell_lease(claims)
    if LEASE:
        claims.LEASE = timedelta(seconds=LEASE)
        engine.HEARTBEAT, engine.SWEEP = LEASE / 6, LEASE / 3
    if GUARD_OFF:
        _take_guard_away()


def around(owner: Any, name: str, point: str) -> None:
    """An armed `after_claim` waits for a claim that got something."""
    real: Callable[..., Any] = getattr(owner, name)

    @wraps(real)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        die_at(f"before_{point}")
        result = real(*args, **kwargs)
        if result or point != "claim":
            die_at(f"after_{point}")
        return result

    setattr(owner, name, wrapped)


def tell_lease(claims: Any) -> None:
    """Whose lease is whose: `leases/PID`, written at the worker's first claim."""
    real = claims.claim

    @wraps(real)
    def told(*args: Any, **kwargs: Any) -> Any:
        (lease,) = [value for value in (*args, *kwargs.values()) if isinstance(value, UUID)]
        file = FOLDER / "leases" / str(os.getpid())
        if not file.exists():
            file.write_text(str(lease))
        return real(*args, **kwargs)

    claims.claim = told


def _take_guard_away() -> None:
    """`transaction` is the runner's: it writes the effect without the state."""
    if GUARD_OFF == "fence":
        outcomes._still_held = lambda outcomes, lease: {(one.item.id, one.item.attempt): now() for one in outcomes}
    if GUARD_OFF == "sweep":
        claims.sweep = lambda: 0
