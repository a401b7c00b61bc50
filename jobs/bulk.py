"""Many items in one statement, and the locks that each save begins with. The ORM needs a millisecond for a few items,
and half of one to write such a statement; a save has others waiting for it.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from ajansops.kit.clock import now
from ajansops.kit.runners import NewItem
from jobs.models import Job, JobItem

Fence = tuple[int, int, datetime]  # an item's id, its attempt, when it was begun

# By vendor. Parameters of INSERT are the job's id and a JSON list of [key, payload]; those of DONE are the
# moment and a JSON list of [id, result].
INSERT = {
    "postgresql": """
        INSERT INTO jobs_jobitem (job_id, key, payload, state, attempts, failures, losses)
        SELECT %s, one ->> 0, one -> 1, 'pending', 0, 0, 0
        FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS given (one, place) ORDER BY place
        ON CONFLICT (job_id, key) DO NOTHING""",
    "sqlite": """
        INSERT OR IGNORE INTO jobs_jobitem (job_id, key, payload, state, attempts, failures, losses)
        SELECT %s, json_extract(value, '$[0]'), json_extract(value, '$[1]'), 'pending', 0, 0, 0
        FROM json_each(%s) ORDER BY json_each.key""",
}
DONE = {
    "postgresql": """
        UPDATE jobs_jobitem
        SET state = 'done', error = NULL, lease = NULL, lease_until = NULL, finished_at = %s, result = one -> 1
        FROM jsonb_array_elements(%s::jsonb) AS given (one) WHERE jobs_jobitem.id = (one ->> 0)::bigint""",
    "sqlite": """
        UPDATE jobs_jobitem
        SET state = 'done', error = NULL, lease = NULL, lease_until = NULL, finished_at = %s,
            result = json_extract(value, '$[1]')
        FROM json_each(%s) WHERE jobs_jobitem.id = json_extract(value, '$[0]')""",
}


COUNTERS = "SELECT id, status, total, done, failed FROM jobs_job WHERE id IN ({}) ORDER BY id"
FENCES = """
    SELECT id, attempts, started_at FROM jobs_jobitem
    WHERE id IN ({}) AND state = 'running' AND lease = %s ORDER BY id"""
COUNT = "UPDATE jobs_job SET total = %s, done = %s, failed = %s, updated_at = %s WHERE id = %s"


@contextmanager
def one_trip() -> Iterator[None]:
    """What is executed in here is sent to PostgreSQL together; what it returns may be read after."""
    if connection.vendor != "postgresql":
        yield
        return
    connection.ensure_connection()
    with connection.wrap_database_errors, connection.connection.pipeline():
        yield


def lock_for_saving(
    job_ids: Collection[str], item_ids: Collection[int], lease: UUID
) -> tuple[dict[str, Job], list[Fence]]:
    """The jobs, with what `claims.settle` needs of them, and then those items that are still this lease's; both locked
    until the transaction ends.
    """
    lock = " FOR UPDATE" if connection.features.has_select_for_update else ""
    holder = JobItem._meta.get_field("lease").get_db_prep_value(lease, connection)
    with connection.cursor() as jobs, connection.cursor() as items:
        with one_trip():
            jobs.execute(COUNTERS.format(_places(job_ids)) + lock, list(job_ids))
            items.execute(FENCES.format(_places(item_ids)) + lock, [*item_ids, holder])
        counters = (Job.from_db(connection.alias, ["id", "status", "total", "done", "failed"], row) for row in jobs)
        return {job.pk: job for job in counters}, [(pk, attempts, _moment(begun)) for pk, attempts, begun in items]


def _places(values: Collection[Any]) -> str:
    return ", ".join(["%s"] * len(values))


def _moment(stored: Any) -> datetime:
    """As the ORM would read it: SQLite has no type for it."""
    column = JobItem._meta.get_field("started_at").cached_col
    for convert in connection.ops.get_db_converters(column):
        stored = convert(stored, column, connection)
    return stored


def save_counters(job: Job) -> None:
    """Of a locked job."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [job.total, job.done, job.failed, _now(), job.pk])


def _now() -> Any:
    return connection.ops.adapt_datetimefield_value(now())


def insert_items(job_id: str, items: Sequence[NewItem]) -> int:
    """Those whose key the job does not have yet, in this order; how many that are."""
    if not items:
        return 0
    return _execute(INSERT, job_id, [[item.key, item.payload] for item in items])


def mark_done(results: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Items by id, each with its result. They must be locked."""
    if results:
        _execute(DONE, _now(), results)


def _execute(statements: dict[str, str], first: Any, rows: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statements[connection.vendor], [first, json.dumps(rows, separators=(",", ":"))])
        return cursor.rowcount
