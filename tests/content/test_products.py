"""/api/v1/products, their tags and their variants."""

import pytest

from content.models import Product, Variant
from tests.conftest import Api

PATH = "/api/v1/products"


def test_it_works(people, acme):
    body = {"sku": "A-1", "title": " Clay \n Pot ", "description": "<p>x<script>y</script></p>", "pictures": ["a.jpg"]}
    answer = acme.post(PATH, body)
    assert answer.status_code == 201, answer.content
    made = answer.json()["data"]
    assert (made["title"], made["description"], made["primary_picture"]) == ("Clay Pot", "<p>x</p>", "a.jpg")
    one = f"{PATH}/{made['id']}"
    changed = acme.patch(one, {"attributes": [["Size", "L"]], "tags": ["pot"]}).json()["data"]
    assert (changed["attributes"], changed["tags"], changed["sku"]) == ([["Size", "L"]], ["pot"], "A-1")
    put = acme.put(one, {"sku": "A-2", "title": "Pot"}).json()["data"]
    assert (put["sku"], put["tags"], put["description"]) == ("A-2", [], "")
    assert acme.get(one).json()["data"] == put
    assert [row["id"] for row in acme.get(PATH).json()["data"]] == [made["id"]]
    assert acme.delete(one).status_code == 204
    assert acme.get(one).status_code == 404
    assert acme.get(PATH).json()["data"] == []


