"""The API's description of itself: complete, valid, and served without anything from outside."""

import re

import pytest
from django.core.management import call_command

from tests.conftest import Api


@pytest.fixture
def schema(db):
    return Api().get("/api/schema/").json()


def test_every_surface_is_described_without_a_warning(tmp_path):
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_it_is_openapi_3_1_of_all_four_surfaces(schema):
    assert schema["openapi"].startswith("3.1")
    tags = {tag for path in schema["paths"].values() for call in path.values() for tag in call["tags"]}
    assert tags == {"core", "studio", "app", "insight"}


def test_a_resource_is_shown_in_its_envelope(schema):
    reply = schema["paths"]["/api/v1/sites"]["post"]["responses"]["201"]["content"]["application/json"]["schema"]
    component = schema["components"]["schemas"][reply["$ref"].rpartition("/")[2]]
    assert {"data", "message"} <= set(component["properties"])


def test_the_docs_page_loads_nothing_from_outside(db):
    page = Api().get("/api/docs/").content.decode()
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page) == []
