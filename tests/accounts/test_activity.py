"""The log: who did what, as what, in which request; append-only, and a broken line is found."""

import json
import threading
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections, transaction

from accounts.activity import record, verify
from accounts.actors import operator
from accounts.models import PLATFORM, Activity, ActivityHead, ApiKey
from accounts.roles import Role
from accounts.services.members import add_member
from ajansops.kit.events import Event, publish
from sites.models import Site
from sites.services import create_site
from tests.conftest import Api

PATH = "/api/v1/activity"
SITES = "/api/v1/sites"
REPORT = {"url": "https://a.example", "scores": {"seo": 1}}
BODY = {"name": "S", "domain": "example.com"}


def member(user) -> str:
    return f"/api/v1/members/{user.memberships.get().pk}"


def newest(api: Api, action: str) -> dict:
    return api.get(f"{PATH}?action={action}").json()["data"][0]


def test_it_works(people):
    api = Api(user=people.alice)
    made = api.post(SITES, BODY, X_Request_ID="abc-123").json()["data"]["id"]
    api.patch(f"{SITES}/{made}", {"name": "T"})
    line = newest(api, "site.created")
    assert line["changes"]["domain"] == [None, "example.com"]
    assert {
        name: line[name] for name in ("user_id", "user", "role", "via", "api_key_id", "request_id", "object_id")
    } == {
        "user_id": people.alice.pk,
        "user": "Alice",
        "role": "OWNER",
        "via": "session",
        "api_key_id": None,
        "request_id": "abc-123",
        "object_id": str(made),
    }
    assert newest(api, "site.updated")["changes"] == {"name": ["S", "T"]}
    assert api.get(f"{PATH}/{line['id']}").json()["data"] == line


def test_a_key_acts_as_its_maker_and_both_are_named(people, key_for):
    add_member(people.acme, people.bob, Role.EDITOR)
    Api(key=key_for(people.acme, creator=people.bob)).post(SITES, BODY)
    line = newest(Api(user=people.alice), "site.created")
    assert (line["via"], line["role"], line["user_id"]) == ("api_key", "EDITOR", people.bob.pk)
    assert line["api_key_id"] == ApiKey.objects.get().pk


def test_what_is_secret_or_personal_is_not_in_it(people, key_for):
    api = Api(user=people.alice)
    raw = api.post("/api/v1/api-keys", {"name": "K"}).json()["data"]["key"]
    api.post("/api/v1/invitations", {"email": "dora@example.org", "role": "VIEWER", "name": "Dora"})
    text = str(list(Activity.objects.values()))
    for secret in (raw, raw[11:], ApiKey.objects.get().digest, "dora@example.org", "Dora", "alice@example.org"):
        assert secret not in text
    assert newest(api, "invitation.created")["changes"]["email"] == [None, "•••"]


@pytest.mark.parametrize(
    ("call", "actions"),
    [
        (lambda api, p: api.post("/api/v1/workspaces", {"name": "N"}), []),
        (lambda api, p: api.patch(f"/api/v1/workspaces/{p.acme.pk}", {"name": "N"}), ["workspace.updated"]),
        (lambda api, p: api.post("/api/v1/api-keys", {"name": "K"}), ["api_key.created"]),
        (lambda api, p: api.post("/api/v1/invitations", {"email": "d@d.hu", "role": "VIEWER"}), ["invitation.created"]),
        (lambda api, p: api.patch(member(p.bob), {"role": "ADMIN"}), ["member.updated"]),
        (lambda api, p: api.delete(member(p.bob)), ["member.deleted"]),
        (lambda api, p: api.get("/api/account/export"), ["account.exported"]),
        (lambda api, p: api.post("/api/v1/products", {"sku": "1", "title": "T"}), ["product.created"]),
        (lambda api, p: api.post("/api/v1/seo/report", REPORT), ["seo.report.created"]),
        (lambda api, p: api.post(SITES, {"name": ""}), []),
        (lambda api, p: api.get(SITES), []),
    ],
)  # fmt: skip
def test_each_change_leaves_its_line_and_nothing_else_does(people, call, actions):
    api = Api(user=people.alice)
    before = Activity.objects.filter(workspace=people.acme).count()
    call(api, people)
    lines = Activity.objects.filter(workspace=people.acme).order_by("seq")[before:]
    assert [line.action for line in lines] == actions


def test_signing_in_and_failing_to_are_in_it(people):
    client = Api().client
    for password in ("wrong", "alice-password"):
        client.post("/accounts/login/", {"login": "Alice@Example.org", "password": password})
    client.post("/accounts/logout/")
    client.post("/accounts/login/", {"login": "nobody@example.org", "password": "x"})
    lines = Activity.objects.filter(action__startswith="session.").order_by("seq")
    assert [(line.action, line.user_id, line.via, line.workspace_id) for line in lines] == [
        ("session.refused", people.alice.pk, "page", people.acme.pk),
        ("session.started", people.alice.pk, "page", people.acme.pk),
        ("session.ended", people.alice.pk, "page", people.acme.pk),
    ]
    assert all(line.request_id for line in lines)


