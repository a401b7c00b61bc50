"""The API's description of itself: complete, valid, committed, and served without anything from outside."""

import re
from pathlib import Path

import pytest
from django.core.management import call_command
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.conftest import Api

COMMITTED = Path(__file__).resolve().parent.parent.parent / "docs" / "openapi.yaml"
METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def schema(django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        return Api().get("/api/schema/").json()


def operations(schema):
    """By id."""
    return {
        call["operationId"]: call
        for path in schema["paths"].values()
        for method, call in path.items()
        if method in METHODS
    }


def component(schema, ref):
    """What a reference leads to."""
    _, _, kind, name = ref.split("/")
    return schema["components"][kind][name]


def success(schema, operation):
    """The schema of its first 2xx."""
    code = min(code for code in operation["responses"] if code.startswith("2"))
    return component(schema, operation["responses"][code]["content"]["application/json"]["schema"]["$ref"])


def test_the_committed_schema_is_what_the_code_says(tmp_path):
    made = tmp_path / "schema.yaml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(made))
    assert made.read_text() == COMMITTED.read_text(), "docs/openapi.yaml is out of date: run `make schema`"


def test_it_is_openapi_3_1_of_all_four_surfaces(schema):
    OpenAPIV31SpecValidator(schema).validate()
    assert schema["openapi"].startswith("3.1")
    described = {tag["name"] for tag in schema["tags"] if tag["description"]}
    assert {tag for call in operations(schema).values() for tag in call["tags"]} == described - {"webhooks"}
    assert described == {"core", "studio", "app", "insight", "webhooks"}


def test_it_has_the_catalogue_of_events(schema, acme):
    told = {name: calls["post"] for name, calls in schema["webhooks"].items()}
    shown = {
        name: (call["summary"], call["requestBody"]["content"]["application/json"]["example"])
        for name, call in told.items()
    }
    listed = acme.get("/api/v1/webhooks/events").json()["data"]
    assert shown == {event["type"]: (event["description"], event["example"]) for event in listed}
    assert all(call["tags"] == ["webhooks"] for call in told.values())


def test_every_example_is_valid(schema):
    registry = Registry().with_resource("urn:api", Resource(schema, DRAFT202012))
    wrong = []
    for name, place, media in _media(schema):
        shown = {"$ref": f"urn:api#{place}/schema"}
        checker = Draft202012Validator(shown, registry=registry, format_checker=Draft202012Validator.FORMAT_CHECKER)
        wrong += [f"{name}: {error.json_path} {error.message}" for error in checker.iter_errors(media["example"])]
    assert wrong == []


def _media(schema):
    """Every body with where it stands."""
    places = [f"/{part}/{path.replace('/', '~1')}" for part in ("paths", "webhooks") for path in schema[part]]
    for place, calls in zip(places, [*schema["paths"].values(), *schema["webhooks"].values()], strict=True):
        for method in calls.keys() & METHODS:
            call, at = calls[method], f"{place}/{method}"
            for kind, media in call.get("requestBody", {}).get("content", {}).items():
                yield call["operationId"], f"{at}/requestBody/content/{kind.replace('/', '~1')}", media
            for code, answer in call["responses"].items():
                for kind, media in answer.get("content", {}).items():
                    yield call["operationId"], f"{at}/responses/{code}/content/{kind.replace('/', '~1')}", media
    for name, answer in schema["components"]["responses"].items():
        for kind, media in answer["content"].items():
            yield name, f"/components/responses/{name}/content/{kind.replace('/', '~1')}", media


def test_no_answer_is_just_any_object(schema):
    """But those that are: an export, and what a periodic task counted."""
    vague = {"app_account_export_get", "insight_cron_name_get", "insight_cron_name_post"}
    for name, call in operations(schema).items():
        for code, answer in call["responses"].items():
            for media in answer.get("content", {}).values():
                told = media["schema"].keys() & {"$ref", "items", "properties"} or media["schema"] == {"type": "string"}
                assert told or name in vague, f"{name} {code}"


def test_a_write_on_core_says_what_it_did(schema):
    assert set(success(schema, operations(schema)["core_sites_create"])["required"]) == {"message", "data"}


def test_a_list_has_pages_or_cursors(schema):
    page = success(schema, operations(schema)["core_sites_list"])
    assert set(page["required"]) == {"data", "meta", "links"}
    assert len(page["properties"]["meta"]["anyOf"]) == 2


def test_the_app_surface_is_camel_case_with_texts_as_ids(schema):
    reply = success(schema, operations(schema)["app_sites_retrieve"])
    site = component(schema, reply["properties"]["data"]["$ref"])
    assert site["properties"]["id"]["type"] == "string"
    assert "techStack" in site["properties"]
    assert "tech_stack" not in site["properties"]


def test_what_may_be_null_says_so(schema):
    key = schema["components"]["schemas"]["ApiKey"]["properties"]
    assert key["last_used_at"] == {"type": ["string", "null"], "format": "date-time"}
    assert key["created_at"]["type"] == "string"
    assert schema["components"]["schemas"]["Product"]["properties"]["tags"]["items"] == {"type": "string"}


@pytest.mark.parametrize(
    ("name", "there", "not_there"),
    [
        ("core_sites_create", {400, 401, 403, 409, 413, 415, 422, 429, 500, 503}, {502}),
        ("core_sites_list", {401, 403, 422, 429}, {409, 413, 415}),
        ("studio_content_generate_post", {400, 401, 409, 422, 429}, {502}),
        ("studio_auth_login_post", {400, 401, 429}, {403, 409}),
        ("app_health_get", {200, 503}, {401, 403, 429}),
        ("insight_chat_insight_post", {400, 401, 429, 502, 503}, {422}),
    ],
)
def test_an_operation_has_the_errors_that_can_come(schema, name, there, not_there):
    found = set(map(int, operations(schema)[name]["responses"]))
    assert there <= found
    assert not found & not_there


@pytest.mark.parametrize(
    ("name", "schemes"),
    [
        ("core_sites_list", {"apiKey", "basicKey", "session"}),
        ("studio_auth_me_get", {"apiKey", "basicKey", "session", "studioToken"}),
        ("app_account_export_get", {"session"}),
        ("insight_cron_get", {"cronSecret"}),
        ("app_health_get", set()),
    ],
)
def test_an_operation_says_who_may_call(schema, name, schemes):
    assert {scheme for one in operations(schema)[name]["security"] for scheme in one} == schemes


def test_the_scope_is_named(schema):
    assert operations(schema)["core_sites_create"]["x-required-scope"] == "sites:write"


def test_only_writes_with_a_credential_take_an_idempotency_key(schema):
    taking = {
        name
        for name, call in operations(schema).items()
        if {"$ref": "#/components/parameters/IdempotencyKey"} in call["parameters"]
    }
    assert {"core_sites_create", "app_sites_destroy", "studio_tags_generate_post"} <= taking
    assert not taking & {"core_sites_list", "studio_auth_login_post", "insight_audit_run_post"}


def test_the_docs_page_loads_nothing_from_outside(db):
    page = Api().get("/api/docs/").content.decode()
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
