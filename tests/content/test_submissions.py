"""Thirty-two submissions at the same moment: the limits hold exactly."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection, connections

from accounts.models import Workspace
from ajansops.kit.clock import now
from jobs.models import Job
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 32


@pytest.fixture
def submit(people, key_for, make_product, settings):
    """The statuses and codes of so many simultaneous submissions under these limits of the plan."""
    make_product(people.acme, "A")
    raw = key_for(people.acme)

    def run(**limits: int) -> Counter[str]:
        settings.ENV = replace(settings.ENV, **{f"rate_limit_ent_{name}": value for name, value in limits.items()})
        gate, seen = threading.Barrier(AT_ONCE), Counter[str]()

        def call() -> None:
            api = Api(key=raw)
            gate.wait()
            answer = api.post("/v1/content/generate")
            seen[answer.json()["error"]["code"] if answer.status_code != 202 else "accepted"] += 1
            connections.close_all()

        threads = [threading.Thread(target=call) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return seen

    return run


def test_concurrent_jobs_are_exact(submit):
    assert submit(concurrent=3) == {"accepted": 3, "CONCURRENT_LIMIT_EXCEEDED": 29}
    assert Job.objects.count() == 3


def test_without_the_workspaces_lock_they_would_not_be(submit, monkeypatch):
    """The positive control."""
    if connection.vendor == "sqlite":
        pytest.skip("there the transaction is the lock")
    monkeypatch.setattr(type(Workspace.objects), "lock", lambda self, workspace_id: None)
    assert submit(concurrent=3)["accepted"] > 3


def test_accepted_jobs_share_a_window_exactly(submit, work, monkeypatch):
    """Each of the 32 has one unit, and the hour has five. It is half past some hour, so that no other begins."""
    moment = (now() + timedelta(days=1)).replace(hour=12, minute=30)
    for place in ("content.services.generation", "jobs.claims", "jobs.engine"):
        monkeypatch.setattr(f"{place}.now", lambda: moment)
    assert submit(concurrent=100, hourly=5) == {"accepted": AT_ONCE}
    work()
    assert Job.objects.filter(status="completed").count() == 5
    waiting = Job.objects.exclude(resumes_at=None)
    assert waiting.count() == AT_ONCE - 5
    assert set(waiting.values_list("resumes_at", flat=True)) == {
        moment.replace(hour=13, minute=0, second=0, microsecond=0)
    }
