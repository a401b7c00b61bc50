"""Lists on core: pages, cursors, order, sparse fields, includes, filters, search. What is not known is named."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actors import operator
from accounts.models import ApiKey
from content.models import Product
from content.services.products import create_product
from jobs.models import Agent
from leads.models import EmailTemplate, Lead
from sites.models import Site
from sites.services import create_site, submit_report
from tests.conftest import Api

PRODUCTS, SITES, KEYS, LEADS = "/api/v1/products", "/api/v1/sites", "/api/v1/api-keys", "/api/v1/leads"
DAY = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def filled(people) -> Api:
    """Alice with twelve products, two a day, and one of Charlie's."""
    for number in range(12):
        product = create_product(operator(people.acme.pk), sku=f"S{number:02}", title=f"Title {number % 3}")
        Product.objects.filter(pk=product.pk).update(created_at=DAY + timedelta(days=number // 2))
    create_product(operator(people.other.pk), sku="foreign", title="Title 1")
    return Api(user=people.alice)


def skus(answer) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["sku"] for row in answer.json()["data"]]


def errors(answer) -> list[str]:
    assert (answer.status_code, answer.json()["error"]) == (422, "validation_failed"), answer.content
    return list(answer.json()["errors"])


def test_it_works(filled):
    answer = filled.get(f"{PRODUCTS}?sort=title,-sku&fields=sku,title&per_page=3&search=title&created_after=2025-12-31")
    assert answer.json()["data"] == [
        {"sku": "S09", "title": "Title 0"},
        {"sku": "S06", "title": "Title 0"},
        {"sku": "S03", "title": "Title 0"},
    ]
    assert answer.json()["meta"]["total"] == 12
    assert "sort=title" in answer.json()["links"]["next"]


@pytest.mark.parametrize(
    ("sort", "first"),
    [("sku", "S00"), ("-sku", "S11"), ("id", "S00"), ("-created_at,sku", "S10"), ("title,-created_at,-id", "S09")],
)
def test_the_order_is_as_asked(filled, sort, first):
    assert skus(filled.get(f"{PRODUCTS}?sort={sort}"))[0] == first


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ("sort=price", "sort"),
        ("sort=-description", "sort"),
        ("sort=tags", "sort"),
        ("sort=workspace__slug", "sort"),
        ("fields=sku,secret", "fields"),
        ("fields=workspace_id", "fields"),
        ("include=workspace", "include"),
        ("include=owner,tags", "include"),
        ("created_after=yesterday", "created_after"),
        ("updated_before=2026-02-30", "updated_before"),
        ("created_before=2026-01-01T25:00:00Z", "created_before"),
        ("created_before=9999-12-31T23:59:59-14:00", "created_before"),
        ("colour=red", "colour"),
        ("title__icontains=x", "title__icontains"),
        ("page=0", "page"),
        ("per_page=x", "per_page"),
        ("cursor=nonsense", "cursor"),
    ],
)
def test_what_is_not_known_is_named(filled, query, wrong):
    assert errors(filled.get(f"{PRODUCTS}?{query}")) == [wrong]


def test_everything_wrong_is_named_at_once(filled):
    assert set(errors(filled.get(f"{PRODUCTS}?sort=x&fields=y&include=z&colour=red"))) == {
        "sort",
        "fields",
        "include",
        "colour",
    }


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("created_after=2026-01-05", 2),
        ("created_after=2026-01-05T00:00:00Z", 2),
        ("created_after=2026-01-04T23:59:59%2B00:00", 4),
        ("created_after=2026-01-05T01:00:00+02:00", 4),
        ("created_before=2026-01-02", 2),
        ("created_after=2026-01-01&created_before=2026-01-04", 4),
        ("updated_before=2026-01-01", 0),
        ("search=TITLE%201", 4),
        ("search=s1", 2),
        ("search=%25", 0),
        ("search=", 12),
    ],
)
def test_filters_narrow(filled, query, count):
    answer = filled.get(f"{PRODUCTS}?{query}")
    assert (len(skus(answer)), answer.json()["meta"]["total"]) == (count, count)


