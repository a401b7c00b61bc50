"""Each surface words every error in its own way, on every path below its prefix."""

import pytest
from django.db import OperationalError

from tests.conftest import Api

PATHS = {"core": "/api/v1/nope", "studio": "/v1/nope", "app": "/api/nope", "insight": "/api/cron/nope/deeper"}


@pytest.mark.parametrize("path", ["/api/v1/nope", "/v1/nope", "/api/nope", "/api/v1/workspaces/nope/x"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_json_404(db, method, path):
    answer = Api().call(method, path)
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["error"]


def test_core_words_404(db):
    assert Api().get("/api/v1/nope").json() == {"error": "not_found", "message": "Resource not found."}


def test_missing_key_is_401_with_a_challenge(db):
    answer = Api().get("/api/v1/workspaces")
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"].startswith("Bearer")
    assert answer.json() == {"error": "unauthorized", "message": "Invalid or missing API key."}


def test_it_works(people, acme):
    answer = acme.get("/api/v1/workspaces", X_Request_ID="abc-123")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert [row["slug"] for row in body["data"]] == ["acme"]
    assert body["meta"]["total"] == 1
    assert answer["X-Request-ID"] == "abc-123"
    assert int(answer["X-Duration-Ms"]) >= 0


def test_405_names_what_is_allowed(acme):
    answer = acme.delete("/api/v1/workspaces")
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]
    assert answer.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/api/v1/sites", "/v1/inventory/products", "/api/sites"])
def test_another_host_is_told_so_in_json(db, path, settings):
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["ops.example.com"]
    answer = Api().get(path, Host="evil.example")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/json"
    assert "Traceback" not in answer.content.decode()


def test_a_request_id_that_is_a_secret_is_not_repeated(people, key_for):
    key = key_for(people.acme)
    answer = Api(key=key).get("/api/v1/workspaces", X_Request_ID=key)
    assert answer.status_code == 200
    assert key not in answer["X-Request-ID"]


def test_a_busy_database_is_503_with_retry_after(acme, monkeypatch):
    def locked(*_args, **_options):
        raise OperationalError("database is locked")

    monkeypatch.setattr("accounts.api.core.Workspace.objects.visible_to", locked)
    answer = acme.get("/api/v1/workspaces")
    assert (answer.status_code, answer.json()["error"], answer["Retry-After"]) == (503, "unavailable", "1")


@pytest.mark.parametrize(("path", "code"), [("/api/v1", "not_found"), ("/v1", "NOT_FOUND"), ("/api", "not_found")])
def test_a_surface_without_its_slash_answers_in_its_words(db, path, code):
    answer = Api().get(path)
    assert answer.status_code == 404
    assert code in answer.content.decode()


@pytest.mark.parametrize("method", ["POST", "PATCH", "OPTIONS"])
def test_a_method_that_a_public_view_lacks_is_405(db, method):
    answer = Api().call(method, "/api/health")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert "GET" in answer["Allow"]


def test_nothing_is_allowed_where_nothing_is(db):
    assert "Allow" not in Api().get("/api/v1/nope")
