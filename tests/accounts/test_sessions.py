"""People in a browser: which workspace, and from where a cookie may come."""

import pytest

from accounts.models import User, normal_email
from accounts.roles import Role
from accounts.services import members
from tests.conftest import Api

PATH = "/api/v1/workspaces"
SITES = "/api/v1/sites"


def test_it_works(people):
    answer = Api(user=people.alice).get(PATH)
    assert [row["slug"] for row in answer.json()["data"]] == ["acme"]


def test_a_workspace_of_which_one_is_no_member_is_404(people):
    assert Api(user=people.charlie).get(PATH, X_Workspace_ID=str(people.acme.pk)).status_code == 404
    for nonsense in ("nonsense", "", "-1", "9" * 19, "٣"):
        assert Api(user=people.charlie).get(PATH, X_Workspace_ID=nonsense).status_code == 404


def test_with_two_workspaces_one_must_be_chosen(people):
    members.add_member(people.other, people.alice, Role.VIEWER)
    api = Api(user=people.alice)
    assert api.get(SITES).json()["error"] == "workspace_required"
    assert api.get(SITES).status_code == 400
    assert api.get(SITES, X_Workspace_ID=str(people.other.pk)).status_code == 200
    User.objects.filter(pk=people.alice.pk).update(current_workspace=people.acme)
    assert api.get(SITES).status_code == 200


def test_a_viewer_reads_and_does_not_write(people):
    api = Api(user=people.bob)
    assert api.get(SITES).status_code == 200
    assert api.post(SITES, {"name": "S", "domain": "example.com"}).status_code == 403


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),  # no browser
        ({"Sec_Fetch_Site": "same-origin", "Origin": "http://testserver"}, True),
        ({"Sec_Fetch_Site": "none"}, True),
        ({"Origin": "http://testserver"}, True),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://evil.example"}, False),
        ({"Sec_Fetch_Site": "same-site", "Origin": "http://x.testserver"}, False),
        ({"Sec_Fetch_Site": "same-origin", "Origin": "http://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://testserver"}, False),
        ({"Origin": "http://testserver:81"}, False),
    ],
)
def test_an_unsafe_request_by_cookie_comes_from_our_own_pages(people, headers, allowed):
    api = Api(user=people.alice)
    answer = api.post(SITES, {"name": "S", "domain": "example.com"}, **headers)
    assert answer.status_code == (201 if allowed else 403)
    if not allowed:
        assert answer.json()["error"] == "csrf_failed"
    assert api.get(SITES, **headers).status_code == 200


def test_a_key_beside_a_cookie_wins(people, key_for):
    api = Api(user=people.charlie, key=key_for(people.acme))
    assert [row["slug"] for row in api.get(PATH).json()["data"]] == ["acme"]
    assert Api(user=people.alice, authorization="Bearer wrong").get(PATH).status_code == 401


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Alice@Example.org", "alice@example.org", True),
        ("ali̇ce@example.org", "alice@example.org", False),
        ("ayşe@bücher.example", "ayşe@xn--bcher-kva.example", True),
        ("ıstanbul@example.org", "istanbul@example.org", False),
    ],
)
def test_two_spellings_of_a_mailbox(one, other, same):
    assert (normal_email(one) == normal_email(other)) is same
