"""Agents on core: what a model is to do, with which tools, when, and for how much."""

import json
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Activity
from accounts.roles import Role
from jobs.models import Agent
from tests.accounts.test_admin import address, post, staff
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PATH = "/api/v1/agents"
BARE = {"name": "Watcher", "instructions": "Look at the reports and say what is new."}
FULL = BARE | {
    "tools": ["sites_list", "seo_reports_list"],
    "schedule": "30 9 * * 1-5",
    "monthly_budget": 25.5,
    "requires_approval": False,
}


def refused(answer, *names: str) -> bool:
    """Whether exactly these fields are."""
    assert answer.status_code == 422, answer.content
    return {name.partition(".")[0] for name in answer.json()["errors"]} == set(names)


def test_it_works(acme):
    answer = acme.post(PATH, FULL)
    assert (answer.status_code, set(answer.json())) == (201, {"message", "data"})
    row = answer.json()["data"]
    assert {name: row[name] for name in FULL} == FULL
    assert acme.get(f"{PATH}/{row['id']}").json()["data"] == row
    assert acme.get(f"{PATH}?search=watch&fields=name,schedule&sort=-monthly_budget").json()["data"] == [
        {"name": "Watcher", "schedule": "30 9 * * 1-5"}
    ]
    changed = acme.patch(f"{PATH}/{row['id']}", {"schedule": ""}).json()["data"]
    assert changed | {"updated_at": ""} == row | {"schedule": "", "updated_at": ""}
    replaced = acme.put(f"{PATH}/{row['id']}", BARE).json()["data"]
    assert {name: replaced[name] for name in FULL} == BARE | {
        "tools": [],
        "schedule": "",
        "monthly_budget": None,
        "requires_approval": True,
    }
    assert acme.delete(f"{PATH}/{row['id']}").status_code == 204
    assert acme.get(f"{PATH}/{row['id']}").status_code == 404
    told = Activity.objects.filter(action__startswith="agent.").order_by("seq").values_list("action", flat=True)
    assert list(told) == ["agent.created", "agent.updated", "agent.updated", "agent.deleted"]


def test_a_name_is_taken_once_in_a_workspace(acme, other):
    assert acme.post(PATH, FULL).status_code == 201
    answer = acme.post(PATH, BARE)
    assert (answer.status_code, answer.json()["error"], list(answer.json()["errors"])) == (409, "conflict", ["name"])
    assert other.post(PATH, BARE).status_code == 201


# --- money ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "kept", "shown"),
    [
        (0, "0", "0.0"),
        (20, "20", "20.0"),
        (0.1, "0.1", "0.1"),
        ("19.99", "19.99", "19.99"),
        ("99999999.99", "99999999.99", "99999999.99"),
        (99999999.99, "99999999.99", "99999999.99"),
        (None, None, "null"),
    ],
)
def test_a_budget_is_a_decimal_and_shown_as_it_was_written(acme, given, kept, shown):
    answer = acme.post(PATH, BARE | {"monthly_budget": given})
    assert f'"monthly_budget":{shown},' in answer.content.decode()
    assert Agent.objects.get().monthly_budget == (kept and Decimal(kept))


@pytest.mark.parametrize(
    "given", [-1, "-0.01", 1.234, "1e9", 100000000, "NaN", "Infinity", "ten", " 1,5", True, [1], "١"]
)
def test_what_is_no_amount_is_refused(acme, given):
    assert refused(acme.post(PATH, BARE | {"monthly_budget": given}), "monthly_budget")


def test_the_database_knows_no_negative_budget(people):
    with pytest.raises(IntegrityError), transaction.atomic():
        Agent.objects.create(workspace=people.acme, **BARE, monthly_budget=Decimal("-0.01"))


