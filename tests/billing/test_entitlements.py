"""What the three addresses answer, as the reference prints it, for a workspace whose plan has limits."""

import json

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ajansops.kit.clock import iso, now
from ajansops.kit.entitlements import METERS, SWITCHES, Feature
from billing.features import LIMITS
from billing.models import Boost, PlanLimit
from billing.periods import current_period
from billing.services import set_plan
from sites.models import Site
from tests.conftest import Api

CHECK, USAGE, SUMMARY = (f"/api/v1/entitlements/{name}" for name in ("check", "usage", "summary"))


@pytest.fixture
def free(people):
    """Alice's workspace on the free plan."""
    set_plan(people.acme.pk, "free")
    return people.acme


def sites(workspace, count: int) -> None:
    Site.objects.bulk_create(
        Site(workspace=workspace, name=f"Site {number}", domain=f"s{number}.example.com") for number in range(count)
    )


def test_it_works(acme, free):
    sites(free, 2)
    answer = acme.get(f"{CHECK}?feature=sites")
    assert answer.status_code == 200
    assert answer.json() == {"allowed": True, "feature": "sites", "current_usage": 2, "limit": 3, "available": 1}


def test_what_would_be_too_much_is_said_with_a_reason(acme, free):
    sites(free, 2)
    answer = acme.get(f"{CHECK}?feature=sites&quantity=2")
    assert answer.status_code == 200
    told = answer.json()
    assert told.pop("upgrade_url").startswith("http")
    assert told == {
        "allowed": False,
        "feature": "sites",
        "reason": "LIMIT_EXCEEDED",
        "message": "Site limit exceeded. Used: 2, Limit: 3",
        "current_usage": 2,
        "limit": 3,
        "available": 1,
    }


def test_above_a_limit_that_has_shrunk_nothing_is_available(acme, free):
    sites(free, 5)
    told = acme.get(f"{CHECK}?feature=sites").json()
    assert (told["allowed"], told["current_usage"], told["available"]) == (False, 5, 0)


@pytest.mark.parametrize(("plan", "allowed"), [("free", False), ("growth", False), ("agency", True)])
def test_a_switch_is_in_the_plan_or_not(acme, people, plan, allowed):
    set_plan(people.acme.pk, plan)
    told = acme.get(f"{CHECK}?feature=priority_support").json()
    assert told["allowed"] is allowed
    assert told.get("reason") == (None if allowed else "NOT_IN_PLAN")
    assert "current_usage" not in told


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "feature"),
        ("?feature=unicorns", "feature"),
        ("?feature=posts&quantity=0", "quantity"),
        ("?feature=posts&quantity=-1", "quantity"),
        ("?feature=posts&quantity=x", "quantity"),
        ("?feature=posts&quantity=99999999999999999999", "quantity"),
    ],
)
def test_a_bad_question_names_what_is_wrong(acme, query, field):
    answer = acme.get(CHECK + query)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_a_client_records_what_it_used(acme, free):
    body = {"feature": "api_calls", "quantity": 7, "metadata": {"endpoint": "/api/v1/posts"}}
    assert acme.post(USAGE, body).status_code == 200
    answer = acme.post(USAGE, {"feature": "api_calls"})
    assert answer.json() == {"recorded": True, "feature": "api_calls", "current_usage": 8, "limit": 10_000}


def test_what_is_repeated_with_its_key_counts_once(acme, free):
    body = {"feature": "emails", "quantity": 30}
    first, second = (acme.post(USAGE, body, idempotency_key="once") for _ in range(2))
    assert first.json() == second.json()
    assert acme.get(f"{CHECK}?feature=emails").json()["current_usage"] == 30


