"""A product file that brings more than the plan has room for."""

import pytest

from ajansops.kit.entitlements import Feature
from billing.ledger import Ledger
from billing.models import UsageNotice
from content.models import Product
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)
PATH = "/api/v1/products"
REFUSED = "feature_limit_reached"


@pytest.fixture
def load(acme, work):
    """`load("A", "B")` is the error of each product of such a file; an empty one for what was imported."""

    def run(*skus: str) -> list[str]:
        data = "sku,title\n" + "".join(f"{sku},Title of {sku}\n" for sku in skus)
        job = acme.post(f"{PATH}/import", data.encode(), content_type="text/csv").json()["data"]["id"]
        work()
        items = acme.get(f"/api/v1/jobs/{job}/items?per_page=100&sort=id").json()["data"]
        return [(item["error"] or {"code": ""})["code"] for item in items]

    return run


def titles(api: Api) -> dict[str, str]:
    return {row["sku"]: row["title"] for row in api.get(PATH).json()["data"]}


def test_what_is_new_is_imported_until_the_limit_and_what_is_known_is_updated(acme, load, limit):
    assert acme.post(PATH, {"sku": "K", "title": "Known"}).status_code == 201
    limit(Feature.PRODUCTS, 3)
    assert load("A", "B", "C", "D", "K") == ["", "", REFUSED, REFUSED, ""]
    assert titles(acme) == {sku: f"Title of {sku}" for sku in "ABK"}


def test_what_is_deleted_makes_room(acme, load, limit):
    limit(Feature.PRODUCTS, 1)
    assert load("A") == [""]
    assert load("B") == [REFUSED]
    assert acme.delete(f"{PATH}/{Product.objects.get().pk}").status_code == 204
    assert load("B") == [""]


def test_the_plan_is_not_asked_for_each_row(acme, load, limit, monkeypatch):
    """Nor does that hide that much of it is used."""
    asked = []
    admit = Ledger.admit
    monkeypatch.setattr(Ledger, "admit", lambda *args: (asked.append(args[3:]), admit(*args))[1])
    limit(Feature.PRODUCTS, 10)
    assert load(*"ABCDEFG") == [""] * 7
    assert not UsageNotice.objects.exists()
    assert load("H") == [""]
    assert UsageNotice.objects.get().percent == 80
    assert set(asked) == {(0,)}
