"""The IETF's `RateLimit` and `RateLimit-Policy` say what `X-RateLimit-*` say, of the same call."""

import re

import pytest

from tests.api.test_rate_limits import PROBES, UNIX, still, tight, told  # noqa: F401  # fixtures
from tests.conftest import Api

pytestmark = pytest.mark.urls("tests.api.limited_urls")

POLICY = re.compile(r'"([a-z]+)";q=(\d+);w=(\d+)')
LEFT = re.compile(r'"([a-z]+)";r=(\d+);t=(\d+)')


def fields(answer) -> tuple[str, int, int, int, int]:
    """Name, quota, window, what is left, and seconds until there is more."""
    policy, left = POLICY.fullmatch(answer["RateLimit-Policy"]), LEFT.fullmatch(answer["RateLimit"])
    assert policy
    assert left
    assert policy[1] == left[1]
    return policy[1], int(policy[2]), int(policy[3]), int(left[2]), int(left[3])


@pytest.mark.parametrize("surface", PROBES)
def test_they_agree_with_the_documented_headers(acme, tight, still, surface):  # noqa: F811
    answers = [acme.get(PROBES[surface]) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 429]
    for answer in answers:
        _, quota, window, left, seconds = fields(answer)
        assert (quota, left, UNIX + seconds) == told(answer)
        assert window == 60
    assert answers[-1]["Retry-After"] == str(fields(answers[-1])[4])


@pytest.mark.parametrize(("query", "status"), [("?fail=missing", 404), ("?fail=bug", 500), ("?fail=invalid", 422)])
def test_errors_have_them_too(acme, tight, still, query, status):  # noqa: F811
    answer = acme.get(PROBES["core"] + query)
    assert answer.status_code == status
    assert fields(answer)[1:] == (3, 60, 2, 60)


def test_a_401_is_counted_for_the_address_and_says_no_more_than_that(db, tight, still):  # noqa: F811
    answer = Api(key="sk_live_wrong").get(PROBES["core"])
    assert (answer.status_code, fields(answer)) == (401, ("nobody", 3, 60, 2, 60))
