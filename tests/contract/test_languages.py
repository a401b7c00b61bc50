"""What people read is in their language: English, Turkish, Hungarian. What machines read is the same in all three."""

from typing import Any

import pytest
from django.utils.translation import gettext, override
from rest_framework import serializers

from tests.conftest import Api
from tests.contract.errors import told
from tests.contract.matrix import API, Row, bodies
from tests.contract.worlds import Tenant, undone

LANGUAGES = ("en", "tr", "hu")
INVALID = {"core": 422, "studio": 400, "app": 400, "insight": 400}
HOME = {  # a readable list of the surface, or another of its routes
    "core": "/api/v1/sites",
    "studio": "/v1/inventory/products",
    "app": "/api/sites",
    "insight": "/api/audit/run",
}
MADE_FOR = {"core": "/api/v1/sites", "studio": "/v1/tags/generate", "app": "/api/sites", "insight": "/api/audit/run"}
ROUTES = [one for one in API if one.needs not in {"NOTHING", "SECRET", "PUBLIC"}]
BARE = {"core POST /api/v1/entitlements/usage"}  # bodies of a reference that have no message
TELLING = [one for one in ROUTES if not one.is_safe and one.status != 204 and str(one) not in BARE]
BODIES = {
    "broken": b"{",
    "not UTF-8": b'{"a": "\xff"}',
    "NaN": b'{"a": NaN}',
    "twice": b'{"a": 1, "a": 2}',
    "NUL": b'{"a": "\\u0000"}',
    "surrogate": b'{"a": "\\ud800"}',
    "integer": b'{"a": 99999999999999999999}',
    "float": b'{"a": 1e999}',
    "deep": b"[" * 65 + b"]" * 65,
    "very deep": b"[" * 100_000,
}


def in_each(answers: dict[str, Any], surface: str, status: int, code: str) -> None:
    """Three texts, one code, and the header that says which language it is."""
    said = {}
    for language, answer in answers.items():
        error = told(answer, surface, status, code)
        assert answer["Content-Language"] == language
        assert "Accept-Language" in answer["Vary"]
        said[language] = (error.code, error.message)
    assert len({code for code, _ in said.values()}) == 1
    assert len({message for _, message in said.values()}) == 3, said


def ask(api: Api, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
    """The same in each language."""
    answers = {}
    for language in LANGUAGES:
        with undone():
            answers[language] = api.call(method, path, body, Accept_Language=language, **headers)
    return answers


@pytest.mark.parametrize("surface", HOME)
@pytest.mark.parametrize("by_key", [True, False])
def test_an_error_of_each_kind_is_in_the_readers_language(world, monkeypatch, surface, by_key):
    """With a key, which the cookie's middleware passes by, and signed in."""
    acme = world.acme
    api = Api(key=acme.key("*", creator="OWNER")) if by_key else acme.session("OWNER")
    home, door = HOME[surface], MADE_FOR[surface]
    in_each(ask(Api(key="sk_live_x"), "POST", door, {}), surface, 401, "unauthorized")
    in_each(ask(api, "TRACE", home), surface, 405, "method_not_allowed")
    in_each(ask(api, "POST", door, b"x", content_type="text/plain"), surface, 415, "unsupported_media_type")
    in_each(ask(api, "POST", door, b'"' + b"a" * 2**20 + b'"'), surface, 413, "payload_too_large")
    in_each(ask(api, "POST", door, []), surface, INVALID[surface], "validation_failed")
    viewer = Api(key=acme.key("*", creator="VIEWER")) if by_key else acme.session("VIEWER")
    in_each(ask(viewer, "POST", door, {}), surface, 403, "access_denied")
    for body in BODIES.values():
        in_each(ask(api, "POST", door, body), surface, 400, "invalid_json")


@pytest.mark.parametrize("path", ["/api/v1/nope", "/v1/nope", "/api/nope"])
def test_a_path_that_is_not_there_is_told_in_the_readers_language(world, path):
    surface = {"/api/v1/nope": "core", "/v1/nope": "studio", "/api/nope": "app"}[path]
    in_each(ask(Api(), "GET", path), surface, 404, "not_found")


@pytest.mark.parametrize("path", ["/api/v1/workspaces", "/v1/auth/me", "/api/sites"])
def test_a_fault_of_ours_is_told_in_the_readers_language(world, monkeypatch, path):
    def broken(*_args, **_options):
        raise RuntimeError("broken")

    surface = {"/v1/auth/me": "studio", "/api/sites": "app"}.get(path, "core")
    monkeypatch.setattr("ajansops.api.views.SurfaceView.examine", broken)
    in_each(ask(world.acme.session("OWNER"), "GET", path), surface, 500, "server_error")


def message_of(one: Row, tenant: Tenant, language: str) -> str | None:
    """What a good call says to people, if anything."""
    with undone():
        api = tenant.session("OWNER")
        sent_as = "text/csv" if one.body == "csv" else "application/json"
        body, path = bodies(tenant)[one.body], one.path(tenant.ids)
        answer = api.call(one.method, path, body, content_type=sent_as, Accept_Language=language)
    assert answer.status_code == one.status, answer.getvalue()
    if not answer.get("Content-Type", "").startswith("application/json"):
        return None
    body = answer.json()
    return body.get("message") if isinstance(body, dict) else None


BARE = {"core POST /api/v1/webhooks/{webhook}/test"}  # documented without an envelope


@pytest.mark.parametrize("one", TELLING, ids=str)
def test_what_a_write_says_is_in_the_readers_language(world, one):
    messages = {language: message_of(one, world.acme, language) for language in LANGUAGES}
    if one.surface == "core" and str(one) not in BARE:
        assert all(messages.values()), messages
    assert len(set(messages.values())) == (3 if messages["en"] else 1), messages


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("core POST /api/v1/workspaces", "Workspace created successfully."),
        ("core POST /api/v1/api-keys", "API key created successfully."),
        ("core POST /api/v1/api-keys/{api_key}/rotate", "API key rotated successfully."),
        ("core POST /api/v1/sites", "Site created successfully."),
        ("core PATCH /api/v1/workspaces/{workspace}", "Workspace updated successfully."),
    ],
)
def test_english_is_as_documented(world, name, message):
    one = next(one for one in TELLING if str(one) == name)
    assert message_of(one, world.acme, "en") == message


