"""Which status of a job may follow which: the one table that the engine, the API, the admin and commands go by."""

from collections.abc import Mapping

from jobs.models import JobStatus

QUEUED, PROCESSING, PAUSED = JobStatus.QUEUED, JobStatus.PROCESSING, JobStatus.PAUSED
COMPLETED, FAILED, CANCELLED = JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED

TRANSITIONS: Mapping[JobStatus, frozenset[JobStatus]] = {
    QUEUED: frozenset({PROCESSING, PAUSED, COMPLETED, FAILED, CANCELLED}),
    PROCESSING: frozenset({PAUSED, COMPLETED, FAILED, CANCELLED}),
    PAUSED: frozenset({QUEUED, PROCESSING, CANCELLED}),
    # An operator may have the items tried again that failed, or that a cancelled job never came to.
    COMPLETED: frozenset({PROCESSING}),
    FAILED: frozenset({PROCESSING}),
    CANCELLED: frozenset({PROCESSING}),
}


def before(status: JobStatus) -> frozenset[JobStatus]:
    """Those from which it can be reached."""
    return frozenset(one for one, following in TRANSITIONS.items() if status in following)
