"""Request limits through HTTP: who is counted, how much they may, and what every answer says of it."""

import time
import uuid
from dataclasses import replace
from datetime import datetime

import pytest
import redis.connection
import time_machine
from redis import Redis, RedisError

from accounts.services import api_keys, workspaces
from accounts.services import people as persons
from ajansops.api import throttling
from ajansops.kit import plans
from ajansops.kit.limiter import Limit
from billing.services import set_plan
from tests.conftest import Api
from tests.kit.test_limiter import REDIS, silent_server

pytestmark = pytest.mark.urls("tests.api.limited_urls")

PROBES = {"core": "/api/v1/probe", "studio": "/v1/probe", "app": "/api/probe", "insight": "/api/billing/other"}
NOW = "2026-01-15T10:59:00Z"
UNIX = 1768474740
TIERS = [
    ("free", "free", 60, 60),
    ("starter", "starter", 1_000, 1_200),
    ("growth", "pro", 5_000, 6_500),
    ("agency", "agency", 20_000, 30_000),
    ("enterprise", "enterprise", 100_000, 200_000),
]


@pytest.fixture
def still(settings):
    """Redis has a clock of its own, so these count in memory."""
    settings.ENV = replace(settings.ENV, redis_url="")
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def tight(monkeypatch):
    """Limits that a test can use up: free and enterprise 3 (and a burst of a third), nobody 3."""
    monkeypatch.setattr(throttling, "BY_TIER", dict.fromkeys(throttling.BY_TIER, Limit(3, burst=34)))
    monkeypatch.setattr(throttling, "NOBODY", replace(throttling.NOBODY, limit=Limit(3)))


