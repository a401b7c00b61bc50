"""Pages that PostgreSQL writes as JSON are the serializer's: the same body for every list, tenant and query."""

from dataclasses import replace

import pytest
from django.db import connection

from accounts.actors import member, operator
from accounts.roles import Role
from ajansops.api import straight, views
from tests.contract.matrix import API, LISTS
from tests.contract.routes import routes
from tests.contract.worlds import undone

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="the serializer writes all of them")

OURS = [one for one in API if one.surface == "core" and str(one) in LISTS]
QUERIES = [
    "",
    "?per_page=1",
    "?per_page=1&page=2&sort=-created_at",
    "?page=900",
    "?per_page=1&fields=id",
    "?fields=created_at,id",
    "?sort=created_at,-id&per_page=2",
    "?search=a",
    "?status=new",
    "?created_after=2020-01-01&created_before=2100-01-01",
    "?updated_before=2001-01-01",
]
# Lists that may be long, and so must not be serialized row by row.
LONG = {"jobs/{job}/items", "leads", "products", "variants", "posts"}


@pytest.fixture
def written(monkeypatch):
    """By what the pages were written: True for the database."""
    found = []
    made = straight.statement_for

    def statement_for(view, asked):
        statement = made(view, asked)
        found.append(statement is not None)
        return statement

    monkeypatch.setattr(views, "statement_for", statement_for)
    return found


@pytest.mark.parametrize("one", OURS, ids=str)
def test_it_makes_no_difference_who_writes_the_page(world, one, written, monkeypatch):
    for tenant in (world.acme, world.other):
        path = one.path(tenant.ids)
        for query in QUERIES:
            with undone():
                theirs = tenant.session("OWNER").get(path + query)
            with monkeypatch.context() as without:
                without.setattr(views, "statement_for", lambda view, asked: None)
                with undone():
                    ours = tenant.session("OWNER").get(path + query)
            assert (theirs.status_code, theirs.json()) == (ours.status_code, ours.json()), query
    template = one.template.removeprefix("/api/v1/")
    if template in LONG:
        assert all(written), f"{template} is serialized row by row"


def test_what_is_kept_depends_on_nothing_but_the_workspace(world):
    """Of every list that says so."""
    someone = operator(world.acme.pk)
    other = replace(member(world.acme.pk, Role.VIEWER, 987), scopes=frozenset({"*:read"}), key_id=654, test_mode=True)
    views_of = {one.view for one in routes() if one.surface == "core" and one.method == "GET"}
    same = [view for view in views_of if hasattr(view, "rows_of") and view.same_for_all_callers()]
    assert len(same) > 8
    for view in same:
        texts = {str(view().rows_of(actor).query) for actor in (someone, other)}
        assert len(texts) == 1, view


def test_a_statement_is_kept_for_every_caller(world):
    straight._kept.clear()
    for tenant in (world.acme, world.other):
        for who in ("OWNER", "VIEWER"):
            with undone():
                rows = tenant.session(who).get("/api/v1/leads").json()["data"]
            assert {row["id"] for row in rows} == set(tenant_leads(tenant))
    assert len(straight._kept) == 1


def tenant_leads(tenant) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM leads_lead WHERE workspace_id = %s", [tenant.pk])
        return [pk for (pk,) in cursor.fetchall()]
