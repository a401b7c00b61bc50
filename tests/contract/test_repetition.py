"""Every unsafe route of core, studio and app: sent again with its Idempotency-Key it is told, not done, again."""

from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse

from ajansops.api.surface import surface_for
from tests.conftest import Api
from tests.contract.matrix import API, Row, bodies
from tests.contract.worlds import WRITES, Tenant, undone

# The first one ends the caller's own rights, and a repetition is authorised like every call.
ENDED = {
    "core DELETE /api/v1/workspaces/{workspace}": {"key": 401, "session": 404},
    "core DELETE /api/v1/members/me": {"session": 400},
}
REPEATED = [
    one
    for one in API
    if one.method in {"POST", "PUT", "PATCH", "DELETE"}
    and surface_for(one.template).idempotent
    and one.needs not in {"PUBLIC", "NOTHING"}
]


def twice(one: Row, api: Api, tenant: Tenant) -> tuple[HttpResponse, HttpResponse, list[str]]:
    """Both answers, and what the second call wrote into our tables."""
    body = bodies(tenant)[one.body]
    headers = {"content_type": "text/csv"} if isinstance(body, bytes) else {}
    written: list[str] = []

    def watch(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith(WRITES):
            written.append(sql)
        return execute(sql, *rest)

    def call() -> Any:
        return api.call(one.method, one.path(tenant.ids), body, idempotency_key="once", **headers)

    first = call()
    with connection.execute_wrapper(watch):
        return first, call(), written


@pytest.mark.parametrize("who", ["key", "session"])
@pytest.mark.parametrize("one", REPEATED, ids=str)
def test_it_is_told_again_and_not_done_again(world, one, who):
    if (one.needs, who) == ("PERSON", "key"):
        pytest.skip("a key is no person")
    tenant = world.acme
    api = Api(key=tenant.key("*", creator="OWNER")) if who == "key" else tenant.session("OWNER")
    with undone():
        first, again, written = twice(one, api, tenant)
        assert first.status_code == one.status, first.content
        assert written == []
        if ended := ENDED.get(str(one), {}).get(who):
            assert again.status_code == ended
        else:
            assert (again.status_code, again.content) == (one.status, first.content)
            assert again["Idempotent-Replayed"] == "true"
