"""Every route × everybody who might call it, against the hand-written matrix. One test a route tells all mismatches."""

import json
from collections.abc import Iterator
from itertools import count

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import Activity
from tests.conftest import Api
from tests.contract.callers import Answer, Call, calls
from tests.contract.errors import told
from tests.contract.matrix import API, LOGGED, PAGES, ROWS, UNLOGGED, Row, bodies, row
from tests.contract.routes import routes
from tests.contract.worlds import MODELS, WORDLESS, Tenant, unchanged, undone

NUMBERS = count(1)
PARTS = 4


def test_every_route_has_a_row_and_every_row_a_route():
    there = {route.key: str(route) for route in routes()}
    written = {one.key: str(one) for one in ROWS}
    assert [name for key, name in there.items() if key not in written] == [], "routes without a row in matrix.py"
    assert [name for key, name in written.items() if key not in there] == [], "rows of matrix.py without a route"
    api = [one.key for one in API]
    assert len(api) == len(set(api)), "a row is there twice"


def test_the_tenants_have_marked_rows_of_every_model(world):
    for tenant in (world.acme, world.other):
        for model in MODELS:
            if getattr(model, "tenancy", None) and model.tenancy.name in {"WORKSPACE", "CHILD"}:
                rows = list(tenant.rows(model).values())
                assert rows, f"worlds.py makes no {model.__name__}"
                unmarked = [one for one in rows if tenant.mark not in str(one)]
                assert not unmarked or model.__name__ in WORDLESS | {"Activity"}, unmarked


@pytest.mark.parametrize("one", API, ids=str)
def test_a_route_answers_everybody_as_written(world, one):
    path = one.path(world.acme.ids)
    asked = list(calls(one, world))
    if connection.vendor == "postgresql":  # who may what is not the database's business: each route asks for others
        asked = asked[API.index(one) % PARTS :: PARTS]
    found = [f"  {call.who}: {line}" for call in asked for line in _mismatches(one, call, path)]
    assert not found, f"\n{one} needs {one.needs}, {one.least}:\n" + "\n".join(found)


def _mismatches(one: Row, call: Call, path: str) -> Iterator[str]:
    """In words. Acme's rows are what everybody is after."""
    request_id = f"call-{next(NUMBERS)}"
    with undone():
        if call.before:
            call.before()
        answer = _send(one, call, path, request_id)
        said, wanted = answer.getvalue(), call.answer
        if answer.status_code != wanted.status:
            yield f"{answer.status_code} instead of {wanted.status} {wanted.code}: {said.decode()[:300]}"
            return
        if answer["X-Request-ID"] != request_id:
            yield "another X-Request-ID"
        if wanted.code:
            yield from _misworded(one.surface, wanted, answer)
        lines = list(Activity.objects.filter(request_id=request_id))
        if wanted.code:
            if lines:
                yield f"refused, and yet in the log: {lines}"
        else:
            yield from _mislogged(one, call, lines, json.loads(said or b"{}") if one.body == "workspace" else {})


def _send(one: Row, call: Call, path: str, request_id: str):
    body = bodies(call.tenant)[one.body]
    headers = call.headers | {"X-Request-ID": request_id}
    if isinstance(body, bytes):
        headers["content_type"] = "text/csv"
    return call.api.call("POST" if one.method == "*" else one.method, path, body, **headers)


def _misworded(surface: str, wanted: Answer, answer) -> Iterator[str]:
    """An error in the surface's own envelope."""
    try:
        message = told(answer, surface, wanted.status, wanted.code).message
    except AssertionError as error:
        yield str(error)
        return
    if wanted.scope and f"Required scope: {wanted.scope}" not in message:
        yield f"does not name the scope {wanted.scope}: {message}"
    if wanted.scope == "" and "Required scope" in message:
        yield f"blames a scope: {message}"


def _mislogged(one: Row, call: Call, lines: list[Activity], body: dict) -> Iterator[str]:
    """Who did it, where, in the log."""
    expected = str(one) in LOGGED if one.is_safe else str(one) not in UNLOGGED and one.needs != "NOTHING"
    if bool(lines) != expected:
        yield f"has {len(lines)} lines in the log"
    where = body["data"]["id"] if body else call.tenant.pk
    places = {line.workspace_id for line in lines}
    if places - {where} and str(one) not in LOGGED:
        yield f"is in the log of {places} instead of {where}"
    for line in lines:
        if call.user and line.user_id != call.user.pk:
            yield f"{line} is not said of the person"
        if call.key and line.key_id != call.key:
            yield f"{line} is not said of the key"


