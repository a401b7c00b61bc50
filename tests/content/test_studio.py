"""The studio surface, body by body as its reference has it."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from content.models import Audience, Persona, Variant
from jobs.models import Job, JobItem, UnitDay
from tests.conftest import Api

MILLIS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
GENERATE = {
    "/v1/content/generate": ({"content_types": ["description"]}, "content", "content:write"),
    "/v1/content/generate-title": ({"title_types": ["title"]}, "title", "titles:write"),
    "/v1/content/generate-google-feed": ({"googlefeed_types": ["google_feed"]}, "google_feed", "feeds:write"),
    "/v1/tags/generate": ({"mode": "auto"}, "tags", "tags:write"),
}
INFO = {"hourly_remaining", "daily_remaining", "next_reset_at"}


@pytest.fixture
def limits(settings):
    """`limits(hourly=…)` sets those of the plan enterprise."""

    def set_limits(**values: int) -> None:
        settings.ENV = replace(settings.ENV, **{f"rate_limit_ent_{name}": value for name, value in values.items()})

    return set_limits


def test_products_are_listed_as_documented(people, acme, make_product):
    product = make_product(people.acme, pictures=["a.jpg"], primary_picture="a.jpg", suggested_tags=["clay"])
    make_product(people.other, "SKU-9")
    body = acme.get("/v1/inventory/products").json()
    assert isinstance(body["_metadata"].pop("processing_time_ms"), int)
    (shown,) = body.pop("products")
    assert body == {
        "total_count": 1,
        "_metadata": {"workspace_id": people.acme.pk, "total_products": 1, "data_optimized": True},
    }
    assert MILLIS.fullmatch(shown.pop("created_at"))
    assert MILLIS.fullmatch(shown.pop("updated_at"))
    assert shown == {
        "id": f"prod_{product.pk}",
        "sku_id": "SKU-1",
        "title": "Clay Plant Pot",
        "description": "<p>Classic blown clay pot for plants</p>",
        "categories": ["Outdoor"],
        "pictures": ["a.jpg"],
        "primary_picture": "a.jpg",
        "tags": ["pot"],
        "suggested_tags": ["clay"],
        "workspace_id": people.acme.pk,
        "deleted": False,
        "has_suggested_tags": True,
        "ready_for_tagging": True,
    }


def test_products_come_in_pages_when_asked(people, acme, make_product):
    for number in range(3):
        make_product(people.acme, f"S{number}")
    body = acme.get("/v1/inventory/products?page=2&per_page=2").json()
    assert [row["sku_id"] for row in body["products"]] == ["S2"]
    assert body["total_count"] == 3
    assert len(acme.get("/v1/inventory/products").json()["products"]) == 3
    assert acme.get("/v1/inventory/products?page=x").status_code == 400


def test_a_deleted_product_leaves_the_list(people, acme, make_product):
    product = make_product(people.acme)
    acme.delete(f"/api/v1/products/{product.pk}")
    assert acme.get("/v1/inventory/products").json()["products"] == []
    assert acme.get(f"/v1/inventory/variants/{product.pk}").status_code == 404


@pytest.mark.parametrize("prefix", ["", "prod_"])
def test_variants_are_shown_as_documented(people, acme, make_product, prefix):
    product = make_product(people.acme)
    persona = Persona.objects.create(workspace=people.acme, name="Gardener")
    audience = Audience.objects.create(workspace=people.acme, name="test")
    common = {"workspace": people.acme, "product": product, "language": "en-US"}
    title = Variant.objects.create(content_type="title", **common)
    Variant.objects.create(content_type="description", persona=persona, audience=audience, body="<p>x</p>", **common)
    body = acme.get(f"/v1/inventory/variants/{prefix}{product.pk}").json()
    assert MILLIS.fullmatch(body.pop("retrievedAt"))
    (description,), (shown,) = body.pop("descriptionVariants"), body.pop("titleVariants")
    assert body == {
        "success": True,
        "message": "Retrieved all variants for product Clay Plant Pot",
        "inventoryProductId": product.pk,
        "productName": "Clay Plant Pot",
        "tags": ["pot"],
        "googleFeedVariants": [],
    }
    assert MILLIS.fullmatch(shown.pop("createdAt"))
    assert MILLIS.fullmatch(shown.pop("updatedAt"))
    assert shown == {
        "uid": str(title.uid),
        "productTitleId": product.pk,
        "workspacePersonaId": 0,
        "specialDayId": 0,
        "baseAudienceId": 0,
        "body": "",
        "language": "en-US",
        "status": "WAITING",
        "personaName": "SIMPLE_VISITOR",
        "specialDayName": "",
        "audienceName": "",
    }
    assert description["productDescriptionId"] == product.pk
    assert (description["workspacePersonaId"], description["personaName"]) == (persona.pk, "Gardener")
    assert (description["baseAudienceId"], description["audienceName"]) == (audience.pk, "test")


@pytest.mark.parametrize("path", GENERATE)
def test_generating_answers_as_documented(people, acme, make_product, work, path):
    extra, kind, _ = GENERATE[path]
    make_product(people.acme, "A", primary_picture="x.jpg")
    make_product(people.acme, "B")
    for name in "ABC":
        Persona.objects.create(workspace=people.acme, name=name)
    answer = acme.post(path, {"workspace_id": str(people.acme.pk), "language": "tr-TR", **extra})
    assert answer.status_code == 202, answer.content
    body = answer.json()
    units = 2 if kind == "tags" else 6
    assert re.fullmatch(rf"{kind}_{people.acme.pk}_\d{{13}}_[0-9a-z]{{16}}", body["job_id"])
    assert MILLIS.fullmatch(body["estimated_completion"])
    assert body["status_url"] == f"/jobs/{body['job_id']}/status"
    assert (body["processing_mode"], body["status"]) == ("async", "queued")
    assert (body["products_found"], body["products_queued"]) == (2, 2)
    assert body["rate_limit_info"].keys() == INFO
    assert body["rate_limit_info"]["hourly_remaining"] == 200
    assert body["rate_limit_estimate"] == {
        "total_variants_to_generate": units,
        "rate_limit_requests_needed": units,
        "segments_count": 1 if kind == "tags" else 3,
        "interests_count": 1,
    }
    if kind == "content":
        assert body["processing_config"] == {"mode": "background", "estimated_batches": 1}
    if kind == "tags":
        assert body["products_without_images"] == 1
    assert JobItem.objects.count() == units
    work()
    assert acme.get(f"/v1{body['status_url']}").json()["status"] == "completed"


@pytest.mark.parametrize("path", GENERATE)
def test_without_products_the_answer_is_at_once_and_warns(people, acme, path):
    answer = acme.post(path, {"workspace_id": people.acme.pk})
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert re.fullmatch(r"no_products_\d{13}", body.pop("job_id"))
    assert body.pop("rate_limit_info").keys() == INFO
    what = "tagging" if "tags" in path else "content generation"
    assert body == {
        "processing_mode": "sync",
        "products_found": 0,
        "products_queued": 0,
        "products_without_images": 0,
        "results": [],
        "processing_config": {"mode": "none", "batch_size": 0, "estimated_batches": 0},
        "messages": [{"type": "warning", "message": f"No products found for {what}"}],
    }
    assert Job.objects.count() == 0


def test_prod_n_selects_that_product(people, acme, make_product):
    product, _ = make_product(people.acme, "A"), make_product(people.acme, "B")
    title = "/v1/content/generate-title"
    for body in (
        {"workspace_id": f"prod_{product.pk}"},
        {"product_ids": [f"prod_{product.pk}"]},
        {"product_ids": [product.pk]},
    ):
        assert acme.post(title, body).json()["products_found"] == 1
    assert set(Variant.objects.values_list("product_id", flat=True)) == {product.pk}


@pytest.mark.parametrize("path", GENERATE)
def test_what_is_not_the_callers_is_not_found(people, acme, make_product, path):
    make_product(people.acme)
    theirs = make_product(people.other)
    for body in (
        {"workspace_id": str(people.other.pk)},
        {"workspace_id": "x"},
        {"workspace_id": f"prod_{theirs.pk}"},
        {"workspace_id": "prod_x"},
        {"workspace_id": "prod_" + "9" * 30},
    ):
        answer = acme.post(path, body)
        assert answer.status_code == 404, body
        assert answer.json()["error"]["code"] == "NOT_FOUND"
    assert Job.objects.count() == 0


@pytest.mark.parametrize("path", GENERATE)
def test_a_named_row_that_is_not_the_callers_is_a_wrong_body(people, acme, make_product, path):
    make_product(people.acme)
    theirs = make_product(people.other)
    persona = Persona.objects.create(workspace=people.other, name="A")
    answers = {
        acme.post(path, body).json()["error"]["details"]
        for body in (
            {"product_ids": [theirs.pk]},
            {"product_ids": [f"prod_{theirs.pk}"]},
            {"product_ids": [theirs.pk + 1000]},
            {"product_ids": [0]},
        )
    }
    assert answers == {"product_ids.0: Does not exist."}
    readers = acme.post(path, {"persona_ids": [persona.pk]})
    assert (readers.status_code, readers.json()["error"]["code"]) == (400, "BAD_REQUEST")
    assert Job.objects.count() == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/content/generate", {"content_types": ["tags"]}),
        ("/v1/content/generate", {"content_types": []}),
        ("/v1/content/generate-title", {"title_types": ["description"]}),
        ("/v1/content/generate-google-feed", {"language": "xx-XX"}),
        ("/v1/tags/generate", {"mode": "manual"}),
        ("/v1/tags/generate", {"product_ids": "prod_1"}),
    ],
)
def test_a_wrong_body_is_400(people, acme, make_product, path, body):
    make_product(people.acme)
    answer = acme.post(path, body)
    assert answer.status_code == 400, answer.content
    assert answer.json()["error"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize("path", GENERATE)
def test_who_may_not_generate(people, key_for, make_product, path):
    make_product(people.acme)
    scope = GENERATE[path][2]
    assert Api().post(path).status_code == 401
    assert Api(key=key_for(people.acme, "products:write")).post(path).status_code == 403
    assert Api(key=key_for(people.acme, creator=people.bob)).post(path).status_code == 403
    assert Api(key=key_for(people.acme, scope)).post(path).status_code == 202


def test_who_may_not_read(people, other, key_for, make_product, acme):
    product = make_product(people.acme)
    job = acme.post("/v1/content/generate").json()["job_id"]
    for path in (f"/v1/inventory/variants/{product.pk}", f"/v1/jobs/{job}/status", "/v1/inventory/products"):
        assert Api().get(path).status_code == 401
        assert Api(key=key_for(people.acme, "sites:read")).get(path).status_code == 403
        assert Api(key=key_for(people.acme, creator=people.bob)).get(path).status_code == 200
        if "products" not in path:
            assert other.get(path).status_code == 404
    for path in ("/v1/inventory/variants/x", "/v1/inventory/variants/prod_" + "9" * 30, "/v1/jobs/nope/status"):
        assert acme.get(path).status_code == 404


def test_status_counts_products_and_not_variants(people, acme, make_product, work, fake):
    make_product(people.acme, "A")
    make_product(people.acme, "B", title="Lamp")
    fake.answers = ["", "", "<p>A pot</p>"]
    job = acme.post("/v1/content/generate", {"content_types": ["description", "title"]}).json()["job_id"]
    before = acme.get(f"/v1/jobs/{job}/status").json()
    assert before["progress"]["total_products"] == 2
    assert before["progress"]["processed_products"] == 0
    assert before["timing"]["completed_at"] is None
    work(concurrency=1)
    body = acme.get(f"/v1/jobs/{job}/status").json()
    assert all(MILLIS.fullmatch(moment) for moment in body.pop("timing").values())
    progress = body.pop("progress")
    assert progress["total_products"] == progress["processed_products"] == 2
    assert progress["success_products"] + progress["failed_products"] == 2
    assert progress["failed_products"] >= 1
    assert progress["percentage"] == 100
    assert body == {
        "job_id": job,
        "job_type": "content",
        "status": "completed",
        "processing_mode": "async",
        "workspace_id": people.acme.pk,
        "brand_id": str(people.acme.pk),
        "configuration": {
            "processing_mode": "async",
            "batch_size": 10,
            "retry_limit": 3,
            "webhook_configured": False,
        },
    }


def test_an_import_has_a_status_too(people, acme, work):
    job = acme.post("/api/v1/products/import", b"sku,title\nA,B\nC,\n", content_type="text/csv").json()["data"]["id"]
    work()
    progress = acme.get(f"/v1/jobs/{job}/status").json()["progress"]
    assert progress == {
        "total_products": 2,
        "processed_products": 2,
        "success_products": 1,
        "failed_products": 1,
        "percentage": 100,
    }


def test_what_is_left_counts_what_was_made_this_hour_and_day(people, acme, make_product, work, monkeypatch):
    make_product(people.acme, "A")
    make_product(people.acme, "B")
    acme.post("/v1/content/generate")
    work()
    day = UnitDay.objects.get()
    assert sum(day.hours) == 2
    day.day, day.hours = date(2026, 5, 5), [0] * 10 + [1, 1] + [0] * 12
    day.save()
    monkeypatch.setattr("content.services.generation.now", lambda: datetime(2026, 5, 5, 11, 45, 10, tzinfo=UTC))
    info = acme.post("/v1/content/generate").json()["rate_limit_info"]
    assert info == {"hourly_remaining": 199, "daily_remaining": 3198, "next_reset_at": "2026-05-05T12:00:00.000Z"}


@pytest.mark.parametrize(
    ("left", "code", "message", "details"),
    [
        (
            {"hourly": 1},
            "HOURLY_RATE_LIMIT_EXCEEDED",
            "Hourly rate limit exceeded",
            "You have exceeded your hourly rate limit of 1 requests. "  # noqa: ISC004
            "Please wait until the next hour or upgrade your plan.",
        ),
        (
            {"daily": 1},
            "DAILY_RATE_LIMIT_EXCEEDED",
            "Daily rate limit exceeded",
            "You have exceeded your daily rate limit of 1 requests. Please wait until tomorrow or upgrade your plan.",
        ),
        (
            {"concurrent": 0},
            "CONCURRENT_LIMIT_EXCEEDED",
            "Concurrent job limit exceeded",
            "You have reached the maximum number of concurrent jobs (0). Please wait for existing jobs to complete.",
        ),
    ],
)
def test_nothing_left_is_the_documented_429(people, acme, make_product, work, limits, left, code, message, details):
    make_product(people.acme)
    acme.post("/v1/content/generate")
    work()
    limits(**left)
    answer = acme.post("/v1/content/generate")
    assert answer.status_code == 429
    error = answer.json()["error"]
    assert MILLIS.fullmatch(error.pop("timestamp"))
    assert error == {"code": code, "message": message, "details": details, "path": "/v1/content/generate"}
    assert ("Retry-After" in answer) is ("concurrent" not in left)
    assert Job.objects.count() == 1


def test_jobs_that_run_are_counted_and_ended_ones_are_not(people, acme, make_product, work, limits):
    make_product(people.acme)
    limits(concurrent=1)
    assert acme.post("/v1/content/generate").status_code == 202
    assert acme.post("/v1/tags/generate").json()["error"]["code"] == "CONCURRENT_LIMIT_EXCEEDED"
    work()
    assert acme.post("/v1/tags/generate").status_code == 202