def test_a_status_is_one_of_its_own(people):
    Lead.objects.create(workspace=people.acme, company="A", source="website", status="won")
    Lead.objects.create(workspace=people.acme, company="B", source="website")
    api = Api(user=people.alice)
    assert [row["company"] for row in api.get(f"{LEADS}?status=won").json()["data"]] == ["A"]
    assert errors(api.get(f"{LEADS}?status=lovely")) == ["status"]


# --- cursors ----------------------------------------------------------------------------------------------------------


def walk(api: Api, path: str) -> list[dict]:
    """All rows, page after page."""
    rows, cursor = [], ""
    for _ in range(50):
        answer = api.get(f"{path}&cursor={cursor}")
        assert answer.status_code == 200, answer.content
        rows += answer.json()["data"]
        assert set(answer.json()["meta"]) == {"per_page", "next_cursor"}
        cursor = answer.json()["meta"]["next_cursor"]
        if cursor is None:
            assert answer.json()["links"] == {"next": None}
            return rows
        assert cursor in answer.json()["links"]["next"]
    raise AssertionError("no end")


@pytest.mark.parametrize(
    "sort", ["", "sort=sku", "sort=-created_at", "sort=title,-created_at", "sort=-title,sku", "sort=-id"]
)
@pytest.mark.parametrize("per_page", [1, 5, 12, 100])
def test_a_walk_finds_each_row_once_in_the_order_of_the_pages(filled, sort, per_page):
    query = f"{PRODUCTS}?per_page={per_page}&fields=sku&{sort}"
    assert [row["sku"] for row in walk(filled, query)] == skus(filled.get(f"{PRODUCTS}?per_page=100&{sort}"))


@pytest.mark.parametrize("sort", ["last_used_at", "-last_used_at", "expires_at,-last_used_at,name"])
def test_rows_without_a_value_come_last_and_are_walked_too(people, key_for, sort):
    for number in range(7):
        key_for(people.acme)
        moment = DAY + timedelta(days=number % 3) if number % 2 else None
        ApiKey.objects.filter(pk=ApiKey.objects.latest("pk").pk).update(last_used_at=moment)
    api = Api(user=people.alice)
    paged = api.get(f"{KEYS}?sort={sort}").json()["data"]
    assert [row["last_used_at"] is None for row in paged] == [False] * 3 + [True] * 4
    assert walk(api, f"{KEYS}?sort={sort}&per_page=2") == paged


def test_a_row_that_comes_in_between_does_not_shift_a_walk(filled, people):
    first = filled.get(f"{PRODUCTS}?cursor=&per_page=5").json()
    create_product(operator(people.acme.pk), sku="new", title="New")
    second = filled.get(f"{PRODUCTS}?per_page=5&cursor={first['meta']['next_cursor']}").json()
    assert [row["sku"] for row in first["data"] + second["data"]] == [f"S{number:02}" for number in range(11, 1, -1)]


def forged(*values) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "%00",
        "e30",
        forged(),
        forged("-id"),
        forged("-id", "x"),
        forged("-id", {}),
        forged("-id", [1]),
        forged("sku", 1),
        forged(1, 1),
        forged("-id", float("inf")),
        forged("-id", "\0"),
        forged("-id", "\ud800"),
    ],
)
def test_a_cursor_that_was_not_given_is_422(filled, cursor):
    assert errors(filled.get(f"{PRODUCTS}?cursor={cursor}")) == ["cursor"]


def test_a_cursor_belongs_to_its_order(filled):
    cursor = filled.get(f"{PRODUCTS}?cursor=&per_page=2&sort=sku").json()["meta"]["next_cursor"]
    assert filled.get(f"{PRODUCTS}?cursor={cursor}&sort=sku").status_code == 200
    assert errors(filled.get(f"{PRODUCTS}?cursor={cursor}&sort=-sku")) == ["cursor"]


def test_a_cursor_shows_nobody_elses_rows(filled, people):
    last = Product.objects.latest("pk").pk
    assert "foreign" not in skus(filled.get(f"{PRODUCTS}?cursor={forged('-id', last + 1)}"))


# --- fields and includes ----------------------------------------------------------------------------------------------