# --- when -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "kept"),
    [
        ("", ""),
        ("* * * * *", "* * * * *"),
        ("*/15 0-6,22 1 JAN,JUL *", "*/15 0-6,22 1 JAN,JUL *"),
        ("0 9 * * MON#1", "0 9 * * MON#1"),
        ("0 9 L * *", "0 9 L * *"),
        (" 0  9 * * 7 ", "0 9 * * 7"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_a_schedule_is_cron(acme, schedule, kept):
    assert acme.post(PATH, BARE | {"schedule": schedule}).json()["data"]["schedule"] == kept


@pytest.mark.parametrize(
    "schedule",
    [
        *("daily", "@daily", "* * * *", "0 * * * * *", "60 * * * *", "* 24 * * *", "0 0 30 2 *", "0 0 31 4,6 *"),
        *("*/0 * * * *", "5-1 * * * *", "0 9 * * ٣", "0 9 * * 8", "a b c d e", ", , , , ,", "* * * * *\n* * * * *"),
        *("* " * 60, None, 5),
    ],
)
def test_what_is_no_schedule_or_never_comes_is_refused(acme, schedule):
    assert refused(acme.post(PATH, BARE | {"schedule": schedule}), "schedule")


# --- with what --------------------------------------------------------------------------------------------------------


def test_a_tool_is_named_once(acme):
    tools = ["sites_list", "sites_list", "seo_reports_list2"]
    assert acme.post(PATH, BARE | {"tools": tools}).json()["data"]["tools"] == ["sites_list", "seo_reports_list2"]


@pytest.mark.parametrize(
    "tools",
    [
        ["sites"],
        ["Sites_list"],
        ["sites-list"],
        ["sites_"],
        ["_list"],
        ["sites__list"],
        ["sites_list\n"],
        ["*"],
        [""],
        ["ürün_list"],
        ["a_" + "b" * 63],
        [{"name": "sites_list"}],
        "sites_list",
        None,
        [f"sites_list{n}" for n in range(101)],
    ],
)
def test_what_is_no_tool_is_refused(acme, tools):
    answer = acme.post(PATH, BARE | {"tools": tools})
    if tools == ["sites_list\n"]:  # blanks around a text mean nothing
        assert answer.json()["data"]["tools"] == ["sites_list"]
    else:
        assert refused(answer, "tools")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"instructions": " "}, "instructions"),
        ({"instructions": "x" * 20_001}, "instructions"),
        ({"requires_approval": "perhaps"}, "requires_approval"),
        ({"requires_approval": None}, "requires_approval"),
        ({"model": "any"}, "model"),
    ],
)
def test_what_is_wrong_is_named(acme, body, field):
    assert refused(acme.post(PATH, BARE | body), field)


def test_everything_wrong_is_named_at_once(acme):
    assert refused(acme.post(PATH, BARE | {"tools": ["x"], "schedule": "never"}), "tools", "schedule")
    assert not Agent.objects.exists()


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.VIEWER, {"GET": 200, "POST": 403, "PATCH": 403, "PUT": 403, "DELETE": 403}),
        (Role.EDITOR, {"GET": 200, "POST": 201, "PATCH": 200, "PUT": 200, "DELETE": 403}),
        (Role.ADMIN, {"GET": 200, "POST": 201, "PATCH": 200, "PUT": 200, "DELETE": 204}),
    ],
)
def test_the_role_decides(acme, people, role, statuses):
    people.acme.memberships.filter(user=people.bob).update(role=role)
    path, bob = f"{PATH}/{acme.post(PATH, BARE).json()['data']['id']}", Api(user=people.bob)
    for method, status in statuses.items():
        where, body = (PATH, BARE | {"name": "Other"}) if method == "POST" else (path, BARE)
        assert bob.call(method, where, body).status_code == status, method


def test_the_admin_asks_the_same(people):
    api, page = staff(people.alice), address(Agent, "add")
    form = {"workspace": people.acme.pk, **BARE, "requires_approval": "on"}
    post(api, page, **form, tools=json.dumps(["sites_list"]), schedule="0  9 * * 1", monthly_budget="10.50")
    agent = Agent.objects.get()
    assert (agent.tools, agent.schedule, agent.monthly_budget) == (["sites_list"], "0 9 * * 1", Decimal("10.50"))
    wrong = {"tools": '{"a": 1}', "schedule": "0 0 30 2 *", "monthly_budget": "-1"}
    answer = post(api, page, **form | {"name": "Other"}, **wrong)
    assert answer.status_code == 200
    for told in ("A list of at most 100 names.", "Five fields as cron has them"):
        assert answer.content.decode().count(told) == 1
    assert Agent.objects.count() == 1
