"""Whatever is wrong with a request, each route says so in its surface's own words, and never breaks."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework import serializers

from ajansops.api.parsers import MAX_BYTES
from ajansops.api.views import SurfaceView
from ajansops.kit.errors import Kind
from tests.conftest import Api
from tests.contract.broken_urls import SECRET
from tests.contract.errors import told
from tests.contract.matrix import API, Row, bodies
from tests.contract.worlds import Tenant, undone

NOWHERE = {"core": ["/api/v1/"], "studio": ["/v1/"], "app": ["/api/", "/api/audit/", "/api/cron/nope/"]}
INVALID = {"core": 422, "studio": 400, "app": 400, "insight": 400}
ROUTES = [one for one in API if one.needs != "NOTHING"]
UNSAFE = [one for one in ROUTES if not one.is_safe]
IMPORT = "core POST /api/v1/products/import"  # takes files, not JSON
BODYLESS = (
    *("/publish", "/unpublish", "/archive", "/resend", "variant}/approve", "variant}/reject"),
    *("/pause", "/resume", "/cancel"),
    *("/rotate-secret", "/redeliver", "/retry", "/test"),
)
SIGNED = "insight POST /api/billing/webhook"  # what is signed are bytes: they are not read before
JSON = [one for one in UNSAFE if str(one) not in {IMPORT, SIGNED}]
WITH_BODY = [one for one in JSON if one.body and not one.template.endswith(BODYLESS)]
FIELDS = [one for one in WITH_BODY if one.method != "PUT"]  # which has POST's serializer and PATCH's service
# Fields whose errors have a code of their own, unless nothing was sent.
OWN = ("plan", "currency", "interval", "email", "referrer")
CODES = {("insight POST /api/billing/checkout", name): f"invalid_{name}" for name in OWN}


def caller(one: Row, tenant: Tenant) -> Api:
    """Somebody who may."""
    if one.needs == "SECRET":
        return Api(authorization="Bearer cron-secret")
    return tenant.session("OWNER")


def send(one: Row, tenant: Tenant, body: Any, *, query: str = "", **headers: str):
    """The call with this body, undone."""
    with undone():
        return caller(one, tenant).call(one.method, one.path(tenant.ids) + query, body, **headers)


# --- what is the same for all ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", ROUTES, ids=str)
def test_a_method_that_is_not_there_is_405(world, one):
    answer = send(Row(one.surface, "OPTIONS", one.template, one.needs, one.least, 405), world.acme, None)
    assert one.method in answer["Allow"].split(", ")
    told(answer, one.surface, 405, "method_not_allowed")


@pytest.mark.parametrize("one", [one for one in ROUTES if one.needs != "PUBLIC"], ids=str)
def test_nobody_is_401(world, one):
    """Before anything is said about the rest of the request."""
    for body in (bodies(world.acme)[one.body], b"{"):
        with undone():
            answer = Api().call(one.method, one.path(world.acme.ids), body)
        told(answer, one.surface, 401, "unauthorized")


NOTHING = ("nope/1", "nope/", "", "%00", "%zz", "%ff", "%2e%2e/x", "a" * 2000, "\u00fc", "nope?a=%ff&b=%00")


@pytest.mark.parametrize(("surface", "prefix"), [(name, prefix) for name in NOWHERE for prefix in NOWHERE[name]])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "TRACE", "PURGE"])
def test_an_unknown_path_is_404(db, surface, prefix, method):
    """Whatever is sent there."""
    for end in NOTHING:
        for body in (None, b"{", b"a=b"):
            answer = Api().call(method, prefix + end, body)
            assert answer.status_code == 404
            assert "Allow" not in answer
            if method != "HEAD":
                told(answer, surface, 404, "not_found")


# --- bodies that are not the JSON we take -----------------------------------------------------------------------------

BROKEN = {
    "broken": b"{",
    "two values": b"{} {}",
    "comma at the end": b'{"name": "a",}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": [Infinity]}',
    "-Infinity": b'{"name": -Infinity}',
    "beyond floats": b'{"name": 1e400}',
    "the same key twice": b'{"name": "a", "name": "b"}',
    "the same key twice, deep inside": b'{"name": [{"a": {"b": 1, "\\u0062": 2}}]}',
    "NUL": b'{"name": "a\\u0000b"}',
    "NUL in a key": b'{"na\\u0000me": "a"}',
    "lone surrogate": b'{"name": "\\ud800"}',
    "lone surrogate in a key": b'{"\\udfff": "a"}',
    "beyond 64 bits": b'{"name": 9223372036854775808}',
    "below 64 bits": b'{"name": -9223372036854775809}',
    "endless integer": b'{"name": ' + b"9" * 100_000 + b"}",
    "65 levels": b'{"name": ' + b"[" * 64 + b"]" * 64 + b"}",
    "100,000 levels": b"[" * 100_000,
    "objects without end": b'{"a":' * 100_000,
    "latin-1": b'{"name": "\xff"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"name": "a"}',
    "a form": b"name=a&name=b",
    "compressed": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
}
FOREIGN = ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "application/xml", "x")


@pytest.mark.parametrize("one", JSON, ids=str)
def test_a_body_that_is_no_json_is_400(world, one):
    """Also where the route needs none."""
    for name, body in BROKEN.items():
        answer = send(one, world.acme, body)
        assert answer.status_code == 400, (name, answer.getvalue())
        told(answer, one.surface, 400, "invalid_json")


@pytest.mark.parametrize("one", [one for one in UNSAFE if str(one) != IMPORT], ids=str)
def test_a_body_of_more_than_a_mebibyte_is_413(world, one):
    told(send(one, world.acme, b'{"a": "' + b"a" * MAX_BYTES + b'"}'), one.surface, 413, "payload_too_large")


@pytest.mark.parametrize("one", JSON, ids=str)
def test_a_body_of_another_type_is_415(world, one):
    for content_type in FOREIGN:
        answer = send(one, world.acme, b"name=a", content_type=content_type)
        told(answer, one.surface, 415, "unsupported_media_type")


@pytest.mark.parametrize("one", WITH_BODY, ids=str)
def test_a_body_that_is_no_object_is_invalid(world, one):
    for body in (b"[]", b'["name"]', b'"name"', b"1", b"1.5", b"true", b"null"):
        answer = send(one, world.acme, body)
        errors = told(answer, one.surface, INVALID[one.surface], "validation_failed").errors
        assert list(errors) == [wire(one.surface, "non_field_errors")], (body, errors)


# --- fields of another type -------------------------------------------------------------------------------------------


class Form:
    """The serializers a call has asked, which is what there is to get wrong."""

    def __init__(self, monkeypatch) -> None:
        self.asked: list[serializers.Serializer] = []
        parsed = SurfaceView.parsed

        def noting(view, serializer, **kwargs):
            self.asked.append(serializer(**kwargs))
            return parsed(view, serializer, **kwargs)

        monkeypatch.setattr(SurfaceView, "parsed", noting)

    def of(self, one: Row, tenant: Tenant) -> serializers.Serializer:
        """Of a good call."""
        assert send(one, tenant, bodies(tenant)[one.body]).status_code == one.status
        return self.asked[0]


HUGE = "x" * 20_000
WRONG = (
    ((serializers.ListField, serializers.ListSerializer), [{}, True, "x"]),
    ((serializers.BaseSerializer, serializers.DictField), [[], True, "x"]),
    (serializers.BooleanField, [[], {}, "x"]),
    ((serializers.IntegerField, serializers.FloatField, serializers.DecimalField), [[], {}, True, "x", "nan"]),
    (serializers.JSONField, []),
    (serializers.Field, [[], {}, True]),
)
ODD = (2**63 - 1, 1e308, HUGE, [None], [[]], {"": None})  # right for some fields; a fault of ours for none


def values(field: serializers.Field) -> list[Any]:
    """What can never be right for the field."""
    wrong = next(values for kind, values in WRONG if isinstance(field, kind))
    return wrong if field.allow_null else [*wrong, None]


def fields(form: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], serializers.Field]]:
    """All that may be sent, with what is inside others."""
    for name, field in form.fields.items():
        if field.read_only:
            continue
        yield (*path, name), field
        inner = getattr(field, "child", field)
        if isinstance(inner, serializers.Serializer):
            yield from fields(inner, (*path, name, *(["0"] if inner is not field else [])))


def replaced(body: Any, path: tuple[str, ...], value: Any) -> Any:
    """The body with another value there."""
    if not path:
        return value
    first, *rest = path
    if first == "0":
        inner = body[0] if isinstance(body, list) and body else {}
        return [replaced(inner, tuple(rest), value)]
    inner = body if isinstance(body, dict) else {}
    return {**inner, first: replaced(inner.get(first), tuple(rest), value)}


def wire(surface: str, name: str) -> str:
    """The name as it is sent."""
    if surface != "app":
        return name
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


@pytest.mark.parametrize("one", FIELDS, ids=str)
def test_a_value_of_another_type_is_refused_by_the_name_of_its_field(world, monkeypatch, one):
    form = Form(monkeypatch).of(one, world.acme)
    good = bodies(world.acme)[one.body]
    for path, field in fields(form):
        sent = tuple(wire(one.surface, name) for name in path)
        for value in values(field):
            answer = send(one, world.acme, replaced(good, sent, value))
            code = CODES.get((str(one), *path)) if value is not None else None
            said = told(answer, one.surface, INVALID[one.surface], code or "validation_failed")
            assert any(name.startswith(".".join(sent)) for name in said.errors), (sent, value, said)
        for value in ODD:
            answer = send(one, world.acme, replaced(good, sent, value))
            assert answer.status_code < 500, (sent, str(value)[:40], answer.getvalue()[:300])


# --- addresses --------------------------------------------------------------------------------------------------------

QUERIES = (
    "page=x", "page=-1", "page=99999999999999999999", "page=1&page=x", "per_page=0", "page=%00", "%00=1", "page=%ff",
    "page=%zz", "a[b][c]=1", "&&=&%", "sort=;drop", "sort=password", "sort=workspace__name", "fields=,",
    "fields=__class__", "include=workspace.owner", "cursor=x", "cursor=%00", "cursor=W10", "search=%25%00",
    "search=" + "x" * 5000, "status=x", "created_after=9999-12-31T23:59:59-23:59", "created_before=2026-02-30",
    "format=html", "site_id=x", "siteId=9e9", "user_id=٣", "subject=%00",
)  # fmt: skip


@pytest.mark.parametrize("one", [one for one in ROUTES if one.method == "GET"], ids=str)
def test_an_odd_query_breaks_nothing(world, one):
    for query in QUERIES:
        answer = send(one, world.acme, None, query=f"?{query}")
        assert answer.status_code < 500, query
        if answer.status_code == INVALID[one.surface]:
            told(answer, one.surface, INVALID[one.surface], "validation_failed")
        else:
            assert answer.status_code in {one.status, 404}, (query, answer.getvalue())


PATHS = ("%00", "%", "%ff", "-1", "9" * 30, "1e1", "null", "'", "a" * 5000)


@pytest.mark.parametrize("one", [one for one in ROUTES if one.ids], ids=str)
def test_an_odd_id_is_404(world, one):
    for text in PATHS:
        with undone():
            ids = world.acme.ids | dict.fromkeys(one.ids, text)
            answer = caller(one, world.acme).call(one.method, one.path(ids), bodies(world.acme)[one.body])
        told(answer, one.surface, 404, "not_found")


# --- what goes wrong with us ------------------------------------------------------------------------------------------

BROKEN_AT = {"core": "/api/v1/", "studio": "/v1/", "app": "/api/", "insight": "/api/audit/"}
MEANS = {
    "bug": (500, "server_error"),
    "key": (500, "server_error"),
    "recursion": (500, "server_error"),
    "suspicious": (400, "bad_request"),
    "denied": (403, "access_denied"),
    "missing": (404, "not_found"),
}
STATUSES = {
    "MALFORMED": 400,
    "UNAUTHENTICATED": 401,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "INVALID": 422,
    "RATE_LIMITED": 429,
    "UPSTREAM": 502,
    "NOT_CONFIGURED": 503,
    "UNAVAILABLE": 503,
    "TIMEOUT": 504,
}


@pytest.fixture
def broken(db, settings):
    """With addresses that fail."""
    settings.ROOT_URLCONF = "tests.contract.broken_urls"


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("place", ["fail", "plain"])
@pytest.mark.parametrize("surface", BROKEN_AT)
def test_a_fault_of_ours_tells_its_id_and_nothing_else(broken, settings, surface, place, debug):
    settings.DEBUG = debug
    for how, (status, code) in MEANS.items():
        answer = Api().get(f"{BROKEN_AT[surface]}{place}/{how}", X_Request_ID="req-of-this")
        told(answer, surface, status, code)
        assert SECRET not in answer.content.decode()
        assert answer["X-Request-ID"] == "req-of-this"
        if status == 500:
            body = answer.json()
            assert (body["error"] if surface == "studio" else body)["request_id"] == "req-of-this"


@pytest.mark.parametrize("surface", BROKEN_AT)
def test_each_kind_of_error_has_its_status(broken, surface):
    assert {kind.name for kind in Kind} == set(STATUSES)
    for kind, status in STATUSES.items():
        answer = Api().get(f"{BROKEN_AT[surface]}fail/{kind}")
        assert told(answer, surface, status, "it_failed").message == "It failed."


@pytest.mark.parametrize("surface", BROKEN_AT)
@pytest.mark.parametrize(
    ("how", "status", "code", "wait"), [("busy", 503, "unavailable", "1"), ("limited", 429, "rate_limit_exceeded", "7")]
)
def test_what_passes_says_when_to_come_again(broken, surface, how, status, code, wait):
    answer = Api().get(f"{BROKEN_AT[surface]}fail/{how}")
    told(answer, surface, status, code)
    assert answer["Retry-After"] == wait


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("surface", BROKEN_AT)
@pytest.mark.parametrize(
    "host", ["evil.example", "a b", "[::1", "127.0.0.1:x", "", "testserver:80:80", "\u00fc.example"]
)
def test_a_host_that_is_not_ours_is_400(db, settings, surface, host, debug):
    settings.DEBUG, settings.ALLOWED_HOSTS = debug, ["ops.example.com"]
    told(Api().get(f"{BROKEN_AT[surface]}run", Host=host), surface, 400, "bad_request")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml", "image/*", "", "x", "*/*;q=0", "text/html, */*;q=0.1"]
)
def test_an_answer_is_json_whatever_is_asked_for(acme, accept):
    for surface, path in {"core": "/api/v1/sites", "studio": "/v1/api-keys", "app": "/api/sites"}.items():
        for query in ("", "?format=html"):
            answer = acme.get(path + query, Accept=accept)
            assert answer["Content-Type"] == "application/json"
            assert answer.status_code in {200, 406} or query, (surface, answer.content)
            assert answer.status_code != 404, (surface, query)


# --- as the references print them -------------------------------------------------------------------------------------


def test_the_errors_of_the_references(broken, acme):
    assert acme.get("/api/v1/nope").json() == {"error": "not_found", "message": "Resource not found."}
    assert Api().get("/api/v1/sites").json() == {"error": "unauthorized", "message": "Invalid or missing API key."}
    assert acme.post("/api/v1/sites", {"domain": "a.example"}).json() == {
        "error": "validation_failed",
        "message": "The given data was invalid.",
        "errors": {"name": ["This field is required."]},
    }
    assert acme.get("/api/v1/fail/bug", X_Request_ID="req_abc123def456").json() == {
        "error": "server_error",
        "message": "An unexpected error occurred.",
        "request_id": "req_abc123def456",
    }
    assert Api().get("/api/sites").json()["error"] == "Unauthorized"
    assert Api().get("/api/audit/fail/limited").json() == {
        "error": "rate_limited",
        "message": "Too many requests.",
        "retryAfter": 7,
    }
    studio = Api().get("/v1/auth/me").json()["error"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", studio.pop("timestamp"))
    assert studio == {
        "code": "UNAUTHORIZED",
        "message": "Invalid or missing API key.",
        "details": "Invalid or missing API key.",
        "path": "/v1/auth/me",
    }


@pytest.mark.parametrize(("surface", "path"), [("core", "/api/v1"), ("studio", "/v1"), ("app", "/api")])
def test_a_surface_without_its_slash_is_still_that_surface(db, surface, path):
    told(Api().get(path), surface, 404, "not_found")


@pytest.mark.parametrize("page", ["0", "-1", "x", "1.5", "١", "9" * 20, "0" * 12 + "9" * 4400, ""])
def test_a_page_that_is_no_number_is_invalid(acme, page):
    errors = told(acme.get(f"/api/v1/sites?page={page}"), "core", 422, "validation_failed").errors
    assert list(errors) == ["page"]


def test_an_upload_is_bounded_and_of_a_known_type(acme):
    path = "/api/v1/products/import"
    told(acme.post(path, b"{}"), "core", 415, "unsupported_media_type")
    too_large = b"a" * (20 * 2**20 + 1)
    for content_type in ("text/csv", "multipart/form-data; boundary=x", "application/json"):
        told(acme.call("POST", path, too_large, content_type=content_type), "core", 413, "payload_too_large")
