"""How many queries each route makes, held in a versioned file: one more is a decision, not an accident.

`make baselines` writes the numbers of the database in use (DATABASE_URL) and keeps the other's. The call is that of a
key with every right, in a process that remembers nothing of earlier ones. Savepoints are not counted.
"""

import json
import os
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.recent import RECENT
from ajansops.kit.plans import forget_recent_tiers
from tests.conftest import Api
from tests.contract.matrix import API, LISTS, Row, bodies
from tests.contract.worlds import Tenant, undone

FILE = Path(__file__).with_name("query_counts.json")
WRITING = os.environ.get("BASELINES") == "write"
HOW = "`make baselines` writes it; commit the file with the change that explains it."
BRACKETS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")
ROUTES = [one for one in API if one.needs != "NOTHING"]


def baselines() -> dict[str, dict[str, int]]:
    """By vendor and route."""
    return json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}


def caller(one: Row, tenant: Tenant) -> Api:
    """By key, except where a key may not."""
    if one.needs == "SECRET":
        return Api(authorization="Bearer cron-secret")
    if one.needs == "PERSON":
        return tenant.session("OWNER")
    return Api() if one.needs == "PUBLIC" else Api(key=tenant.key("*", creator="OWNER"))


def sent_as(one: Row) -> str:
    """The content type of its body."""
    return "text/csv" if one.body == "csv" else "application/json"


def queries(one: Row, tenant: Tenant, query: str = "") -> list[str]:
    """What a good call asks the database."""
    api, path = caller(one, tenant), one.path(tenant.ids) + query
    with undone():
        Api(key=tenant.key("*", creator="OWNER")).get("/v1/auth/me")  # the key's last use is written once a minute
        RECENT.forget()
        forget_recent_tiers()
        with CaptureQueriesContext(connection) as caught:
            answer = api.call(one.method, path, bodies(tenant)[one.body], content_type=sent_as(one))
    assert answer.status_code == one.status, answer.getvalue()[:500]
    return [query["sql"] for query in caught if not query["sql"].startswith(BRACKETS)]


@pytest.fixture(scope="module")
def written():
    """What was counted, put into the file in the end when that is wanted."""
    counted: dict[str, int] = {}
    yield counted
    if WRITING and len(counted) == len(ROUTES):
        known = baselines() | {connection.vendor: counted}
        ordered = {vendor: dict(sorted(known[vendor].items())) for vendor in sorted(known)}
        FILE.write_text(json.dumps(ordered, indent=1) + "\n", "utf-8")


@pytest.mark.parametrize("one", ROUTES, ids=str)
def test_a_route_makes_as_many_queries_as_its_baseline_says(world, written, one):
    asked = queries(one, world.acme)
    written[str(one)] = len(asked)
    if WRITING:
        return
    known = baselines().get(connection.vendor, {})
    assert str(one) in known, f"{one} has no baseline on {connection.vendor}. {HOW}"
    told = "\n".join(sql[:300] for sql in asked)
    assert len(asked) == known[str(one)], f"{one}: {len(asked)} queries, not {known[str(one)]}. {HOW}\n{told}"


def test_no_baseline_is_of_a_route_that_is_gone():
    known = {name for counts in baselines().values() for name in counts}
    assert known <= {str(one) for one in ROUTES}, f"Routes went. {HOW}"


@pytest.mark.parametrize("one", [one for one in ROUTES if str(one) in LISTS], ids=str)
def test_a_list_makes_as_many_queries_for_one_row_as_for_many(world, one):
    """Of the same tenant by pages of one and of all; and the tenant with three of each as the one with two."""
    if one.surface == "core":
        assert len(queries(one, world.other, "?per_page=1")) == len(queries(one, world.other, "?per_page=100"))
    assert len(queries(one, world.acme)) == len(queries(one, world.other))
