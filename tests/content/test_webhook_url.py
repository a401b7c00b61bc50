"""Where the end of a generation is told, given with the call that starts it."""

import pytest

from jobs.models import Job

ROUTES = ["/v1/content/generate", "/v1/content/generate-title", "/v1/content/generate-google-feed", "/v1/tags/generate"]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("url", ["https://93.184.216.34/hook?token=secret", ""])
def test_it_is_kept_and_the_status_says_that_there_is_one(people, acme, make_product, route, url):
    make_product(people.acme)
    answer = acme.post(route, {"webhook_url": url})
    assert answer.status_code == 202, answer.content
    job = Job.objects.get()
    assert job.webhook_url == url
    status = acme.get(f"/v1/jobs/{job.pk}/status")
    assert status.json()["configuration"]["webhook_configured"] is bool(url)
    assert "secret" not in status.content.decode()


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "url",
    ["http://93.184.216.34/", "https://10.0.0.1/", "https://[::1]/", "nonsense", "https://e.com/" + "a" * 2048, 5],
)
def test_another_is_refused_by_name_and_nothing_starts(people, acme, make_product, route, url):
    make_product(people.acme)
    answer = acme.post(route, {"webhook_url": url})
    assert answer.status_code == 400
    assert answer.json()["error"]["details"].startswith("webhook_url: ")
    assert Job.objects.count() == 0
