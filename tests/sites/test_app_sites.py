"""GET, POST /api/sites; GET, PATCH, PUT, DELETE /api/sites/:id."""

import pytest

from accounts.roles import Role
from accounts.services import members
from sites.models import Site
from tests.conftest import Api

SITES = "/api/sites"
BODY = {
    "name": "Örnek Site",
    "domain": "example.com",
    "techStack": "nextjs",
    "apifyKeywords": ["seo keyword"],
    "leadSearchTerms": ["istanbul restoran"],
}


def test_it_works(acme):
    answer = acme.post(SITES, BODY)
    assert answer.status_code == 201, answer.content
    body = answer.json()
    assert body["success"] is True
    assert body["data"] == acme.get(f"{SITES}/{body['data']['id']}").json()["data"]
    assert {name: body["data"][name] for name in BODY} == BODY
    assert isinstance(body["data"]["id"], str)
    assert body["data"]["crawl"]["maxPages"] == 200
    assert body["data"]["createdAt"].endswith("Z")
    assert [row["id"] for row in acme.get(SITES).json()["data"]] == [body["data"]["id"]]


def test_a_signed_in_person_may_use_it(people):
    assert Api(user=people.alice).post(SITES, BODY).status_code == 201
    assert Api(user=people.charlie).get(SITES).json()["data"] == []


def test_patch_and_put_and_delete(acme, site):
    path = f"{SITES}/{site.pk}"
    assert acme.patch(path, {"techStack": "hugo"}).json()["data"]["techStack"] == "hugo"
    replaced = acme.put(path, {"name": "New", "domain": "new.example.org"}).json()["data"]
    assert (replaced["name"], replaced["techStack"]) == ("New", "")
    gone = acme.delete(path)
    assert (gone.status_code, gone.json()) == (200, {"success": True, "data": None})
    assert not Site.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (BODY | {"techStacks": "x"}, "techStacks"),
        (BODY | {"crawl": {"maxPages": -1}}, "crawl.maxPages"),
        ({"name": "x"}, "domain"),
    ],
)
def test_400_names_the_field_as_it_was_sent(acme, body, field):
    answer = acme.post(SITES, body)
    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_failed"
    assert list(answer.json()["errors"]) == [field]


def test_a_taken_domain_is_409(acme, site):
    answer = acme.post(SITES, BODY | {"domain": site.domain})
    assert answer.status_code == 409
    assert (answer.json()["error"], answer.json()["code"]) == ("Conflict", "conflict")


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, {"GET"}),
        (Role.EDITOR, {"GET", "POST", "PATCH", "PUT"}),
        (Role.ADMIN, {"GET", "POST", "PATCH", "PUT", "DELETE"}),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT", "DELETE"])
def test_each_role_may_do_what_is_documented(people, site, role, allowed, method):
    members.add_member(people.acme, people.bob, role)
    path = SITES if method == "POST" else f"{SITES}/{site.pk}"
    status = Api(user=people.bob).call(method, path, BODY).status_code
    assert (status < 300) == (method in allowed)
    assert status < 300 or status == 403


@pytest.mark.parametrize("method", ["GET", "PATCH", "PUT", "DELETE"])
def test_another_workspaces_site_is_404(acme, foreign, method):
    assert acme.call(method, f"{SITES}/{foreign.pk}", BODY).status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_credentials_it_is_401(db, method):
    assert Api().call(method, SITES, BODY).status_code == 401