# --- what holds for all routes alike ----------------------------------------------------------------------------------

TEMPLATES = sorted({(one.surface, one.template) for one in API if one.method != "*"})


@pytest.mark.parametrize(("surface", "template"), TEMPLATES, ids=lambda text: text)
def test_what_is_not_in_the_matrix_is_405(world, surface, template):
    mine = [one for one in API if one.template == template]
    allowed = {one.method for one in mine} | ({"HEAD"} if any(one.method == "GET" for one in mine) else set())
    path = mine[0].path(world.acme.ids)
    secret = Api(authorization="Bearer cron-secret")
    api = secret if mine[0].needs == "SECRET" else world.acme.session("OWNER")
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} - allowed:
        with undone():
            answer = api.call(method, path, None)
            assert (method, answer.status_code) == (method, 405)
            told = {word.strip() for word in answer["Allow"].split(",")}
            assert {one.method for one in mine} <= told


GETS = [one for one in API if one.method == "GET"]


@pytest.mark.parametrize("one", GETS, ids=str)
def test_head_is_as_closed_as_get(world, one):
    for api in (Api(), world.acme.session("VIEWER"), world.acme.session("OWNER"), world.other.session("OWNER")):
        path = one.path(world.acme.ids)
        with undone():
            get = api.call("GET", path)
        with undone():
            head = api.call("HEAD", path)
        assert (head.status_code, head.getvalue()) == (get.status_code, b"")


def test_a_text_needs_the_scope_of_its_own_kind(world):
    """On core one address makes all four; each is still its own right."""
    kinds = {
        "description": "content:write",
        "title": "titles:write",
        "google_feed": "feeds:write",
        "tags": "tags:write",
    }
    address = {"core": "/api/v1/content/generate", "studio": "/v1/content/generate"}
    for surface, path in address.items():
        for kind, scope in kinds.items():
            if surface == "studio" and kind == "tags":
                continue
            for granted in kinds.values():
                key = world.acme.key("content:write", granted)
                with undone():
                    answer = Api(key=key).post(path, {"content_types": [kind]})
                allowed = scope in {granted, "content:write"}
                assert answer.status_code == (202 if allowed else 403), (surface, kind, granted)
                assert allowed or f"Required scope: {scope}" in answer.content.decode()


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def page_ids(world) -> dict:
    """What only pages have in their paths."""
    from allauth.usersessions.models import UserSession  # noqa: PLC0415  # an app of a library

    from accounts.models import Invitation  # noqa: PLC0415
    from accounts.services.invitations import _digest  # noqa: PLC0415

    Invitation.objects.filter(pk=world.acme.ids["invitation"]).update(token_digest=_digest("the-token"))
    session = UserSession.objects.filter(user=world.acme.people["VIEWER"]).first()
    return world.acme.ids | {"token": "the-token", "session": session.pk}


@pytest.mark.parametrize("one", PAGES, ids=str)
def test_a_page_answers_a_visitor(page_ids, one):
    with undone():
        answer = Client().generic(one.method, one.path(page_ids))
    assert answer.status_code == one.status
    if one.needs == "PERSON":
        assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("one", [one for one in PAGES if not one.is_safe], ids=str)
def test_a_form_needs_djangos_token(world, page_ids, one):
    client = Client(enforce_csrf_checks=True)
    client.force_login(world.acme.people["VIEWER"], backend="accounts.backends.RoleBackend")
    with unchanged():
        assert client.generic(one.method, one.path(page_ids)).status_code == 403


@pytest.mark.parametrize("one", [one for one in PAGES if one.needs == "PERSON" and one.ids], ids=str)
def test_a_page_about_somebody_elses_row_is_404(world, page_ids, one):
    for user in (world.other.people["OWNER"], *world.outsiders):
        client = Client()
        client.force_login(user, backend="accounts.backends.RoleBackend")
        with unchanged():
            assert client.generic(one.method, one.path(page_ids)).status_code == 404


def test_the_cron_secret_of_these_tests_is_the_configured_one():
    assert settings.ENV.cron_secret == "cron-secret"


def test_exports_and_schema_hold_no_key(world):
    """The documents that leave as a whole."""
    tenant: Tenant = world.acme
    raw = tenant.key("*")
    for path in ("/api/account/export", "/api/schema/", "/api/v1/api-keys", "/api/v1/activity?per_page=100"):
        with undone():
            answer = tenant.session("OWNER").get(path)
            assert raw.encode() not in answer.getvalue()
    assert row("app GET /api/account/export").needs == "PERSON"
