"""What jobs make, change and fail at is told to endpoints: once an object, as core shows it, and only if it is kept."""

import json
from collections import Counter
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, connections, transaction

from accounts.actors import operator
from accounts.models import Activity
from ajansops.kit import runners
from ajansops.kit.clock import iso, now
from ajansops.kit.events import tell
from ajansops.kit.public_events import public_events
from ajansops.kit.runners import Item, ItemFailed, NewItem, News, Runner, Saved
from content.models import Product
from jobs.services import start_job
from tests.conftest import Api
from tests.leads.conftest import Pages
from tests.leads.test_scrape import ld, shop
from tests.webhooks.test_endpoints import SITE
from webhooks.models import Delivery, Event

pytestmark = pytest.mark.django_db(transaction=True)

A, B = shop("A", email="a@firma.com.tr"), shop("B", email="b@firma.hu")
PAGES = {
    "/": "<!doctype html><html lang=en><title>A title that is long enough to be one</title><h1>Tea</h1>",
    "/list": ld(A, B),
    "/more": ld(A | {"telephone": "+36 30 555 0123"}, B),
}


@pytest.fixture(scope="module")
def pages():
    server = Pages(PAGES).start()
    yield server.url
    server.stop()


def post(api: Api, path: str, body, **headers: str) -> dict:
    answer = api.post(f"/api/v1/{path}", body, **headers)
    assert answer.status_code < 300, answer.content
    return answer.json()["data"]


def imports(*rows: str):
    return lambda api, pages: post(api, "products/import", "\n".join(["sku,title", *rows]), content_type="text/csv")


def generates(*types: str):
    return lambda api, pages: post(api, "content/generate", {"content_types": types, "language": "en"})


def site_of(api: Api, domain: str) -> int:
    known = api.get("/api/v1/sites").json()["data"]
    return known[0]["id"] if known else post(api, "sites", {"name": "S", "domain": domain})["id"]


def scrapes(path: str):
    def start(api: Api, pages: str) -> None:
        site_id = site_of(api, "s.example.com")
        post(api, "leads/scrape", {"site_id": site_id, "source": "website", "terms": [pages + path]})

    return start


def crawls(api: Api, pages: str) -> None:
    post(api, "seo/scrape", {"site_id": site_of(api, pages.removeprefix("http://"))})


def forbids(word: str):
    """That a text has this word and lacks it: none can be written."""
    body = {"name": word, "banned_words": [word], "required_words": [word], "is_default": True}
    return lambda api, pages: post(api, "brands", body)


# What is done, one after the other, and what is told of each beside the job.
STORIES = {
    "import": [
        (imports("A,Tea", "B,Pot"), {"product.created": 2}),
        (imports("A,Tea", "B,Pot"), {}),
        (imports("A,Tea", "B,Kettle", "C,Cup", ",no sku"), {"product.updated": 1, "product.created": 1}),
    ],
    "tags": [
        (imports("A,Red clay pot"), {"product.created": 1}),
        (generates("tags"), {"product.updated": 1}),
        (generates("tags"), {}),
    ],
    "texts": [
        (imports("A,Tea", "B,Pot"), {"product.created": 2}),
        (generates("title", "description"), {"variant.generated": 4}),
        (generates("title"), {"variant.generated": 2}),
    ],
    "texts that are refused": [
        (imports("A,Tea", "B,Pot"), {"product.created": 2}),
        (forbids("tea"), {"brand.created": 1}),
        (generates("title"), {"variant.failed": 2}),
        (forbids("pot"), {"brand.created": 1, "brand.updated": 1}),
    ],
    "scrape": [
        (scrapes("/list"), {"site.created": 1, "lead.created": 2}),
        (scrapes("/list"), {}),
        (scrapes("/more"), {"lead.updated": 1}),
    ],
    "crawl": [(crawls, {"site.created": 1, "seo.report.created": 1})],
}


def taken(receiver) -> list[dict]:
    """What has come since the last call, without what is told of jobs themselves."""
    bodies = [json.loads(one.body) for one in receiver.taken]
    receiver.taken.clear()
    return [body for body in bodies if not body["type"].startswith("job.")]


@pytest.mark.parametrize("name", STORIES)
def test_each_object_is_told_once_as_core_shows_it(acme, people, work, dispatch, receiver, endpoint, pages, name):
    for act, expected in STORIES[name]:
        act(acme, pages)
        work()
        dispatch()
        told = taken(receiver)
        assert Counter(body["type"] for body in told) == expected
        assert len({(body["type"], body["data"]["id"]) for body in told}) == len(told)
        for body in told:
            shown = acme.get(f"/api/v1/{public_events()[body['type']].path}/{body['data']['id']}").json()["data"]
            assert body["data"] == {field: shown[field] for field in body["data"]}
            assert body["workspace_id"] == people.acme.pk
    of_rows = Activity.objects.filter(action__regex=r"^(product|variant|lead|seo)\.")
    assert not of_rows.exists(), "in the log it is the job"


