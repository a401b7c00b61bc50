"""POST /api/v1/products/import, and what its job makes."""

import csv

import pytest
from django.db import connection

from ajansops.demo.catalogue import catalogue
from content.models import Product
from tests.conftest import Api

PATH = "/api/v1/products/import"
PLAIN = b"sku,title,description,tags,Colour\nA-1,Pot,<p>Clay</p>,pot|clay,Red\n"


def upload(api: Api, data: bytes, content_type: str = "text/csv"):
    return api.post(PATH, data, content_type=content_type)


def failed(api: Api, job: str) -> dict[str, str]:
    rows = api.get(f"/api/v1/jobs/{job}/items?state=failed&per_page=100").json()["data"]
    return {row["key"]: row["error"]["message"] for row in rows}


def test_it_works(people, acme, work):
    answer = upload(acme, PLAIN)
    assert answer.status_code == 202, answer.content
    job = answer.json()["data"]
    assert job["type"] == "import"
    assert job["configuration"] == {"filename": "", "format": "plain", "rows": 1, "blank_rows": 0, "faulty_rows": 0}
    work()
    (product,) = acme.get("/api/v1/products").json()["data"]
    shown = {name: product[name] for name in ("sku", "title", "description", "tags", "attributes")}
    assert shown == {
        "sku": "A-1",
        "title": "Pot",
        "description": "<p>Clay</p>",
        "tags": ["pot", "clay"],
        "attributes": [["Colour", "Red"]],
    }


def test_a_form_with_a_file_is_taken_too(people, acme, work):
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="my.csv"\r\n\r\n' + PLAIN + b"\r\n--x--\r\n"
    answer = upload(acme, body, "multipart/form-data; boundary=x")
    assert answer.status_code == 202, answer.content
    assert answer.json()["data"]["configuration"]["filename"] == "my.csv"
    work()
    assert Product.objects.get().sku == "A-1"


def test_every_row_of_the_real_export_is_imported_or_reported(people, acme, work, shared):
    path = shared / "data" / "shopify-home-and-garden.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    handles = {row["Handle"] for row in rows}
    titles = {row["Handle"]: row["Title"] for row in rows if row["Title"]}
    job = upload(acme, path.read_bytes()).json()["data"]
    assert job["configuration"]["rows"] == len(rows)
    work()
    progress = acme.get(f"/api/v1/jobs/{job['id']}").json()["data"]["progress"]
    assert progress["succeeded"] + progress["failed"] == len(handles) == progress["total"]
    products = {one.external_handle: one for one in Product.objects.all()}
    assert {handle: one.title for handle, one in products.items()} == titles
    assert set(failed(acme, job["id"])) == set()
    assert products["clay-plant-pot"].attributes[1] == ["Size", "Regular, Large"]
    assert len(products["clay-plant-pot"].pictures) == 2


def test_the_demo_catalogue_reports_its_one_bad_row(people, acme, work):
    job = upload(acme, catalogue("http://127.0.0.1:1").encode()).json()["data"]
    work()
    (reason,) = failed(acme, job["id"]).values()
    assert "title is missing" in reason


def test_importing_again_updates_and_never_duplicates(people, acme, work):
    upload(acme, PLAIN)
    work()
    first = Product.objects.get()
    first.tags = [*first.tags, "approved here"]
    first.save()
    upload(acme, PLAIN.replace(b"Pot", b"Big Pot").replace(b"pot|clay", b"pot|new"))
    work()
    product = Product.objects.get()
    assert (product.pk, product.title) == (first.pk, "Big Pot")
    assert product.tags == ["pot", "new", "clay", "approved here"]


def test_a_file_of_prices_leaves_descriptions_alone(people, acme, work):
    upload(acme, PLAIN)
    work()
    upload(acme, b"sku,title,Price\nA-1,Pot,10\n")
    work()
    product = Product.objects.get()
    assert product.description == "<p>Clay</p>"
    assert product.attributes == [["Price", "10"]]


def test_a_deleted_product_is_made_anew(people, acme, work):
    upload(acme, PLAIN)
    work()
    assert acme.delete(f"/api/v1/products/{Product.objects.get().pk}").status_code == 204
    upload(acme, PLAIN)
    work()
    assert Product.objects.live().count() == 1
    assert Product.objects.count() == 2


def test_a_sku_of_another_product_is_reported_not_merged(people, acme, work):
    file = b"Handle,Title,Body (HTML),Variant SKU\npot,Pot,,S-1\nlamp,Lamp,,S-1\n"
    job = upload(acme, file).json()["data"]
    work()
    assert Product.objects.count() == 1
    (reason,) = failed(acme, job["id"]).values()
    assert reason.endswith("Its SKU belongs to another product.")


def test_html_of_a_file_is_made_safe(people, acme, work):
    html = '<p onclick=x()>Pot <script>alert(1)</script><img src=http://e/x.png><a href="javascript:x()">a</a></p>'
    quoted = html.replace('"', '""')
    upload(acme, f'sku,title,description\nA,<b>Pot</b> & Pan,"{quoted}"\n'.encode())
    work()
    product = Product.objects.get()
    assert product.title == "Pot & Pan"
    assert product.description == '<p>Pot <a rel="noopener noreferrer">a</a></p>'


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"name\nPot\n", "text/csv", 422),
        (b"", "text/csv", 422),
        (b"x" * (20 * 2**20 + 1), "text/csv", 413),
        (PLAIN, "application/json", 415),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 400),
    ],
)
def test_what_is_no_product_file_is_refused(people, acme, data, content_type, status):
    answer = upload(acme, data, content_type)
    assert answer.status_code == status, answer.content
    assert Product.objects.count() == 0


def test_who_may_not_import(people, acme, key_for):
    assert upload(Api(), PLAIN).status_code == 401
    assert upload(Api(key=key_for(people.acme, "products:read")), PLAIN).status_code == 403
    assert upload(Api(key=key_for(people.acme, creator=people.bob)), PLAIN).status_code == 403


def test_looking_for_a_known_product_reads_no_whole_workspace(people, alice, work, make_product):
    make_product(people.acme)
    live = Product.objects.live().filter(workspace_id=people.acme.pk)
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL plans by the size of the table")
    by_handle = live.exclude(external_handle="").filter(external_handle="pot")[:1].explain()
    assert "product_handle_once" in by_handle
    assert "product_sku_once" in live.filter(sku="pot")[:1].explain()