def test_sparse_fields_shrink_the_sql(people, acme):
    pk = create_product(operator(people.acme.pk), sku="S", title="T", description="<p>long</p>").pk
    acme.get(PRODUCTS)  # notes when the key was used
    with CaptureQueriesContext(connection) as whole:
        acme.get(PRODUCTS)
    with CaptureQueriesContext(connection) as sparse:
        assert acme.get(f"{PRODUCTS}?fields=id,sku").json()["data"] == [{"id": pk, "sku": "S"}]
    reads = [[query["sql"] for query in captured if '"description"' in query["sql"]] for captured in (whole, sparse)]
    assert (len(reads[0]), len(reads[1])) == (1, 0)
    assert len(sparse) == len(whole)


def test_an_include_adds_the_row_in_the_same_query(people, acme, key_for):
    site = create_site(operator(people.acme.pk), name="S", domain="s.example.com")
    for number in range(3):
        submit_report(operator(people.acme.pk), url=f"https://s.example.com/{number}", scores={"seo": number})
    acme.get(SITES)  # notes when the key was used
    with CaptureQueriesContext(connection) as plain:
        rows = acme.get("/api/v1/seo/reports").json()["data"]
    assert {"site_id": site.pk}.items() <= rows[0].items()
    assert "site" not in rows[0]
    with CaptureQueriesContext(connection) as joined:
        rows = acme.get("/api/v1/seo/reports?include=site&fields=id,scores").json()["data"]
    assert len(joined) == len(plain)
    assert rows[0].keys() == {"id", "scores", "site"}
    assert rows[0]["site"]["domain"] == "s.example.com"
    one = acme.get(f"/api/v1/seo/reports/{rows[0]['id']}?include=site&fields=id").json()["data"]
    assert one.keys() == {"id", "site"}
    answer = Api(key=key_for(people.acme, "seo:read")).get("/api/v1/seo/reports?include=site")
    assert (answer.status_code, "sites:read" in answer.json()["message"]) == (403, True)


def test_a_relation_that_is_none_is_null(people, acme):
    Lead.objects.create(workspace=people.acme, company="A", source="website")
    assert acme.get(f"{LEADS}?include=site&fields=company").json()["data"] == [{"company": "A", "site": None}]


# --- every list there is ----------------------------------------------------------------------------------------------

LISTS = {
    SITES: lambda w, n: Site.objects.create(workspace=w, name=f"N{n}", domain=f"d{n}.example.com"),
    PRODUCTS: lambda w, n: Product.objects.create(workspace=w, sku=f"s{n}", title="T"),
    LEADS: lambda w, n: Lead.objects.create(workspace=w, company=f"C{n}", source="website"),
    "/api/v1/email-templates": lambda w, n: EmailTemplate.objects.create(
        workspace=w, name=f"T{n}", subject="S", html="H"
    ),
    "/api/v1/agents": lambda w, n: Agent.objects.create(workspace=w, name=f"A{n}", instructions="I"),
    KEYS: lambda w, n: ApiKey.objects.create(
        workspace=w, name=f"K{n}", public_id=f"p{n}", digest="0" * 64, scopes=["*"]
    ),
    "/api/v1/activity": lambda w, n: create_site(operator(w.pk), name=f"A{n}", domain=f"a{n}.example.com"),
    "/api/v1/seo/reports": lambda w, n: submit_report(operator(w.pk), url=f"https://r.example/{n}", scores={"seo": 1}),
}


@pytest.mark.parametrize("path", LISTS)
def test_no_lists_queries_grow_with_its_rows_whichever_fields_are_asked_for(people, acme, path):
    numbers = iter(range(100))
    LISTS[path](people.acme, next(numbers))
    names = list(acme.get(path).json()["data"][0])
    wishes = ["", *(f"?fields={name}" for name in names), f"?sort=-id&fields={names[0]}&cursor="]

    def counts() -> list[int]:
        found = []
        for wish in wishes:
            with CaptureQueriesContext(connection) as captured:
                assert acme.get(path + wish).status_code == 200
            found.append(len(captured))
        return found

    before = counts()
    for _ in range(5):
        LISTS[path](people.acme, next(numbers))
    assert all(now <= then for now, then in zip(counts(), before, strict=True))


def test_the_app_surface_has_its_own_queries(people):
    create_site(operator(people.acme.pk), name="S", domain="s.example.com")
    answer = Api(user=people.alice).get("/api/sites?sort=price&whatever=1")
    assert (answer.status_code, len(answer.json()["data"])) == (200, 1)
