"""Nothing of one tenant is reached, changed, counted or shown from another, by path, body, query, list or error."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from accounts.models import Activity, Membership, User
from accounts.roles import Role
from accounts.services import members
from ajansops.api.serializers import Body
from tests.conftest import Api
from tests.contract.matrix import (
    API,
    BODY_FIELDS,
    BODY_RELATIONS,
    LISTS,
    QUERY_RELATIONS,
    Relation,
    Row,
    bodies,
)
from tests.contract.worlds import KINDS, Tenant, World, unchanged, undone

GLOBAL = {"task", "token"}  # in a path, and no tenant's
WITH_IDS = [one for one in API if set(one.ids) - GLOBAL]
GETS = [one for one in API if one.method == "GET" and one.needs not in {"SECRET", "PUBLIC"}]
NOBODYS = 987_654_321
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def nobodys(kind: str) -> Any:
    """An id of that kind that nobody has."""
    return {"job": "content_9_1758277165018_jq0u5i", "subject": "site:0", "url": "https://nobody.example/"}.get(
        kind, NOBODYS
    )


def callers(one: Row, tenant: Tenant) -> dict[str, Api]:
    """Those of the tenant who may do the most."""
    key = tenant.key("*")
    made = {"OWNER": tenant.session("OWNER"), "key": Api(key=key)}
    if one.surface == "studio":
        made["token"] = Api(key=tenant.token(key))
    return {who: api for who, api in made.items() if who == "OWNER" or one.needs != "PERSON"}


def send(api: Api, one: Row, ids: dict[str, Any], body: Any, query: str = ""):
    path = one.path({kind: quote(str(value), safe="") for kind, value in ids.items()})
    extra = {"content_type": "text/csv"} if isinstance(body, bytes) else {}
    return api.call(one.method, path + query, body, **extra)


def said(answer, *echoed: Any) -> str:
    """The body without what differs by nature: when, where, and what the caller said."""
    text = answer.getvalue().decode()
    try:
        body = json.loads(text or "null")
    except ValueError:
        return text
    if isinstance(body, dict):
        body.pop("links", None)
        error = body.get("error")
        for part in (body, error if isinstance(error, dict) else {}):
            for name in ("request_id", "timestamp", "path", "retrievedAt"):
                part.pop(name, None)
    return json.dumps(without(body, echoed), ensure_ascii=False)


def without(body: Any, echoed: tuple[Any, ...]) -> Any:
    """Texts only: a number that is the same by chance, such as a page's size, was not echoed."""
    if isinstance(body, dict):
        return {without(name, echoed): without(value, echoed) for name, value in body.items()}
    if isinstance(body, list):
        return [without(value, echoed) for value in body]
    if isinstance(body, str):
        for value in echoed:
            body = body.replace(str(value), "…")
    return body


# --- (a) ids in paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("one", WITH_IDS, ids=str)
def test_a_foreign_id_is_one_that_does_not_exist(world, one):
    """Whatever else is right or wrong with the request."""
    acme, other = world.acme, world.other
    assert set(one.ids) <= acme.ids.keys(), "worlds.py knows no such row"
    good = bodies(acme)[one.body]
    wrong = [] if good is None else [{"nope": 1}, []]
    apis = callers(one, acme)
    tried = [(who, good) for who in apis] + [(list(apis)[-1], body) for body in wrong]
    for who, body in tried:
        answers = []
        for ids in ({kind: nobodys(kind) for kind in one.ids}, other.ids):
            with unchanged():
                answer = send(apis[who], one, ids, body)
            answers.append((answer.status_code, said(answer)))
        assert answers[0] == answers[1], who
        assert answers[0][0] == 404, (who, body)
        assert other.mark not in answers[1][1]


NONSENSE = [
    "0",
    "-1",
    "abc",
    "9999999999999999999999",
    "9223372036854775808",
    "٣",
    "\0",
    "1\0",
    "1.0",
    "1e0",
    "true",
    "..",
    " ",
]


@pytest.mark.parametrize("one", WITH_IDS, ids=str)
def test_nonsense_in_a_path_is_404(world, one):
    """An id is its digits and nothing that a parser would take for them."""
    own = str(world.acme.ids[one.ids[0]])
    spelled = [own.translate(ARABIC), f"+{own}", f" {own}", f"{own} ", f"{own}.0", f"{own[0]}_{own[1:]}"]
    who, api = list(callers(one, world.acme).items())[-1]
    wrong = {}
    for text in dict.fromkeys(NONSENSE + [text for text in spelled if text != own]):
        with undone():
            answer = send(api, one, dict.fromkeys(one.ids, text), bodies(world.acme)[one.body])
        if answer.status_code != 404:
            wrong[text] = answer.status_code
    assert wrong == {}, who


