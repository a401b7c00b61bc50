"""Posts on the app surface: under their site, and five hundred at a time."""

import pytest

from accounts.models import Activity
from accounts.roles import Role
from ajansops.kit.errors import Conflict
from content.models import Post
from content.services import bulk
from sites.models import Site
from tests.conftest import Api
from tests.content.test_posts import CaptureCount

pytestmark = pytest.mark.django_db

BULK = "/api/content/bulk"
LATER = "2099-01-02T03:04:05Z"


@pytest.fixture
def make(site):
    """`make(3)` are three drafts of Acme's site."""

    def made(count: int, of: Site = site, **fields) -> list[Post]:
        start = Post.objects.count()
        rows = [
            Post(workspace=of.workspace, site=of, title=f"T{n}", slug=f"t{n}", **fields)
            for n in range(start, start + count)
        ]
        return Post.objects.bulk_create(rows)

    return made


def named(rows: list[Post]) -> list[dict[str, str]]:
    return [{"siteId": str(row.site_id), "postId": str(row.pk)} for row in rows]


def statuses(rows: list[Post]) -> list[str]:
    found = dict(Post.objects.values_list("pk", "status"))
    return [found.get(row.pk, "gone") for row in rows]


# --- one post ---------------------------------------------------------------------------------------------------------


def test_it_works(people, site, make):
    api = Api(user=people.alice)
    path = f"/api/content/{site.pk}/{make(1)[0].pk}"
    answer = api.get(path)
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    row = answer.json()["data"]
    assert (row["siteId"], type(row["id"]), row["publishAt"]) == (str(site.pk), str, None)
    changed = api.patch(path, {"seoTitle": "S", "canonicalUrl": "https://x.example/", "authorId": str(people.bob.pk)})
    data = changed.json()["data"]
    assert (data["seoTitle"], data["authorId"], data["title"]) == ("S", str(people.bob.pk), "T0")
    put = api.put(path, {"title": "New", "body": "**b**"}).json()["data"]
    assert (put["seoTitle"], put["html"], put["slug"]) == ("", "<p><strong>b</strong></p>", "t0")
    gone = api.delete(path)
    assert (gone.status_code, gone.json()) == (200, {"success": True, "data": None})
    assert api.get(path).status_code == 404


def test_what_is_wrong_is_400_and_what_is_taken_409(people, site, make):
    api = Api(user=people.alice)
    first, second = make(2)
    path = f"/api/content/{site.pk}/{second.pk}"
    wrong = api.patch(path, {"canonicalUrl": "x"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["canonicalUrl"])
    taken = api.patch(path, {"slug": first.slug})
    assert (taken.status_code, taken.json()["code"], list(taken.json()["errors"])) == (409, "conflict", ["slug"])


def test_a_post_is_found_under_its_own_site_only(people, site, make):
    second = Site.objects.create(workspace=people.acme, name="Second", domain="second.example.com")
    (row,) = make(1)
    api = Api(user=people.alice)
    for name in (second.pk, 987654, f"0{site.pk}", "x"):
        for method in ("GET", "PATCH", "PUT", "DELETE"):
            assert api.call(method, f"/api/content/{name}/{row.pk}", {"title": "X"}).status_code == 404
    assert Post.objects.get().title == "T0"


@pytest.mark.parametrize(("role", "status"), [("VIEWER", 403), ("EDITOR", 200), ("ADMIN", 200), ("OWNER", 200)])
@pytest.mark.parametrize("action", ["publish", "delete"])
def test_an_editor_may_also_delete(people, make, role, status, action):
    rows = make(1)
    people.acme.memberships.filter(user=people.bob).update(role=Role(role))
    answer = Api(user=people.bob).post(BULK, {"action": action, "items": named(rows)})
    assert answer.status_code == status
    assert (statuses(rows) == ["draft"]) is (status == 403)


# --- many -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "after", "event"),
    [
        ("publish", "published", "post.published"),
        ("unpublish", "draft", "post.unpublished"),
        ("archive", "archived", "post.archived"),
        ("schedule", "scheduled", "post.scheduled"),
        ("delete", "gone", "post.deleted"),
    ],
)
def test_an_action_is_done_to_each(people, make, action, after, event):
    rows = make(3)
    Post.objects.update(status="scheduled", publish_at="2098-01-01T00:00:00Z")
    body = {"action": action, "items": named(rows)} | ({"publishAt": LATER} if action == "schedule" else {})
    answer = Api(user=people.alice).post(BULK, body)
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "success": True,
        "data": {"results": [item | {"success": True} for item in named(rows)]},
    }
    assert statuses(rows) == [after] * 3
    told = Activity.objects.filter(action__startswith="post.").values_list("action", "user_id", "object_id")
    assert set(told) == {(event, people.alice.pk, str(row.pk)) for row in rows}