def test_a_sku_is_taken_once_and_freed_by_deleting(people, acme, other):
    made = acme.post(PATH, {"sku": "A", "title": "Pot"}).json()["data"]
    answer = acme.post(PATH, {"sku": "A", "title": "Pot"})
    assert answer.status_code == 409
    assert list(answer.json()["errors"]) == ["sku"]
    assert other.post(PATH, {"sku": "A", "title": "Pot"}).status_code == 201
    second = acme.post(PATH, {"sku": "B", "title": "Pot"}).json()["data"]
    assert acme.patch(f"{PATH}/{second['id']}", {"sku": "A"}).status_code == 409
    acme.delete(f"{PATH}/{made['id']}")
    assert acme.post(PATH, {"sku": "A", "title": "Pot"}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"title": "Pot"}, "sku"),
        ({"sku": "A"}, "title"),
        ({"sku": "A", "title": ""}, "title"),
        ({"sku": "A", "title": "x" * 501}, "title"),
        ({"sku": "A", "title": "B", "tags": "pot"}, "tags"),
        ({"sku": "A", "title": "B", "attributes": [["Size"]]}, "attributes.0"),
        ({"sku": "A", "title": "B", "colour": "red"}, "colour"),
    ],
)
def test_a_wrong_field_is_named(people, acme, body, field):
    answer = acme.post(PATH, body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


@pytest.mark.parametrize(("search", "found"), [("POT", ["A-1"]), ("b-", ["B-2"]), ("x", []), ("", ["B-2", "A-1"])])
def test_search_looks_in_title_and_sku(people, acme, make_product, search, found):
    make_product(people.acme, "A-1", title="Clay pot")
    make_product(people.acme, "B-2", title="Lamp")
    assert [row["sku"] for row in acme.get(f"{PATH}?search={search}").json()["data"]] == found


def test_approving_moves_suggestions_into_tags(people, acme, make_product):
    product = make_product(people.acme, tags=["pot"], suggested_tags=["clay", "garden", "POT", "red"])
    answer = acme.post(f"{PATH}/{product.pk}/tags/approve", {"tags": ["clay", "POT", "never suggested"]})
    assert answer.status_code == 200, answer.content
    assert answer.json()["data"]["tags"] == ["pot", "clay"]
    assert answer.json()["data"]["suggested_tags"] == ["garden", "red"]
    rest = acme.post(f"{PATH}/{product.pk}/tags/approve").json()["data"]
    assert (rest["tags"], rest["suggested_tags"]) == (["pot", "clay", "garden", "red"], [])


def test_rejecting_drops_suggestions(people, acme, make_product):
    product = make_product(people.acme, tags=["pot"], suggested_tags=["clay", "garden"])
    some = acme.post(f"{PATH}/{product.pk}/tags/reject", {"tags": ["clay"]}).json()["data"]
    assert (some["tags"], some["suggested_tags"]) == (["pot"], ["garden"])
    assert acme.post(f"{PATH}/{product.pk}/tags/reject", {}).json()["data"]["suggested_tags"] == []


def test_variants_are_listed_and_narrowed(people, acme, make_product):
    pot, lamp = make_product(people.acme, "A"), make_product(people.acme, "B")
    for product, content_type, status in [(pot, "title", "GENERATED"), (pot, "description", "WAITING")]:
        Variant.objects.create(
            workspace=people.acme, product=product, content_type=content_type, status=status, language="en-US"
        )
    last = Variant.objects.create(workspace=people.acme, product=lamp, content_type="title", language="en-US")

    def found(query: str) -> list[int]:
        return [row["product_id"] for row in acme.get(f"/api/v1/{query}").json()["data"]]

    assert found("variants") == [lamp.pk, pot.pk, pot.pk]
    assert found(f"products/{pot.pk}/variants") == [pot.pk, pot.pk]
    assert found("variants?status=generated") == [pot.pk]
    assert found("variants?content_type=title") == [lamp.pk, pot.pk]
    assert found(f"variants?product_id={lamp.pk}&status=WAITING") == [lamp.pk]
    assert acme.get("/api/v1/variants?status=nope").status_code == 422
    assert acme.get("/api/v1/variants?product_id=nope").status_code == 422
    assert acme.get(f"/api/v1/variants/{last.pk}").json()["data"]["uid"] == str(last.uid)
    acme.delete(f"{PATH}/{lamp.pk}")
    assert found("variants") == [pot.pk, pot.pk]


@pytest.mark.parametrize(
    ("status", "verb", "answered", "after"),
    [
        ("GENERATED", "approve", 200, "APPROVED"),
        ("GENERATED", "reject", 200, "REJECTED"),
        ("APPROVED", "approve", 200, "APPROVED"),
        ("REJECTED", "approve", 200, "APPROVED"),
        ("WAITING", "approve", 409, "WAITING"),
        ("FAILED", "reject", 409, "FAILED"),
        ("PUBLISHED", "reject", 409, "PUBLISHED"),
    ],
)
def test_what_is_generated_can_be_reviewed(people, acme, make_product, status, verb, answered, after):
    product = make_product(people.acme)
    row = Variant.objects.create(
        workspace=people.acme, product=product, content_type="title", status=status, language="en-US"
    )
    assert acme.post(f"/api/v1/variants/{row.pk}/{verb}").status_code == answered
    row.refresh_from_db()
    assert row.status == after


def calls(product: Product, variant: Variant) -> list[tuple[str, str]]:
    one, text = f"{PATH}/{product.pk}", f"/api/v1/variants/{variant.pk}"
    reads = [("GET", one), ("GET", f"{one}/variants"), ("GET", text)]
    writes = [
        ("PATCH", one),
        ("PUT", one),
        ("DELETE", one),
        ("POST", f"{one}/tags/approve"),
        ("POST", f"{one}/tags/reject"),
        ("POST", f"{text}/approve"),
        ("POST", f"{text}/reject"),
    ]
    return reads + writes


def test_who_may_not(people, other, key_for, make_product):
    product = make_product(people.acme, suggested_tags=["clay"])
    variant = Variant.objects.create(workspace=people.acme, product=product, content_type="title", language="en-US")
    viewer = Api(key=key_for(people.acme, creator=people.bob))
    scoped = Api(key=key_for(people.acme, "jobs:read"))
    body = {"sku": "Z", "title": "Z"}
    for method, path in calls(product, variant):
        assert Api().call(method, path, {}).status_code == 401, path
        assert scoped.call(method, path, {}).status_code == 403, path
        assert viewer.call(method, path, {}).status_code == (200 if method == "GET" else 403), path
        sent = body if method == "PUT" else {}
        assert other.call(method, path, sent).status_code == 404, (method, path)
    assert Api().get(PATH).status_code == 401
    assert viewer.post(PATH, body).status_code == 403
    assert other.get(PATH).json()["data"] == []
    product.refresh_from_db()
    assert (product.deleted_at, product.suggested_tags) == (None, ["clay"])
