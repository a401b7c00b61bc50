"""Alice owns a workspace, Bob is a member, Charlie owns another one. Clients speak HTTP to the WSGI application."""

import asyncio
import gc
import json
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client, TransactionTestCase
from django.utils import translation

from accounts.models import User, Workspace
from accounts.recent import RECENT
from accounts.roles import Role
from accounts.services import api_keys, members, workspaces
from accounts.services import people as persons
from ajansops.api import throttling
from ajansops.kit import limiter_stores
from ajansops.kit.counting import TABLE
from ajansops.kit.entitlements import Feature
from ajansops.kit.plans import forget_recent_tiers
from billing.models import PlanLimit
from jobs.engine import Engine
from tests import migrated

gc.set_threshold(50_000, 20, 50)  # thousands of tests are thousands of objects that each full collection walks through
ONCE = (
    "tests/ai/",
    "tests/browser/",
    "tests/accounts/test_translations.py",
    "tests/api/test_generated_client.py",  # what a stranger's generator makes of the schema
    "tests/api/test_idempotency.py::test_a_kill_leaves_both_or_neither",  # in an SQLite of its own
    "tests/billing/test_checkout.py::test_web_starts_without_the_sdk",
    "tests/kit/test_net",
    "tests/kit/test_slots.py",
    "tests/leads/test_extract.py",
    "tests/sites/seo/",
    "tests/test_env.py",
)
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.fixture(scope="session", autouse=True)
def _quick_flush():
    """After a test that commits, only tables with rows are emptied, and what migrations made stays.

    Django truncates them all and makes permissions and content types anew, which takes a second or two.
    """
    kept = {"django_content_type", "auth_permission"}

    def sql_flush(style, tables, **_):
        found = [f"SELECT * FROM (SELECT '{one}' FROM \"{one}\" LIMIT 1) one" for one in sorted(set(tables) - kept)]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(found))
            full = [row[0] for row in cursor.fetchall()]
        # Row counts last: triggers write them when others are emptied.
        return [f'DELETE FROM "{one}"' for one in [*(one for one in full if one != TABLE), TABLE]]

    def flush(self) -> None:
        options = {"verbosity": 0, "interactive": False, "reset_sequences": False, "inhibit_post_migrate": True}
        call_command("flush", **options)

    connection.ops.sql_flush = sql_flush
    TransactionTestCase._fixture_teardown = flush


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix):
    """On SQLite, what pytest-django is to keep (next fixture) is there already, migrated."""
    if connection.vendor == "sqlite":
        migrated.copy_to(Path(connection.creation._get_test_db_name()))


@pytest.fixture(scope="session")
def django_db_keepdb():
    return connection.vendor == "sqlite"


@dataclass
class People:
    """Two tenants and their people."""

    alice: User
    bob: User
    charlie: User
    acme: Workspace
    other: Workspace


def pytest_collection_modifyitems(items):
    """What is the same on every database is asked once, on SQLite: the suite has its time to keep."""
    if connection.vendor == "postgresql":
        for item in items:
            if item.nodeid.startswith(ONCE):
                item.add_marker(pytest.mark.skip(reason="the same on every database"))


def pytest_collection_finish():
    """What is there now stays."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _english():
    """A page in another language leaves its thread speaking it."""
    translation.activate("en")


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch, request):
    """Nobody has called yet; workers that share a Redis count apart; one that is only busy is not taken for away."""
    if "outage" not in request.module.__name__:
        monkeypatch.setattr(limiter_stores, "CALL_SECONDS", 0.9)
    monkeypatch.setattr(throttling, "REDIS_PREFIX", f"ajansops-test:{uuid.uuid4()}:")
    throttling.limiter_at.cache_clear()
    forget_recent_tiers()
    RECENT.forget()


@pytest.fixture
def people(db) -> People:
    alice = persons.create_user(email="alice@example.org", password="alice-password", name="Alice")
    bob = persons.create_user(email="bob@example.org", password="bob-password", name="Bob")
    charlie = persons.create_user(email="charlie@example.org", password="charlie-password", name="Charlie")
    acme = workspaces.create_workspace(name="Acme", slug="acme", plan="enterprise", owner=alice)
    members.add_member(acme, bob, Role.VIEWER)
    other = workspaces.create_workspace(name="Other", slug="other", plan="enterprise", owner=charlie)
    return People(alice, bob, charlie, acme, other)


class Api:
    """A client with a key or a signed-in user; answers are Django responses with `.json()`."""

    def __init__(self, *, key: str = "", user: User | None = None, **headers: str) -> None:
        self.client = Client(raise_request_exception=False)
        if user:
            self.client.force_login(user, backend="accounts.backends.RoleBackend")
        self.headers = headers | ({"authorization": f"Bearer {key}"} if key else {})

    def call(self, method: str, path: str, body: Any = None, **headers: str):
        data = body if isinstance(body, bytes | str) else json.dumps(body) if body is not None else ""
        content_type = headers.pop("content_type", "application/json")
        RECENT.forget()  # tests change rows behind its back; tests/accounts/test_recent.py does not
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, path, data, content_type=content_type, headers=given)

    def get(self, path: str, **headers: str):
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str):
        return self.call("POST", path, body if body is not None else {}, **headers)

    def patch(self, path: str, body: Any, **headers: str):
        return self.call("PATCH", path, body, **headers)

    def put(self, path: str, body: Any, **headers: str):
        return self.call("PUT", path, body, **headers)

    def delete(self, path: str, **headers: str):
        return self.call("DELETE", path, **headers)


@pytest.fixture
def key_for(db):
    """`key_for(workspace, "sites:read", …)` is a raw key."""

    def make(workspace: Workspace, *scopes: str, test: bool = False, creator: User | None = None) -> str:
        _, raw = api_keys.create_api_key(workspace, name="test", scopes=scopes or ("*",), test=test, creator=creator)
        return raw

    return make


@pytest.fixture
def acme(people, key_for) -> Api:
    """A key of Alice's workspace that may do everything."""
    return Api(key=key_for(people.acme))


@pytest.fixture
def other(people, key_for) -> Api:
    """A key of Charlie's workspace that may do everything."""
    return Api(key=key_for(people.other))


@pytest.fixture
def limit(db):
    """`limit(Feature.SITES, 3)` is what the plan of Alice's and Charlie's workspaces allows from now on."""

    def set_limit(feature: Feature, most: int | None) -> None:
        PlanLimit.objects.update_or_create(plan="enterprise", feature=feature, defaults={"limit": most})

    return set_limit


@pytest.fixture
def work(transactional_db):
    """`work()` does what a worker does until nothing is left to do."""

    def run(concurrency: int = 16) -> None:
        asyncio.run(Engine(concurrency).run(until_idle=True))

    return run


@pytest.fixture
def shared() -> Path:
    """The folder with the real export; a test that needs it is skipped where it is not."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"{SHARED} is not here")
    return SHARED
