"""Personas, audiences, special days and brands on core: plain resources, declared."""

import pytest

from accounts.models import Activity
from content.models import Brand, Persona, Variant
from tests.conftest import Api

FULL = {
    "/api/v1/personas": {"name": "Young parent", "description": "Buys at night."},
    "/api/v1/audiences": {"name": "Gift givers", "description": ""},
    "/api/v1/special-days": {"name": "Hıdırellez", "date": "2026-05-06"},
    "/api/v1/brands": {
        "name": "Toprak",
        "voice": "Warm",
        "banned_words": ["cheap"],
        "required_words": [],
        "samples": ["Hand-made."],
        "is_default": True,
    },
}


@pytest.mark.parametrize("path", FULL)
def test_it_works(acme, path):
    answer = acme.post(path, FULL[path])
    assert answer.status_code == 201, answer.content
    made = answer.json()["data"]
    assert {name: made[name] for name in FULL[path]} == FULL[path]
    assert acme.get(f"{path}/{made['id']}").json()["data"] == made
    changed = acme.patch(f"{path}/{made['id']}", {"name": "Renamed"}).json()
    assert set(changed) == {"message", "data"}
    assert changed["data"]["name"] == "Renamed"
    assert acme.get(f"{path}?search=renam&fields=name").json()["data"] == [{"name": "Renamed"}]
    replaced = acme.put(f"{path}/{made['id']}", {"name": "Bare"}).json()["data"]
    assert [replaced[name] for name in FULL[path] if name != "name" and replaced[name]] == []
    assert acme.delete(f"{path}/{made['id']}").status_code == 204
    assert acme.get(f"{path}/{made['id']}").status_code == 404
    resource = path.rpartition("/")[2].removesuffix("s").replace("-", "_")
    told = Activity.objects.filter(action__startswith=f"{resource}.").order_by("seq").values_list("action", flat=True)
    assert list(told) == [f"{resource}.{what}" for what in ("created", "updated", "updated", "deleted")]


@pytest.mark.parametrize("path", FULL)
def test_a_name_is_taken_once_in_a_workspace(acme, other, path):
    assert acme.post(path, FULL[path]).status_code == 201
    answer = acme.post(path, FULL[path])
    assert (answer.status_code, answer.json()["error"], list(answer.json()["errors"])) == (409, "conflict", ["name"])
    assert other.post(path, FULL[path]).status_code == 201
    second = acme.post(path, {"name": "Second"}).json()["data"]["id"]
    assert acme.patch(f"{path}/{second}", {"name": FULL[path]["name"]}).status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/api/v1/personas", {}, "name"),
        ("/api/v1/personas", {"name": "x" * 121}, "name"),
        ("/api/v1/personas", {"name": "N", "workspace_id": 1}, "workspace_id"),
        ("/api/v1/special-days", {"name": "N", "date": "2026-02-30"}, "date"),
        ("/api/v1/brands", {"name": "N", "banned_words": "cheap"}, "banned_words"),
        ("/api/v1/brands", {"name": "N", "is_default": "perhaps"}, "is_default"),
    ],
)
def test_what_is_wrong_is_named(acme, path, body, field):
    answer = acme.post(path, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_one_brand_is_the_default(acme, other, people):
    first = acme.post("/api/v1/brands", {"name": "A", "is_default": True}).json()["data"]["id"]
    foreign = other.post("/api/v1/brands", {"name": "A", "is_default": True}).json()["data"]["id"]
    second = acme.post("/api/v1/brands", {"name": "B"}).json()["data"]["id"]
    acme.patch(f"/api/v1/brands/{second}", {"is_default": True})
    defaults = set(Brand.objects.filter(is_default=True).values_list("pk", flat=True))
    assert defaults == {second, foreign}
    assert first not in defaults


def test_a_persona_goes_with_its_texts(acme, people):
    made = acme.post("/api/v1/personas", {"name": "P"}).json()["data"]["id"]
    product = acme.post("/api/v1/products", {"sku": "1", "title": "T"}).json()["data"]["id"]
    Variant.objects.create(
        workspace=people.acme, product_id=product, persona_id=made, content_type="title", language="en-US"
    )
    row = acme.get("/api/v1/variants?include=persona,audience&fields=id,persona_id").json()["data"][0]
    assert (row["persona"]["name"], row["audience"]) == ("P", None)
    acme.delete(f"/api/v1/personas/{made}")
    assert not Variant.objects.exists()
    assert not Persona.objects.exists()


def test_an_include_needs_its_own_right(people, key_for):
    api = Api(key=key_for(people.acme, "content:read", "products:read"))
    assert api.get("/api/v1/variants?include=product").status_code == 200
    answer = api.get("/api/v1/variants?include=product,persona")
    assert (answer.status_code, "personas:read" in answer.json()["message"]) == (403, True)
