"""Claude asks to slow down: its items wait as long as it says, everybody else goes on. The real SDK, a local server."""

import pytest

from ajansops.kit.clock import now
from content.models import Variant
from jobs.models import Job, JobItem, ProviderPause
from tests.conftest import Api
from tests.sites.claude import claude  # noqa: F401  # fixture

pytestmark = pytest.mark.django_db(transaction=True)


def texts_for(server, count: int) -> None:
    for n in range(count):
        server.says({"text": f"A plant pot of clay number {n} for gardens and terraces in every season"})


def test_a_429_with_retry_after_pauses_claude_and_nobody_else(people, acme, key_for, make_product, work, claude):  # noqa: F811
    for n in range(3):
        make_product(people.acme, f"S-{n}")
    claude.fails(429, retry_after="1")
    texts_for(claude, 3)
    job = acme.post("/v1/content/generate-title", {"language": "en-US"}).json()["job_id"]
    offline = Api(key=key_for(people.acme, test=True)).post("/v1/tags/generate").json()["job_id"]
    began = now()
    work()
    assert {Job.objects.get(pk=one).status for one in (job, offline)} == {"completed"}
    refused = JobItem.objects.get(job_id=job, attempts=2)
    assert (refused.state, refused.failures) == ("done", 0), "it cost no try"
    assert (refused.started_at - began).total_seconds() >= 1
    assert ProviderPause.objects.get().provider == "claude"
    assert not JobItem.objects.filter(job_id=offline, attempts__gt=1).exists()
    assert Variant.objects.filter(status="GENERATED").count() == 3
