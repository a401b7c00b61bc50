"""Whose address a call counts for: through proxies, past liars, in every way to write one; and never for a tenant's."""

from dataclasses import replace

import pytest

from accounts.models import ApiKey
from accounts.services import api_keys
from ajansops.api.models import CallWindow
from tests.api.test_rate_limits import left, still, tight
from tests.conftest import Api

__all__ = ["still", "tight"]

pytestmark = pytest.mark.urls("tests.api.limited_urls")

CORE = "/api/v1/probe"
PEER = "192.0.2.1"
CLIENT = "198.51.100.7"
LIAR = "203.0.113.66"


@pytest.fixture
def counted(db, settings):
    """`counted(proxies, peer, forwarded)`: the address that pays for a call, read where several processes count."""
    ours = replace(settings.ENV, redis_url="", web_workers=2)

    def ask(proxies: int, peer: str, forwarded: str | None) -> str:
        settings.ENV = replace(ours, trusted_proxies=proxies)
        api = Api()
        api.client.defaults["REMOTE_ADDR"] = peer
        headers = {} if forwarded is None else {"X_Forwarded_For": forwarded}
        assert api.get(CORE, **headers).status_code == 401
        return CallWindow.objects.get().name.removeprefix("nobody:")

    return ask


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        # nobody in front: whatever is written there is the client's own invention
        (0, None, PEER),
        (0, CLIENT, PEER),
        (0, f"{LIAR}, {CLIENT}", PEER),
        # one: the last is what the proxy saw, the others are what the client wrote
        (1, None, PEER),
        (1, "", PEER),
        (1, CLIENT, CLIENT),
        (1, f"{LIAR}, {CLIENT}", CLIENT),
        (1, f"{LIAR},{LIAR},{CLIENT}", CLIENT),
        (1, f"  {LIAR} ,  {CLIENT}  ", CLIENT),
        # two: the last but one
        (2, f"{CLIENT}, 10.0.0.2", CLIENT),
        (2, f"{LIAR}, {CLIENT}, 10.0.0.2", CLIENT),
        (2, CLIENT, PEER),  # one is missing: somebody came past the outer proxy
        (2, None, PEER),
        # malformed
        (1, "unknown", PEER),
        (1, f"{CLIENT}, nonsense", PEER),
        (1, f"{CLIENT}:443", PEER),
        (1, "999.1.1.1", PEER),
        (1, "1.2.3", PEER),
        (1, "<script>", PEER),
        (1, "[2001:db8::1]:443", PEER),
        (2, f"nonsense, {CLIENT}, 10.0.0.2", CLIENT),
        (2, f"{CLIENT}, nonsense", CLIENT),  # what the inner proxy says of the outer one is not asked
        # the ways to write one
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        (1, "2001:DB8:0001:0002::ffff", "2001:db8:1:2::/64"),
        (1, "fe80::1%eth0", "fe80::/64"),
        (1, "::ffff:198.51.100.7", CLIENT),
        (1, "::ffff:c633:6407", CLIENT),
    ],
)
def test_the_address_that_pays(counted, proxies, forwarded, address):
    assert counted(proxies, PEER, forwarded) == address


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("fe80::1%2", "fe80::/64"),
        ("", "0.0.0.0"),  # a Unix socket
        ("/run/web.sock", "0.0.0.0"),
    ],
)
def test_the_peer_pays_where_nobody_is_in_front(counted, peer, address):
    assert counted(0, peer, CLIENT) == address


def test_a_new_lie_with_every_call_changes_nothing(db, tight, settings):
    settings.ENV = replace(settings.ENV, trusted_proxies=1)
    lies = [f"203.0.113.{number}, {CLIENT}" for number in range(5)]
    assert [Api().get(CORE, X_Forwarded_For=lie).status_code for lie in lies] == [401, 401, 401, 429, 429]


# --- the order --------------------------------------------------------------------------------------------------------


def revoked(people) -> str:
    _, raw = api_keys.create_api_key(people.acme, name="revoked", scopes=["*"])
    assert api_keys.revoke_leaked(raw)
    return raw


def expired(people) -> str:
    key, raw = api_keys.create_api_key(people.acme, name="expired", scopes=["*"])
    ApiKey.objects.filter(pk=key.pk).update(expires_at="2020-01-01T00:00:00Z")
    return raw


def altered(people) -> str:
    _, raw = api_keys.create_api_key(people.acme, name="altered", scopes=["*"])
    return raw[:-1] + ("a" if raw[-1] != "a" else "b")


def nothing(people) -> str:
    return ""


@pytest.mark.parametrize("wrong", [revoked, expired, altered, nothing])
def test_a_401_is_paid_by_the_address_and_not_by_the_tenant(people, acme, tight, still, wrong):
    caller = Api(key=wrong(people))
    answers = [caller.get(CORE) for _ in range(4)]
    assert [(answer.status_code, left(answer)) for answer in answers] == [(401, 2), (401, 1), (401, 0), (429, 0)]
    answer = acme.get(CORE)
    assert (answer.status_code, left(answer)) == (200, 2), "the same address, and a good key"


def test_the_address_s_own_limit_comes_before_the_credential(acme, still):
    for _ in range(5):
        acme.get("/api/audit/run")
    assert Api(key="sk_live_wrong").get("/api/audit/run").status_code == 429, "not 401"
    assert left(Api(key="sk_live_wrong").get(CORE)) == 299, "and it was not looked at"


@pytest.mark.parametrize("path", [CORE, "/api/v1/sites/987654321", "/api/v1/sites?sort=nonsense", "/api/v1/agents"])
def test_the_key_s_limit_comes_before_everything_else(people, key_for, tight, still, path):
    reader = Api(key=key_for(people.acme, "sites:read"))
    statuses = [reader.get(path).status_code for _ in range(6)]
    assert statuses == [statuses[0]] * 4 + [429] * 2
    assert statuses[0] in {200, 403, 404, 422}


def test_a_call_that_may_not_is_paid_by_its_key(people, key_for, still):
    """403 is after the key is known: it is the tenant's."""
    reader = Api(key=key_for(people.acme, "posts:read"))
    answers = [reader.get(CORE) for _ in range(2)]
    assert [(answer.status_code, left(answer)) for answer in answers] == [(403, 99_999), (403, 99_998)]