# --- (b) ids in bodies and queries ------------------------------------------------------------------------------------


def test_every_id_in_a_body_is_in_the_matrix():
    found = {
        (body.__name__, name)
        for body in _descendants(Body)
        if body.__module__.split(".")[0] != "tests"
        for name in body().fields
        if name.lower().endswith(("_id", "_ids")) or name.endswith(("Id", "Ids"))
    }
    assert found == BODY_FIELDS


def _descendants(base: type) -> list[type]:
    return [kind for child in base.__subclasses__() for kind in (child, *_descendants(child))]


def named(relation: Relation, value: Any, *, as_text: bool) -> dict[str, Any]:
    """The field of the body that names the row."""
    text = f"{relation.prefix}{value}" if as_text or relation.prefix else value
    return {relation.field: [text] if relation.many else text}


@pytest.mark.parametrize(
    "relation", BODY_RELATIONS, ids=lambda one: f"{one.row} {one.field} {one.prefix}{one.kind}".replace("/", "|")
)
def test_a_foreign_id_in_a_body_is_an_unknown_one(world, relation):
    one, acme, other = relation.row, world.acme, world.other
    invalid = relation.status or (422 if one.surface == "core" else 400)
    body = bodies(acme)[one.body]
    apis = callers(one, acme)
    tried = [(who, True) for who in apis] + ([(list(apis)[-1], False)] if relation.kind != "workspace" else [])
    for who, as_text in tried:
        own = body | named(relation, acme.ids[relation.kind], as_text=as_text)
        with undone():
            assert send(apis[who], one, acme.ids, own).status_code == one.status, "one's own"
        answers = []
        for value in (nobodys(relation.kind), other.ids[relation.kind]):
            with unchanged():
                answer = send(apis[who], one, acme.ids, body | named(relation, value, as_text=as_text))
            answers.append((answer.status_code, said(answer, value)))
        assert answers[0] == answers[1], who
        assert answers[0][0] == invalid, answers
        assert other.mark not in answers[1][1]


@pytest.mark.parametrize(
    "relation",
    [one for one in BODY_RELATIONS if one.many],
    ids=lambda one: f"{one.row} {one.field} {one.prefix}".replace("/", "|"),
)
def test_one_foreign_id_in_a_list_refuses_the_whole(world, relation):
    one, acme = relation.row, world.acme
    mixed = [f"{relation.prefix}{tenant.ids[relation.kind]}" for tenant in (acme, world.other)]
    for api in callers(one, acme).values():
        with unchanged():
            answer = send(api, one, acme.ids, bodies(acme)[one.body] | {relation.field: mixed})
        assert answer.status_code == (422 if one.surface == "core" else 400)


NONSENSE_VALUES = [
    0,
    -1,
    True,
    1.5,
    "",
    "abc",
    "٣",
    "9" * 30,
    2**63 - 1,
    {},
    {"id": 1},
    [[1]],
    None,
    "prod_",
    "prod_-1",
]


@pytest.mark.parametrize(
    "relation", BODY_RELATIONS, ids=lambda one: f"{one.row} {one.field} {one.prefix}{one.kind}".replace("/", "|")
)
def test_nonsense_in_a_body_is_refused(world, relation):
    one, acme = relation.row, world.acme
    api = list(callers(one, acme).values())[-1]
    for value in NONSENSE_VALUES:
        if value is None and (relation.many or relation.optional):
            continue  # says nothing
        given = {relation.field: [value] if relation.many else value}
        with unchanged():
            answer = send(api, one, acme.ids, bodies(acme)[one.body] | given)
        assert answer.status_code in {400, 401, 404, 422}, (value, answer.getvalue())