FIELDS = {
    "required": ({}, "name"),
    "null": ({"name": None, "domain": "a.example"}, "name"),
    "blank": ({"name": "", "domain": "a.example"}, "name"),
    "too long": ({"name": "x" * 300, "domain": "a.example"}, "name"),
    "no text": ({"name": [], "domain": "a.example"}, "name"),
    "no list": ({"name": "a", "domain": "a.example", "apify_keywords": "x"}, "apify_keywords"),
    "no host": ({"name": "a", "domain": "not a host"}, "domain"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_wrong_with_a_field_is_in_the_readers_language(world, name):
    """Also what Django and DRF say."""
    body, field = FIELDS[name]
    answers = ask(world.acme.session("OWNER"), "POST", "/api/v1/sites", body)
    texts = {language: str(answer.json()["errors"][field]) for language, answer in answers.items()}
    assert len(set(texts.values())) == 3, texts


UNUSED = {serializers.FilePathField}  # no body names a file of the server


@pytest.mark.parametrize("language", ["tr", "hu"])
def test_every_message_of_a_field_is_translated(language):
    """Of all fields that a body may have; those of Django and DRF are in their catalogues or, where not, in ours."""
    kinds = {
        kind for kind in vars(serializers).values() if isinstance(kind, type) and issubclass(kind, serializers.Field)
    }
    left = kinds - UNUSED
    messages = {
        str(text)
        for kind in left
        for above in kind.__mro__
        for text in vars(above).get("default_error_messages", {}).values()
    }
    assert len(messages) > 40
    with override(language):
        said = {text: gettext(text) for text in messages}
    assert [text for text in sorted(messages) if said[text] == text] == []


@pytest.mark.parametrize(
    ("query", "field"),
    [("page=x", "page"), ("sort=nope", "sort"), ("fields=nope", "fields"), ("created_after=x", "created_after")],
)
def test_what_is_wrong_with_a_query_is_in_the_readers_language(world, query, field):
    answers = ask(world.acme.session("OWNER"), "GET", f"/api/v1/sites?{query}")
    texts = {language: str(answer.json()["errors"][field]) for language, answer in answers.items()}
    assert len(set(texts.values())) == 3, texts


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("", "en"), ("de", "en"), ("de, hu;q=0.5", "hu"), ("tr-TR,tr;q=0.9", "tr"), ("*", "en"), ("x" * 5000, "en")],
)
@pytest.mark.parametrize("by_key", [True, False])
def test_the_language_is_the_best_of_those_that_are_wanted(world, wanted, given, by_key):
    api = Api(key=world.acme.key("*")) if by_key else world.acme.session("OWNER")
    assert api.get("/api/v1/sites/0", Accept_Language=wanted)["Content-Language"] == given
