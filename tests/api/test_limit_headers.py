"""Every answer says how the caller stands, whatever became of the call: the product's own routes, a row a status."""

import re

import pytest

from accounts.services import api_keys
from tests.api.test_rate_limits import left, still, tight
from tests.conftest import Api

__all__ = ["still", "tight"]

pytestmark = pytest.mark.urls("tests.api.limited_urls")

SITES = "/api/v1/sites"
SITE = {"name": "Acme", "domain": "acme.example.com"}
POLICY, LEFT = re.compile(r'"[a-z]+";q=\d+;w=60'), re.compile(r'"[a-z]+";r=\d+;t=[1-9]\d*')


def call(api: Api, status: int):
    """One that gets this status."""
    calls = {
        200: lambda: api.get(SITES),
        201: lambda: api.post(SITES, SITE),
        204: lambda: api.delete(f"{SITES}/{api.post(SITES, SITE).json()['data']['id']}"),
        400: lambda: api.call("POST", SITES, "{"),
        401: lambda: Api(key="sk_live_wrong").get(SITES),
        404: lambda: api.get(f"{SITES}/987654321"),
        405: lambda: api.put(SITES, SITE),
        406: lambda: api.get(SITES, Accept="text/html"),
        413: lambda: api.call("POST", SITES, b'"' + b"a" * 30_000_000 + b'"'),
        415: lambda: api.call("POST", SITES, "name=Acme", content_type="text/plain"),
        422: lambda: api.post(SITES, {}),
        500: lambda: api.get("/api/v1/probe?fail=bug"),
    }
    return calls[status]()


def assert_headers(answer) -> None:
    assert left(answer) >= 0  # and the three are whole numbers
    assert POLICY.fullmatch(answer["RateLimit-Policy"])
    assert LEFT.fullmatch(answer["RateLimit"])
    assert ("Retry-After" in answer) == (answer.status_code == 429)


@pytest.mark.parametrize("status", [200, 201, 204, 400, 401, 404, 405, 406, 413, 415, 422, 500])
def test_it_is_on(acme, status):
    answer = call(acme, status)
    assert answer.status_code == status, answer.content
    assert_headers(answer)


def test_it_is_on_403(people, key_for):
    answer = Api(key=key_for(people.acme, "posts:read")).get(SITES)
    assert answer.status_code == 403
    assert_headers(answer)


def test_it_is_on_409(people, acme):
    key, _ = api_keys.create_api_key(people.acme, name="rotated", scopes=["*"])
    acme.post(f"/api/v1/api-keys/{key.pk}/rotate")
    answer = acme.post(f"/api/v1/api-keys/{key.pk}/rotate")
    assert answer.status_code == 409
    assert_headers(answer)


@pytest.mark.parametrize("path", [SITES, "/v1/probe", "/api/probe", "/api/billing/other"])
def test_it_is_on_429_with_whole_seconds_to_wait(acme, tight, still, path):
    for _ in range(4):
        acme.get(path)
    still.shift(59.5)
    answer = acme.get(path)
    assert (answer.status_code, answer["Retry-After"]) == (429, "1"), "half a second is one"
    assert_headers(answer)
    still.shift(1)
    assert acme.get(path).status_code == 200, "whoever waits so long is admitted"