@pytest.mark.parametrize("relation", QUERY_RELATIONS, ids=lambda one: f"{one.row} {one.field}".replace("/", "|"))
def test_a_foreign_id_in_a_query_is_an_unknown_one(world, relation):
    one, acme, other = relation.row, world.acme, world.other
    own = acme.ids[relation.kind]
    for who, api in callers(one, acme).items():
        assert send(api, one, acme.ids, None, f"?{relation.field}={quote(str(own))}").status_code == 200
        answers = []
        for value in (nobodys(relation.kind), other.ids[relation.kind]):
            answer = send(api, one, acme.ids, None, f"?{relation.field}={quote(str(value))}")
            answers.append((answer.status_code, said(answer, value)))
        assert answers[0] == answers[1], who
        assert other.mark not in answers[1][1]
        for value in (*NONSENSE, str(own).translate(ARABIC), f"+{own}", ""):
            answer = send(api, one, acme.ids, None, f"?{relation.field}={quote(value)}")
            assert answer.status_code < 500, value
            assert other.mark not in said(answer, value)


def test_what_is_taken_elsewhere_is_free_here(world):
    """Uniqueness inside a tenant says nothing about another."""
    acme, other = world.acme, world.other
    site, ware = other.rows(KINDS["site"]).first(), other.rows(KINDS["product"]).first()
    theirs = {
        "core POST /api/v1/sites": {"name": "S", "domain": site.domain},
        "app POST /api/sites": {"name": "S", "domain": site.domain},
        "core POST /api/v1/products": {"sku": ware.sku, "title": "T", "external_handle": ware.external_handle},
        "core POST /api/v1/leads": {"company": "L", "website": f"https://{other.mark}-0.example"},
        "core POST /api/v1/email-templates": {"name": f"{other.mark} 0", "subject": "S", "html": "H"},
        "core POST /api/v1/agents": {"name": f"{other.mark} 0", "instructions": "I"},
        "core POST /api/v1/invitations": {"email": other.people["VIEWER"].email, "role": "VIEWER"},
        "app POST /api/users/invite": {"email": f"invited0@{other.mark}.example", "role": "VIEWER"},
        "core POST /api/v1/seo/report": {"url": other.ids["url"], "scores": {"seo": 1}},
    }
    for one in API:
        if str(one) in theirs:
            body = theirs.pop(str(one))
            with undone():
                answer = send(acme.session("OWNER"), one, acme.ids, body)
                assert answer.status_code == 201, answer.getvalue()
                assert '"site_id": 3' not in said(answer)
    assert theirs == {}


# --- (c) lists --------------------------------------------------------------------------------------------------------

QUERIES = [
    "?page=1&per_page=100",
    "?page=2&per_page=1",
    "?page=99",
    "?search={own}",
    "?search={foreign}",
    "?search=0",
    "?search=%25",
    "?search=_",
    "?status=GENERATED",
    "?status=new",
    "?status=completed",
    "?state=failed",
    "?type=leads",
    "?severity=error",
    "?action=member.created",
    "?object_type=accounts.Membership",
    "?sort=-id",
    "?sort=workspace_id",
    "?sort=-workspace__name",
    "?include=workspace,owner,site,user",
    "?fields=id,name",
    "?fields=workspace_id",
    "?cursor=",
    "?created_after=2000-01-01",
    "?workspace_id={foreign_id}",
    "?workspace={foreign_id}",
    "?user_id={foreign_user}",
]


OF_ONE_ROW = ["", "?include=workspace,owner,site,user&fields=id,workspace_id&workspace_id={foreign_id}"]


@pytest.mark.parametrize("one", GETS, ids=str)
def test_a_read_never_shows_another_tenant(world, one):
    for mine, theirs in ((world.acme, world.other), (world.other, world.acme)):
        words = {
            "own": mine.mark,
            "foreign": theirs.mark,
            "foreign_id": theirs.pk,
            "foreign_user": theirs.people["OWNER"].pk,
        }
        apis = callers(one, mine)
        tried = [(who, query) for who in apis for query in OF_ONE_ROW]
        tried += [(list(apis)[-1], query) for query in QUERIES] if str(one) in LISTS else []
        for who, query in tried:
            with undone():
                answer = send(apis[who], one, mine.ids, None, query.format(**words))
            assert answer.status_code < 500, (who, query)
            assert theirs.mark not in said(answer), (who, query)
            for email in (theirs.people["VIEWER"].email, "staff@example.net"):
                assert email not in said(answer), (who, query)


CATALOGUES = {"core GET /api/v1/webhooks/events"}  # the same for everybody


def test_every_read_that_shows_a_list_is_counted(world):
    lists = {
        str(one) for one in GETS if _rows(send(world.acme.session("OWNER"), one, world.acme.ids, None)) is not None
    }
    assert lists - CATALOGUES == set(LISTS)