def told(answer) -> tuple[int, int, int]:
    """Limit, Remaining and Reset, all of them whole numbers."""
    limit, remaining, reset = (int(answer[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))
    assert 0 <= remaining <= limit
    return limit, remaining, reset


def left(answer) -> int:
    return told(answer)[1]


# --- tiers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("plan", "tier", "limit", "most"), TIERS)
def test_each_tier_has_its_number(people, key_for, plan, tier, limit, most):
    assert throttling.BY_TIER[tier].most == most
    set_plan(people.acme.pk, plan)
    key = Api(key=key_for(people.acme)).get(PROBES["core"])
    person = Api(user=people.alice).get(PROBES["app"])
    assert key.json()["data"]["tier"] == tier
    assert [told(answer)[:2] for answer in (key, person)] == [(limit, limit - 1)] * 2


def test_free_is_sixty_and_not_one_more(people, key_for, still):
    set_plan(people.acme.pk, "free")
    api = Api(key=key_for(people.acme))
    statuses = [api.get(PROBES["core"]).status_code for _ in range(62)]
    assert statuses == [200] * 60 + [429] * 2
    still.shift(59.9)
    assert api.get(PROBES["core"]).status_code == 429, "no new window on the minute"
    still.shift(0.1)
    assert api.get(PROBES["core"]).status_code == 200


def test_the_lower_of_key_and_workspace_counts(people):
    _, raw = api_keys.create_api_key(people.acme, name="slow", scopes=["*"], tier="starter")
    api = Api(key=raw)
    assert told(api.get(PROBES["core"]))[0] == 1_000
    set_plan(people.acme.pk, "free")
    plans.forget_recent_tiers()
    assert told(api.get(PROBES["core"]))[0] == 60


def test_a_person_in_no_workspace_is_on_free(db):
    dora = persons.create_user(email="dora@example.org", password="dora-password", name="Dora")
    assert told(Api(user=dora).get("/api/v1/workspaces"))[0] == 60


def test_a_changed_plan_counts_after_five_seconds_and_costs_no_query_before(
    people, acme, monkeypatch, django_assert_num_queries
):
    now = [1000.0]
    monkeypatch.setattr(plans, "monotonic", lambda: now[0])
    acme.get(PROBES["core"])
    set_plan(people.acme.pk, "starter")
    now[0] += 4.9
    with django_assert_num_queries(1):  # the key
        assert told(acme.get(PROBES["core"]))[0] == 100_000
    now[0] += 0.1
    with django_assert_num_queries(2):
        assert told(acme.get(PROBES["core"]))[0] == 1_000


# --- who is counted ---------------------------------------------------------------------------------------------------


def test_each_key_and_each_person_is_a_count_of_its_own(people, key_for):
    bob, first, second = Api(user=people.bob), Api(key=key_for(people.acme)), Api(key=key_for(people.acme))
    alice = Api(user=people.alice)
    for api in (first, second, alice, bob):
        assert [left(api.get(PROBES["core"])) for _ in range(2)] == [99_999, 99_998]


def test_a_key_is_one_count_over_all_surfaces(acme):
    answers = [acme.get(PROBES[name]) for name in ("core", "app", "studio", "core")]
    assert [left(answer) for answer in answers] == [99_999, 99_998, 99_997, 99_996]


def test_a_person_is_one_count_over_workspaces_and_surfaces(people):
    second = workspaces.create_workspace(name="Second", slug="second", plan="enterprise", owner=people.alice)
    alice = Api(user=people.alice)
    here, there = str(people.acme.pk), str(second.pk)
    answers = [
        alice.get(PROBES["core"], X_Workspace_ID=here),
        alice.get(PROBES["app"], X_Workspace_ID=there),
        alice.get(PROBES["studio"], X_Workspace_ID=here),
    ]
    assert [left(answer) for answer in answers] == [99_999, 99_998, 99_997]


def test_a_token_is_its_key(people, key_for):
    raw = key_for(people.acme)
    body = {"apiKey": raw, "workspaceId": str(people.acme.pk)}
    token = Api().post("/v1/auth/login", body).json()["access_token"]
    assert left(Api(key=raw).get(PROBES["studio"])) == 99_999
    assert left(Api(key=token).get(PROBES["studio"])) == 99_998
    assert left(Api(key=raw).get(PROBES["core"])) == 99_997


def test_nobody_pays_for_what_somebody_else_gets_wrong(acme, tight):
    for _ in range(5):
        Api(key="sk_live_wrong").get(PROBES["core"])
    assert Api(key="sk_live_wrong").get(PROBES["core"]).status_code == 429
    answer = acme.get(PROBES["core"])
    assert (answer.status_code, left(answer)) == (200, 2)


# --- every answer says it ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", PROBES)
def test_every_answer_has_the_headers(people, key_for, surface, tight, monkeypatch):
    path = PROBES[surface]
    all_of_it = key_for(people.acme)
    seen = {}

    def send(method: str, query: str = "", key: str = all_of_it, **headers: str):
        throttling.limiter_at.cache_clear()  # each is the first of its minute
        monkeypatch.setattr(throttling, "REDIS_PREFIX", f"ajansops-test:{uuid.uuid4()}:")
        body = {} if method == "POST" else None
        answer = Api(key=key).call(method, path + query, body, **headers)
        assert told(answer)[:2] == (3, 2), answer.status_code
        seen[method, answer.status_code] = answer

    send("GET")
    send("HEAD")
    send("POST")
    send("GET", key="")
    send("GET", key="sk_live_wrong")
    send("GET", key=key_for(people.acme, "posts:read"))
    send("GET", "?fail=missing")
    send("GET", X_Workspace_ID="987654321")
    send("GET", "?fail=invalid")
    send("GET", "?fail=bug")
    send("GET", "?name=%00")
    send("GET", Accept="text/html")
    send("DELETE")
    send("OPTIONS")
    invalid = 422 if surface == "core" else 400
    assert {status for _, status in seen} == {200, 401, 403, 404, 405, 406, invalid, 500}
    assert ("OPTIONS", 405) in seen
    assert ("HEAD", 200) in seen


@pytest.mark.parametrize("path", ["/api/v1/nope", "/v1/nope", "/api/nope", "/api/v1", "/api/v1/sites/1/nope"])
def test_an_unknown_path_is_counted_too(db, path, tight):
    api = Api()
    assert [left(api.get(path)) for _ in range(3)] == [2, 1, 0]
    refused = api.get(path)
    assert (refused.status_code, told(refused)[:2]) == (429, (3, 0))


@pytest.mark.parametrize(
    "path", ["/healthz", "/readyz", "/api/health", "/api/schema/", "/api/docs/", "/accounts/login/"]
)
def test_what_is_no_call_has_no_limit(db, path, tight):
    for _ in range(6):
        answer = Api().get(path)
        assert answer.status_code == 200
        assert "X-RateLimit-Limit" not in answer


def test_cron_has_no_limit_but_for_those_without_its_secret(db, tight):
    cron = Api(authorization="Bearer cron-secret")
    for _ in range(6):
        answer = cron.get("/api/cron")
        assert (answer.status_code, "X-RateLimit-Limit" in answer) == (200, False)
    assert [Api().get("/api/cron").status_code for _ in range(3)] == [401, 401, 401]
    assert [api.get("/api/cron").status_code for api in (Api(), cron)] == [429, 200]


# --- the bodies -------------------------------------------------------------------------------------------------------


@pytest.fixture
def refused(acme, tight, still):
    """`refused(surface)` after the plain limit and the burst."""

    def use_up(surface: str):
        answers = [acme.get(PROBES[surface]) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
        assert [left(answer) for answer in answers] == [2, 1, 0, 0, 0]
        answer = answers[-1]
        assert told(answer) == (3, 0, UNIX + 60)
        assert answer["Retry-After"] == "60"
        return answer.json()

    return use_up


def test_core_says_it_as_documented(refused):
    assert refused("core") == {
        "error": "rate_limit_exceeded",
        "message": "Too many requests. Please retry after 60 seconds.",
        "retry_after": 60,
        "limit": 3,
        "remaining": 0,
        "reset_at": "2026-01-15T11:00:00Z",
    }


def test_insight_says_it_as_documented(refused):
    assert refused("insight") == {
        "error": "rate_limited",
        "message": "Too many requests. Please retry after 60 seconds.",
        "retryAfter": 60,
    }


def test_app_says_it_with_a_title(refused):
    body = refused("app")
    assert (body["error"], body["code"], body["retryAfter"]) == ("Too Many Requests", "rate_limit_exceeded", 60)


def test_studio_says_it_in_its_object(refused):
    body = refused("studio")["error"]
    assert body["code"] == "TOO_MANY_REQUESTS"
    assert set(body) == {"code", "message", "details", "timestamp", "path"}


def test_it_is_said_in_the_language_of_the_reference(acme, tight):
    for _ in range(5):
        answer = acme.get(PROBES["insight"], Accept_Language="hu")
    wait = answer["Retry-After"]
    assert answer.json()["message"] == f"Túl sok kérés. Próbáld újra {wait} másodperc múlva."


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "most"),
    [("/api/audit/run", 5), ("/api/chat/insight", 30), ("/api/billing/portal", 60), (PROBES["insight"], 60)],
)
def test_insight_counts_by_address_and_scope(acme, other, path, most):
    answers = [api.get(path) for _ in range(most // 2 + 1) for api in (acme, other)][: most + 1]
    assert [answer.status_code for answer in answers] == [200] * most + [429]
    assert told(answers[0])[:2] == (most, most - 1)
    elsewhere = "/api/chat/insight" if path != "/api/chat/insight" else "/api/audit/run"
    assert acme.get(elsewhere).status_code == 200


def test_an_address_that_is_full_is_refused_before_a_query(acme, django_assert_num_queries):
    for _ in range(6):
        answer = acme.get("/api/audit/run")
    assert answer.status_code == 429
    with django_assert_num_queries(0):
        assert acme.get("/api/audit/run").status_code == 429
        assert Api(key="sk_live_wrong").get("/api/audit/run").status_code == 429


def test_a_refused_call_uses_up_nothing_else(acme):
    for _ in range(10):
        acme.get("/api/audit/run")
    assert left(acme.get(PROBES["core"])) == 99_999 - 5


def statuses(calls: int, *, peer: str, forwarded: str = "") -> list[int]:
    api = Api()
    api.client.defaults["REMOTE_ADDR"] = peer
    headers = {"X_Forwarded_For": forwarded} if forwarded else {}
    return [api.get(PROBES["core"], **headers).status_code for _ in range(calls)]


def test_ipv6_is_counted_by_its_64(db, tight):
    assert statuses(4, peer="2001:db8:1:2::1") == [401, 401, 401, 429]
    assert statuses(1, peer="2001:db8:1:2:ffff:ffff:ffff:ffff") == [429]
    assert statuses(1, peer="2001:db8:1:3::1") == [401]
    assert statuses(4, peer="::ffff:192.0.2.1") == [401, 401, 401, 429]
    assert statuses(1, peer="192.0.2.1") == [429]
    assert statuses(1, peer="192.0.2.2") == [401]


def test_a_header_changes_the_address_only_behind_trusted_proxies(db, tight, settings):
    assert statuses(4, peer="192.0.2.1", forwarded="198.51.100.1") == [401, 401, 401, 429]
    assert statuses(1, peer="192.0.2.1", forwarded="198.51.100.2") == [429]
    settings.ENV = replace(settings.ENV, trusted_proxies=1)
    assert statuses(4, peer="192.0.2.1", forwarded="203.0.113.9, 198.51.100.3") == [401, 401, 401, 429]
    assert statuses(1, peer="192.0.2.1", forwarded="203.0.113.8, 198.51.100.3") == [429], "the left one is anybody's"
    assert statuses(1, peer="192.0.2.1", forwarded="198.51.100.4") == [401]


def test_an_address_without_a_credential_is_refused_without_a_query(db, tight, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert statuses(5, peer="192.0.2.1") == [401, 401, 401, 429, 429]


# --- Redis ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_redis(settings):
    """Count in Redis; what is counted is deleted again."""
    client = Redis.from_url(REDIS, socket_connect_timeout=1)
    try:
        client.ping()
    except RedisError as error:
        pytest.skip(f"no Redis at {REDIS}: {error}")
    settings.ENV = replace(settings.ENV, redis_url=REDIS)
    yield client
    for key in client.scan_iter(f"{throttling.REDIS_PREFIX}*"):
        client.delete(key)


@pytest.fixture
def commands(monkeypatch):
    """What is sent to any Redis."""
    sent = []
    original = redis.connection.AbstractConnection.send_packed_command

    def count(self, command, *args, **kwargs):
        sent.append(command)
        return original(self, command, *args, **kwargs)

    monkeypatch.setattr(redis.connection.AbstractConnection, "send_packed_command", count)
    return sent


def test_in_redis_each_call_is_one_command(on_redis, acme, people, commands, settings):
    alice = Api(user=people.alice)
    acme.get(PROBES["core"])  # connects, and brings the script
    for call in (
        lambda: acme.get(PROBES["core"]),
        lambda: acme.get("/api/audit/run"),  # two buckets
        lambda: alice.get(PROBES["studio"]),
        lambda: Api().get(PROBES["core"]),
        lambda: Api(key="sk_live_wrong").get(PROBES["core"]),
        lambda: Api().get("/api/v1/nope"),
        lambda: acme.delete(PROBES["core"]),
    ):
        commands.clear()
        told(call())
        mine = [command for command in commands if b"EVALSHA" in b"".join(command)]
        assert len(mine) == 1
        assert len(commands) == 1 or settings.CACHES["default"]["BACKEND"].startswith("django_redis")


def test_two_processes_share_what_redis_counts(on_redis, acme, tight):
    answers = []
    for _ in range(5):
        throttling.limiter_at.cache_clear()  # another process
        answers.append(acme.get(PROBES["core"]))
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    body = answers[-1].json()
    reset = int(answers[-1]["X-RateLimit-Reset"])
    assert datetime.fromisoformat(body["reset_at"]).timestamp() == reset
    assert abs(reset - time.time() - body["retry_after"]) < 5


def test_a_redis_that_is_gone_costs_nothing(acme, settings):
    acme.get(PROBES["core"])
    settings.ENV = replace(settings.ENV, redis_url="redis://127.0.0.1:1/0")
    answers = [acme.get(PROBES["core"]) for _ in range(3)]
    assert [(answer.status_code, left(answer)) for answer in answers] == [(200, n) for n in (99_999, 99_998, 99_997)]


def test_a_redis_that_never_answers_costs_its_budget_once(acme, settings):
    acme.get(PROBES["core"])
    with silent_server() as (port, connected):
        settings.ENV = replace(settings.ENV, redis_url=f"redis://127.0.0.1:{port}/0")
        answers = [acme.get(PROBES["core"])]
        assert connected() > 0
        answers += [acme.get(PROBES["core"]) for _ in range(4)]
        assert connected() == 0
    assert [(answer.status_code, left(answer)) for answer in answers] == [(200, 99_999 - n) for n in range(5)]


def test_limits_hold_while_redis_is_gone(acme, settings, tight):
    settings.ENV = replace(settings.ENV, redis_url="redis://127.0.0.1:1/0")
    assert [acme.get(PROBES["core"]).status_code for _ in range(5)] == [200] * 4 + [429]
