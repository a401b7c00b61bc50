"""A receiver, what a dispatcher does, and jobs that end."""

import asyncio

import pytest
from django.db import transaction

from accounts.actors import operator
from ajansops.kit.events import publish
from jobs.models import Job, JobStatus
from tests.webhooks.receiver import receiving
from webhooks.dispatcher import Dispatcher


@pytest.fixture
def receiver():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def another():
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def dispatch(transactional_db):
    """`dispatch()` sends what is due until nothing is."""

    def run() -> None:
        asyncio.run(Dispatcher().run(until_idle=True))

    return run


@pytest.fixture
def end_job(transactional_db):
    """`end_job(workspace, url)` is a job that has just ended, and was told so."""
    made = iter(range(1000))

    def end(workspace, url: str, *, told: str = "job.completed", **fields) -> Job:
        with transaction.atomic():
            status = JobStatus(told.removeprefix("job."))
            job = Job.objects.create(
                id=f"content_{workspace.pk}_{next(made)}",
                workspace=workspace,
                kind="content",
                status=status,
                webhook_url=url,
                request_id="req_of_job",
                **fields,
            )
            publish(operator(workspace.pk), told, job)
        return job

    return end


@pytest.fixture
def endpoint(acme, receiver):
    """An endpoint of Acme's, with its secret."""
    answer = acme.post("/api/v1/webhooks", {"url": receiver.url, "events": ["*"]})
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]
