"""Claude behind the platform: a job over HTTP, the real SDK, a server that speaks the Messages API."""

from dataclasses import replace

import pytest

from content.models import Variant
from tests.ai.messages_server import MessagesServer
from tests.conftest import Api

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings):
    with MessagesServer() as running:
        settings.ENV = replace(
            settings.ENV, ai_provider="auto", anthropic_api_key="sk-ant-test", anthropic_base_url=running.url
        )
        yield running


def titles(api) -> str:
    answer = api.post("/v1/content/generate-title", {"language": "tr-TR", "title_types": ["title"]})
    assert answer.status_code == 202, answer.content
    return answer.json()["job_id"]


def test_a_title_is_written_and_its_tokens_are_kept(acme, people, make_product, server, work):
    make_product(people.acme)
    server.says({"text": "Klasik Saksı"}, usage={"input_tokens": 100, "output_tokens": 20})
    job_id = titles(acme)
    work()
    variant = Variant.objects.get()
    assert (variant.status, variant.body, variant.provider) == ("GENERATED", "Klasik Saksı", "claude")
    assert (variant.usage["input_tokens"], variant.usage["output_tokens"]) == (100, 20)
    assert float(variant.usage["cost_usd"]) > 0
    assert acme.get(f"/v1/jobs/{job_id}/status").json()["status"] == "completed"


def test_a_provider_that_is_down_fails_the_variant_with_the_reason_and_is_not_silent(
    acme, people, make_product, server, work
):
    make_product(people.acme)
    server.fails(401, times=50)
    job_id = titles(acme)
    work()
    assert Variant.objects.get().status == "FAILED"
    body = acme.get(f"/api/v1/jobs/{job_id}/items?state=failed").json()
    assert body["data"][0]["error"]["code"] == "upstream_error"
    assert "sk-ant-test" not in str(body)


def test_a_busy_provider_is_asked_again(acme, people, make_product, server, work):
    make_product(people.acme)
    server.says({"text": "Klasik Saksı"})
    server.fails(429, **{"retry-after": "1"})
    titles(acme)
    work()
    assert Variant.objects.get().status == "GENERATED"


def test_a_test_key_stays_in_the_house(people, key_for, make_product, server, work):
    make_product(people.acme)
    titles(Api(key=key_for(people.acme, test=True)))
    work()
    assert Variant.objects.get().provider == "mock"
    assert server.requests == []
