"""Thirty-two knock at the same moment: as many come in as there is room for."""

import threading
from collections import Counter

import pytest
from django.db import connection, connections

from accounts.models import Workspace
from ajansops.kit.entitlements import Feature, counted
from billing.ledger import used_of, verify_ledger
from content.models import Post, Product
from jobs.models import Job
from sites.models import Site
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 32


@pytest.fixture
def knock(people, key_for):
    """The statuses of so many simultaneous calls; `body(n)` is the n-th one's."""
    raw = key_for(people.acme)

    def run(path: str, body) -> Counter[int]:
        gate, seen = threading.Barrier(AT_ONCE), Counter[int]()

        def call(number: int) -> None:
            api = Api(key=raw)
            gate.wait()
            seen[api.post(path, body(number)).status_code] += 1
            connections.close_all()

        threads = [threading.Thread(target=call, args=[number]) for number in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return seen

    return run


@pytest.fixture
def post(people):
    site = Site.objects.create(workspace=people.acme, name="S", domain="s.example.com")
    return lambda number: {"site_id": site.pk, "title": f"T{number}"}


def test_rows_of_a_gauge_are_exact(knock, post, limit, people):
    limit(Feature.POSTS, 5)
    assert knock("/api/v1/posts", post) == {201: 5, 403: AT_ONCE - 5}
    assert counted(people.acme.pk, Feature.POSTS) == Post.objects.count() == 5


def test_without_the_workspaces_lock_they_would_not_be(knock, post, limit, monkeypatch):
    """The positive control."""
    if connection.vendor == "sqlite":
        pytest.skip("there the transaction is the lock")
    limit(Feature.POSTS, 5)
    monkeypatch.setattr(type(Workspace.objects), "lock", lambda self, workspace_id: None)
    assert knock("/api/v1/posts", post)[201] > 5


def test_units_of_jobs_are_exact_from_the_start_to_the_end(knock, limit, people, work):
    """Each asks for two texts, and there are eleven."""
    for sku in "AB":
        Product.objects.create(workspace=people.acme, sku=sku, title=sku)
    limit(Feature.GENERATIONS, 11)
    assert knock("/v1/content/generate-title", lambda number: {}) == {202: 5, 403: AT_ONCE - 5}
    assert (used_of(people.acme.pk, Feature.GENERATIONS), Job.objects.count()) == (10, 5)
    work()
    done = sum(Job.objects.values_list("done", flat=True))
    assert used_of(people.acme.pk, Feature.GENERATIONS) == done
    assert verify_ledger() == {"counters_verified": 1, "ledger_mismatches": 0}
