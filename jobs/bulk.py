"""Many items in one statement. The ORM needs a millisecond for a few of them; of these there are hundreds at a time."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import connection

from ajansops.kit.clock import now
from ajansops.kit.runners import NewItem

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


def insert_items(job_id: str, items: Sequence[NewItem]) -> int:
    """Those whose key the job does not have yet, in this order; how many that are."""
    if not items:
        return 0
    return _execute(INSERT, job_id, [[item.key, item.payload] for item in items])


def mark_done(results: Sequence[tuple[int, dict[str, Any]]]) -> None:
    """Items by id, each with its result. They must be locked."""
    if results:
        _execute(DONE, connection.ops.adapt_datetimefield_value(now()), results)


def _execute(statements: dict[str, str], first: Any, rows: Sequence[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statements[connection.vendor], [first, json.dumps(rows, separators=(",", ":"))])
        return cursor.rowcount