def _rows(answer) -> list[Any] | None:
    if answer.streaming or answer["Content-Type"] != "application/json":
        return None
    body = answer.json()
    found = [body.get(name) for name in ("data", "products", "api_keys")]
    return next((rows for rows in found if isinstance(rows, list)), None)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_has_exactly_ones_own(world, name):
    one = next(row for row in API if str(row) == name)
    for mine in (world.acme, world.other):
        for who, api in callers(one, mine).items():
            answer = send(api, one, mine.ids, None, "?per_page=100")
            shown = {str(row["id"]).removeprefix("prod_") for row in _rows(answer)}
            assert shown == own_ids(one, mine), who
            body = answer.json()
            total = body.get("meta", body).get("total", body.get("total_count", len(shown)))
            assert total == len(shown), who


def own_ids(one: Row, tenant: Tenant) -> set[str]:
    """What the list has to show."""
    kind = LISTS[str(one)]
    if kind == "workspace":
        return {str(tenant.pk)}
    rows = tenant.rows(KINDS[kind])
    narrowed = {
        "api_key": {"revoked_at": None, "grace_ends_at": None},
        "delivery": {"endpoint": tenant.ids["webhook"]},
        "job_item": {"job": tenant.ids["job"]},
        "variant": {"product": tenant.ids["product"]} if one.ids else {},
    }
    found = {str(pk) for pk in rows.filter(**narrowed.get(kind, {})).values_list("pk", flat=True)}
    return found | ({str(tenant.key_row("*", state="in grace")[0].pk)} if kind == "api_key" else set())


# --- (e) the export, (f) the log --------------------------------------------------------------------------------------


def exported(tenant: Tenant) -> tuple[str, dict[str, Any]]:
    text = tenant.session("OWNER").get("/api/account/export").getvalue().decode()
    return text, json.loads(text)


def test_an_export_is_about_one_person(world):
    acme, other = world.acme, world.other
    with undone():
        text, document = exported(acme)
    assert other.mark not in text
    owner = acme.people["OWNER"]
    strangers = User.objects.exclude(pk=owner.pk).values_list("email", flat=True)
    assert [email for email in strangers if email in text] == []
    assert f"invited0@{acme.mark}.example" not in text
    assert f"lead0@{acme.mark}.example" not in text
    assert document["profile"]["email"] == owner.email
    assert [one["id"] for one in document["workspaces"]] == [acme.pk]


def test_an_export_of_a_member_holds_nothing_of_the_other_members(world):
    """Of a workspace that is somebody else's: that one is in it, as what, and what one did."""
    acme, other = world.acme, world.other
    owner = acme.people["OWNER"]
    with undone():
        members.add_member(other.workspace, owner, Role.VIEWER)
        text, document = exported(acme)
    assert [one["id"] for one in document["workspaces"]] == [acme.pk]
    assert {one["workspace_id"] for one in document["memberships"]} == {acme.pk, other.pk}
    del document["memberships"]
    assert other.mark not in json.dumps(document)
    strangers = User.objects.exclude(pk=owner.pk).values_list("email", flat=True)
    assert [email for email in strangers if email in text] == []


def test_a_log_is_of_one_tenant(world):
    for mine in (world.acme, world.other):
        lines = send(mine.session("ADMIN"), _row("core GET /api/v1/activity"), mine.ids, None, "?per_page=100").json()
        shown = Activity.objects.in_bulk([line["id"] for line in lines["data"]])
        assert {line.workspace_id for line in shown.values()} == {mine.pk}
        ours = set(Membership.objects.filter(workspace=mine.pk).values_list("user_id", flat=True)) | {None}
        assert {line["user_id"] for line in lines["data"]} <= ours


def test_somebody_in_two_tenants_sees_one_at_a_time(world: World):
    """The header chooses; rows of the other one are 404 even for its own member."""
    acme, other = world.acme, world.other
    owner = acme.people["OWNER"]
    members.add_member(other.workspace, owner, Role.OWNER)
    api, here = acme.session("OWNER"), {"X-Workspace-ID": str(acme.pk)}
    for one in GETS:
        if one.ids and not one.names_workspace:
            theirs = api.call("GET", one.path(other.ids), None, **here)
            assert theirs.status_code == 404, one
        elif not one.ids and str(one) not in {"core GET /api/v1/workspaces", "app GET /api/account/export"}:
            assert other.mark not in said(api.call("GET", one.path(acme.ids), None, **here)), one


def _row(name: str) -> Row:
    return next(one for one in API if str(one) == name)