def test_what_would_pass_the_limit_is_refused_and_not_recorded(acme, free):
    assert acme.post(USAGE, {"feature": "audits", "quantity": 4}).status_code == 200
    answer = acme.post(USAGE, {"feature": "audits", "quantity": 2})
    assert answer.status_code == 403
    told = answer.json()
    assert told.pop("upgrade_url").startswith("http")
    assert told == {
        "error": "feature_limit_reached",
        "message": "You have reached your limit for this feature.",
        "feature": "audits",
    }
    assert acme.post(USAGE, {"feature": "audits"}).json()["current_usage"] == 5


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "feature"),
        ({"feature": "posts"}, "feature"),  # a gauge: it is counted, not recorded
        ({"feature": "storage"}, "feature"),
        ({"feature": "priority_support"}, "feature"),
        ({"feature": "emails", "quantity": 0}, "quantity"),
        ({"feature": "emails", "quantity": "3"}, "quantity"),
        ({"feature": "emails", "quantity": 1.5}, "quantity"),
        ({"feature": "emails", "metadata": []}, "metadata"),
        ({"feature": "emails", "metadata": {"note": "x" * 5000}}, "metadata"),
        ({"feature": "emails", "amount": 1}, "amount"),
    ],
)
def test_a_bad_record_names_what_is_wrong(acme, body, field):
    answer = acme.post(USAGE, body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_the_summary_has_every_gauge_every_meter_and_storage(acme, free):
    acme.post(USAGE, {"feature": "lead_scrapes", "quantity": 33})
    sites(free, 1)
    told = acme.get(SUMMARY).json()["data"]
    assert (told["workspace_id"], told["tier"]) == (free.pk, "free")
    entitlements = told["entitlements"]
    assert set(entitlements) == {feature.value for feature in Feature if feature not in SWITCHES}
    assert entitlements["sites"] == {"used": 1, "limit": 3, "available": 2, "percentage": 33.33}
    reset_at = iso(current_period(free.pk).end)
    assert entitlements["lead_scrapes"] == {
        "used": 33,
        "limit": 100,
        "available": 67,
        "percentage": 33,
        "reset_at": reset_at,
    }
    assert {name for name, entry in entitlements.items() if "reset_at" in entry} == {one.value for one in METERS}
    assert entitlements["storage"]["unit"] == "bytes"


def test_without_a_limit_it_is_null(acme, people):
    acme.post(USAGE, {"feature": "emails", "quantity": 5})
    entry = acme.get(SUMMARY).json()["data"]["entitlements"]["emails"]
    entry.pop("reset_at")
    assert entry == {"used": 5, "limit": None, "available": None, "percentage": 0}
    told = acme.get(f"{CHECK}?feature=emails&quantity=1000000").json()
    assert told == {"allowed": True, "feature": "emails", "current_usage": 5, "limit": None, "available": None}


def test_reading_writes_nothing(acme, free):
    acme.get(SUMMARY)
    with CaptureQueriesContext(connection) as caught:
        acme.get(f"{CHECK}?feature=emails")
        acme.get(SUMMARY)
    assert not [query["sql"] for query in caught if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_what_others_use_does_not_count(acme, other, people, free):
    other.post(USAGE, {"feature": "emails", "quantity": 50})
    assert acme.get(f"{CHECK}?feature=emails").json()["current_usage"] == 0


def test_a_boost_adds_to_the_limit_while_it_is_in_force(acme, free):
    Boost.objects.create(workspace=free, feature="audits", amount=10)
    Boost.objects.create(workspace=free, feature="audits", amount=100, ends_at=now())
    assert acme.get(f"{CHECK}?feature=audits").json()["limit"] == 15


def test_the_plans_are_written_once_and_what_was_edited_stays(acme, free, capsys):
    def changed() -> int:
        call_command("sync_plans", "--json")
        return json.loads(capsys.readouterr().out)["changed"]

    assert changed() == sum(map(len, LIMITS.values()))
    row = PlanLimit.objects.get(plan="free", feature="audits")
    row.limit, row.edited = 9, True
    row.save()
    PlanLimit.objects.filter(plan="free", feature="emails").update(limit=1)
    assert changed() == 1
    assert acme.get(f"{CHECK}?feature=audits").json()["limit"] == 9
    assert acme.get(f"{CHECK}?feature=emails").json()["limit"] == 100


def test_a_key_needs_the_scope(people, key_for):
    key = Api(key=key_for(people.acme, "posts:read"))
    assert key.get(SUMMARY).json()["required_scope"] == "entitlements:read"