@pytest.mark.parametrize(
    ("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 403), (Role.ADMIN, 200), (Role.OWNER, 200)]
)
def test_who_may_read_it(people, role, status):
    add_member(people.acme, people.bob, role)
    assert Api(user=people.bob).get(PATH).status_code == status


@pytest.mark.parametrize("query", ["user_id=x", "user_id=-1", "user_id=٣"])
def test_a_filter_that_is_no_number_is_422(people, query):
    assert Api(user=people.alice).get(f"{PATH}?{query}").status_code == 422


def test_another_workspaces_log_does_not_exist(people):
    line = Activity.objects.filter(workspace=people.acme).first()
    api = Api(user=people.charlie)
    assert api.get(f"{PATH}/{line.pk}").status_code == 404
    assert {row["id"] for row in api.get(PATH).json()["data"]} == set(
        Activity.objects.filter(workspace=people.other).values_list("pk", flat=True)
    )
    assert api.get(f"{PATH}?object_id={people.acme.pk}&object_type=accounts.Workspace").json()["data"] == []


def test_nothing_rewrites_it(people):
    line = Activity.objects.first()
    for attempt in (line.save, line.delete, Activity.objects.all().delete, lambda: Activity.objects.update(action="x")):
        with pytest.raises(TypeError, match="append-only"):
            attempt()


def test_a_change_that_is_rolled_back_leaves_no_line(people):
    before = Activity.objects.count()
    with transaction.atomic():
        create_site(operator(people.acme.pk), **BODY)
        assert Activity.objects.count() == before + 1
        transaction.set_rollback(True)
    assert (Activity.objects.count(), Site.objects.count()) == (before, 0)


@pytest.mark.django_db(transaction=True)
def test_telling_outside_a_transaction_is_an_error(people):
    with pytest.raises(RuntimeError, match="outside a transaction"):
        publish(operator(people.acme.pk), "site.created", people.acme)


# --- the chain --------------------------------------------------------------------------------------------------------


def sql(text: str, *args) -> None:
    """As somebody would who can write to the database."""
    with connection.cursor() as cursor:
        cursor.execute(text, args)


def lines_of(workspace) -> list[Activity]:
    for number in range(4):
        create_site(operator(workspace.pk), name=f"S{number}", domain=f"s{number}.example.com")
    return list(Activity.objects.filter(workspace=workspace).order_by("seq"))


def test_a_whole_log_is_verified(people):
    lines_of(people.acme)
    verdicts = {verdict.chain: verdict for verdict in verify()}
    assert set(verdicts) == {PLATFORM, people.acme.pk, people.other.pk}
    assert not [verdict for verdict in verdicts.values() if verdict.reason]
    assert verdicts[people.acme.pk].lines == Activity.objects.filter(workspace=people.acme).count()


@pytest.mark.parametrize(
    "column", ["action", "role", "via", "object_id", "object_type", "request_id", "details", "hash"]
)
def test_a_changed_line_is_named(people, column):
    third = lines_of(people.acme)[2]
    sql(f"UPDATE accounts_activity SET {column} = %s WHERE id = %s", "{}" if column == "details" else "x", third.pk)
    (verdict,) = verify([people.acme.pk])
    assert (verdict.broken, verdict.lines) == (third, 2)


@pytest.mark.parametrize("column", ["user_id", "key_id", "created_at"])
def test_a_line_put_on_somebody_else_is_named(people, column):
    third = lines_of(people.acme)[2]
    value = "2020-01-01 00:00:00+00:00" if column == "created_at" else people.bob.pk
    sql(f"UPDATE accounts_activity SET {column} = %s WHERE id = %s", value, third.pk)
    (verdict,) = verify([people.acme.pk])
    assert verdict.broken == third


@pytest.mark.parametrize("place", [0, 2, -1], ids=["first", "middle", "last"])
def test_a_missing_line_is_noticed(people, place):
    lines = lines_of(people.acme)
    sql("DELETE FROM accounts_activity WHERE id = %s", lines[place].pk)
    (verdict,) = verify([people.acme.pk])
    assert verdict.reason
    assert verdict.broken == (lines[place + 1] if place >= 0 else lines[-2])


def test_an_empty_log_with_a_head_is_noticed(people):
    sql("DELETE FROM accounts_activity WHERE workspace_id = %s", people.acme.pk)
    (verdict,) = verify([people.acme.pk])
    assert (verdict.broken, bool(verdict.reason)) == (None, True)


def test_the_command_says_so(people):
    third = lines_of(people.acme)[2]
    out = StringIO()
    call_command("verify_activity", "acme", stdout=out)
    assert "whole" in out.getvalue()
    sql("UPDATE accounts_activity SET action = 'nothing.happened' WHERE id = %s", third.pk)
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("verify_activity", json=True, stdout=out)
    told = {chain["workspace"]: chain for chain in json.loads(out.getvalue())["chains"]}
    assert told["acme"]["broken"]["id"] == third.pk
    assert told["other"]["ok"] is True
    with pytest.raises(CommandError, match="no workspace 'nope'"):
        call_command("verify_activity", "nope")


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_make_one_chain(people):
    gate = threading.Barrier(4)

    def write(number: int) -> None:
        gate.wait()
        for _ in range(5):
            with transaction.atomic():
                record(Event(f"site.t{number}", operator(people.acme.pk), people.acme))
        connections.close_all()

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (verdict,) = verify([people.acme.pk])
    assert verdict.reason == ""
    assert Activity.objects.filter(workspace=people.acme, action__startswith="site.t").count() == 20
    assert ActivityHead.objects.get(pk=people.acme.pk).seq == Activity.objects.filter(workspace=people.acme).count()