def test_a_bad_item_does_not_stop_the_rest(people, acme, site, their_site, make):
    first, second = make(2)
    (foreign,) = make(1, their_site)
    published, elsewhere = make(2)
    Post.objects.filter(pk=published.pk).update(status="published", published_at="2026-01-01T00:00:00Z")
    other_site = Site.objects.create(workspace=people.acme, name="Second", domain="second.example.com")
    bad = [
        *named([foreign]),
        {"siteId": str(site.pk), "postId": "987654321"},
        {"siteId": str(other_site.pk), "postId": str(elsewhere.pk)},
        {"siteId": "abc", "postId": "9" * 40},
        {"siteId": str(site.pk)},
        {"siteId": None, "postId": [1]},
        {"siteId": site.pk, "postId": True},
        {},
    ]
    items = [*named([first]), *bad, *named([published]), *named([second])]
    answer = acme.post(BULK, {"action": "schedule", "publishAt": LATER, "items": items})
    results = answer.json()["data"]["results"]
    assert [one["success"] for one in results] == [True, *[False] * 9, True]
    assert [one.get("postId") for one in results[:3]] == [str(first.pk), str(foreign.pk), "987654321"]
    assert {one["error"] for one in results[1:9]} == {"Resource not found."}, "a foreign id is an unknown one"
    assert results[9]["error"] == "A published post cannot be scheduled; unpublish it first."
    assert statuses([first, second, foreign, published, elsewhere]) == [
        "scheduled",
        "scheduled",
        "draft",
        "published",
        "draft",
    ]


def test_the_same_post_twice(acme, make):
    rows = make(1) * 2
    results = acme.post(BULK, {"action": "publish", "items": named(rows)}).json()["data"]["results"]
    assert [one["success"] for one in results] == [True, True]
    assert Activity.objects.filter(action="post.published").count() == 1
    results = acme.post(BULK, {"action": "delete", "items": named(rows)}).json()["data"]["results"]
    assert [one["success"] for one in results] == [True, False]


def test_ids_may_be_numbers_and_are_answered_as_texts(acme, site, make):
    (row,) = make(1)
    body = {"action": "archive", "items": [{"siteId": site.pk, "postId": row.pk}]}
    assert acme.post(BULK, body).json()["data"]["results"] == [
        {"siteId": str(site.pk), "postId": str(row.pk), "success": True}
    ]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({}, ["action", "items"]),
        ({"action": "publish", "items": []}, ["items"]),
        ({"action": "publish", "items": {}}, ["items"]),
        ({"action": "publish", "items": ["1"]}, ["items.0"]),
        ({"action": "publish", "items": [{}] * 501}, ["items"]),
        ({"action": "explode", "items": [{}]}, ["action"]),
        ({"action": "schedule", "items": [{}]}, ["publishAt"]),
        ({"action": "schedule", "items": [{}], "publishAt": "soon"}, ["publishAt"]),
        ({"action": "schedule", "items": [{}], "publishAt": "2001-01-01T00:00:00Z"}, ["publishAt"]),
        ({"action": "publish", "items": [{}], "publishAt": LATER}, ["publishAt"]),
        ({"action": "publish", "items": [{}], "nope": 1}, ["nope"]),
    ],
)
def test_what_is_wrong_with_the_whole_is_400(acme, body, names):
    answer = acme.post(BULK, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (400, names), answer.content


@pytest.mark.parametrize(
    ("scopes", "publishes", "deletes"),
    [
        (["posts:publish"], 200, 403),
        (["posts:publish", "posts:delete"], 200, 200),
        (["posts:*"], 200, 200),
        (["posts:write", "posts:delete"], 403, 403),
    ],
)
def test_a_key_needs_the_scope_of_what_it_does(people, make, key_for, scopes, publishes, deletes):
    rows = make(1)
    api = Api(key=key_for(people.acme, *scopes))
    for action, status in (("publish", publishes), ("delete", deletes)):
        assert api.post(BULK, {"action": action, "items": named(rows)}).status_code == status
    assert (statuses(rows) == ["gone"]) is (deletes == 200)


def test_an_item_that_fails_half_way_leaves_nothing(acme, make, monkeypatch):
    rows = make(3)
    moved = bulk.moved

    def half(actor, row, **options):
        moved(actor, row, **options)
        if row.pk == rows[1].pk:
            raise Conflict

    monkeypatch.setattr(bulk, "moved", half)
    results = acme.post(BULK, {"action": "publish", "items": named(rows)}).json()["data"]["results"]
    assert [one["success"] for one in results] == [True, False, True]
    assert statuses(rows) == ["published", "draft", "published"]
    assert Activity.objects.filter(action="post.published").count() == 2


def test_five_hundred_take_a_few_queries_each(acme, make):
    rows = make(500)
    with CaptureCount() as count:
        answer = acme.post(BULK, {"action": "publish", "items": named(rows)})
    assert all(one["success"] for one in answer.json()["data"]["results"])
    assert count.queries < 10 * 500
    with CaptureCount() as count:
        acme.post(BULK, {"action": "publish", "items": named(rows)})
    assert count.queries < 3 * 500, "nothing is left to do"