@pytest.mark.parametrize("name", STORIES)
def test_what_a_test_key_starts_is_kept_and_sent_by_nobody(people, key_for, work, dispatch, receiver, pages, name):
    acme, test = Api(key=key_for(people.acme)), Api(key=key_for(people.acme, test=True))
    endpoint = post(acme, "webhooks", {"url": receiver.url, "events": ["*"]})
    begin, expected = iso(now() - timedelta(minutes=1)), Counter[str]()
    for act, told in STORIES[name]:
        act(test, pages)
        work()
        dispatch()
        expected.update(told)
    assert (receiver.taken, Delivery.objects.count()) == ([], 0)
    kept = Counter(Event.objects.exclude(type__startswith="job.").values_list("type", flat=True))
    assert kept == expected
    post(acme, f"webhooks/{endpoint['id']}/replay", {"since": begin})
    dispatch()
    assert Counter(body["type"] for body in taken(receiver)) == expected


def test_a_job_names_the_call_that_started_it(acme, work, endpoint):
    acme.post("/api/v1/products/import", "sku,title\nA,Tea\n", content_type="text/csv", x_request_id="req_of_the_call")
    work()
    assert set(Event.objects.values_list("type", "request_id")) == {
        ("job.created", "req_of_the_call"),
        ("product.created", "req_of_the_call"),
        ("job.completed", "req_of_the_call"),
    }


@pytest.mark.parametrize("listening", [[], ["lead.*", "post.created"]], ids=["nobody", "others"])
def test_nothing_is_kept_where_nobody_wants_it(acme, work, receiver, listening):
    if listening:
        post(acme, "webhooks", {"url": receiver.url, "events": listening})
    imports("A,Tea")(acme, "")
    work()
    assert Product.objects.count() == 1
    assert not Event.objects.exists()


class Shop(Runner):
    """Makes a product of each key; then `faults` has the error of some."""

    kind = "shop"

    def __init__(self) -> None:
        self.faults: dict[str, Exception] = {}

    def load(self, items):
        return {item.id: item.key for item in items}

    async def work(self, item: Item, given: str) -> str:
        return given

    def save(self, item: Item, output: str) -> Saved:
        product = Product.objects.create(workspace_id=item.job.workspace_id, sku=output, title=output)
        if fault := self.faults.get(item.key):
            raise fault
        return Saved(news=[News("product.created", Product, product.pk)])


@pytest.mark.parametrize("error", [ItemFailed("No."), ValueError("No.")], ids=["refused", "crashed"])
def test_an_effect_that_is_undone_is_not_told(people, monkeypatch, work, dispatch, receiver, endpoint, error):
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))
    made = Shop()
    made.faults = {"b": error}
    monkeypatch.setitem(runners._RUNNERS, made.kind, made)
    with transaction.atomic():
        start_job(operator(people.acme.pk), made.kind, [NewItem(key) for key in "abc"])
    work()
    dispatch()
    assert sorted(body["data"]["sku"] for body in taken(receiver)) == ["a", "c"]
    assert sorted(Product.objects.values_list("sku", flat=True)) == ["a", "c"]


def test_a_thousand_are_told_with_few_queries(people, endpoint, django_assert_max_num_queries):
    rows = (Product(workspace=people.acme, sku=str(n), title="Tea") for n in range(1000))
    Product.objects.bulk_create(rows)
    with transaction.atomic(), django_assert_max_num_queries(20 if connection.vendor == "postgresql" else 60):
        tell(operator(people.acme.pk), "product.created", Product.objects.all())
    assert Event.objects.count() == Delivery.objects.count() == 1000


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")
def test_an_endpoint_is_not_switched_off_between_being_asked_and_being_told(people, acme, endpoint):
    """Else a delivery would stay open for ever. Whoever counts deliveries goes on."""
    product = Product.objects.create(workspace=people.acme, sku="A", title="Tea")

    def lock(**how: bool) -> None:
        rows = connections.create_connection("default")
        try:
            with rows.cursor() as cursor:
                kind = "NO KEY UPDATE" if how.get("no_key") else "UPDATE"
                cursor.execute(f"SELECT id FROM webhooks_endpoint FOR {kind} NOWAIT")
        finally:
            rows.close()

    with transaction.atomic():
        tell(operator(people.acme.pk), "product.created", [product])
        lock(no_key=True)
        with pytest.raises(OperationalError):
            lock()
    assert acme.patch(f"/api/v1/webhooks/{endpoint['id']}", {"is_active": False}).status_code == 200
    assert Delivery.objects.get().status == "failed"


def test_nothing_is_told_outside_a_transaction(people):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        tell(operator(people.acme.pk), "product.created", [])


def test_what_loses_an_erased_person_is_told(people, acme, key_for, receiver, dispatch, endpoint):
    key_for(people.acme, creator=people.bob)
    site, bob = post(acme, "sites", SITE), people.bob.pk
    written = post(acme, "posts", {"site_id": site["id"], "title": "Tea", "author_id": bob})
    lead = post(acme, "leads", {"company": "A", "emails": ["a@firma.hu"], "owner_id": bob})
    dispatch()
    receiver.taken.clear()
    call_command("erase_user", people.bob.email, "--yes")
    dispatch()
    told = {body["type"]: body["data"] for body in taken(receiver)}
    assert set(told) == {"post.updated", "lead.updated", "api_key.revoked", "member.deleted"}
    assert (told["post.updated"]["id"], told["post.updated"]["author_id"]) == (written["id"], None)
    assert (told["lead.updated"]["id"], told["lead.updated"]["owner_id"]) == (lead["id"], None)
