"""The world is made once a module, inside a transaction that never commits; each call is undone by its savepoint."""

from collections.abc import Iterator

import pytest
from django.db import transaction

from tests.contract import worlds


@pytest.fixture(scope="module")
def _world(django_db_setup, django_db_blocker) -> Iterator[worlds.World]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield worlds.build()
        transaction.set_rollback(True)


@pytest.fixture
def world(_world, db) -> Iterator[worlds.World]:
    """Both tenants. Keys and sessions that a test adds are forgotten with its transaction."""
    tenants = (_world.acme, _world.other)
    known = [(dict(tenant.keys), dict(tenant.sessions)) for tenant in tenants]
    yield _world
    for tenant, (keys, sessions) in zip(tenants, known, strict=True):
        tenant.keys, tenant.sessions = keys, sessions
