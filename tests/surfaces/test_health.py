"""Health for people, monitors and orchestrators."""

from dataclasses import replace

from django.db import DatabaseError

from tests.conftest import Api


def test_it_works(db):
    answer = Api().get("/api/health")
    body = answer.json()
    assert answer.status_code == 200
    assert body["ok"] is True
    assert body["status"] == "healthy"
    assert set(body) == {
        "ok", "status", "version", "env", "uptime", "checks", "integrations", "readiness", "timestamp",
    }  # fmt: skip
    for check in body["checks"].values():
        assert check["ok"] is True
        assert check["latencyMs"] >= 0
    assert body["readiness"]["total"] == len(body["integrations"])


def test_head_works(db):
    answer = Api().call("HEAD", "/api/health")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_database_that_is_away_is_503(db, monkeypatch):
    def away():
        raise DatabaseError("gone: password=hunter2")

    monkeypatch.setattr("ajansops.health._database", away)
    answer = Api().get("/api/health")
    assert (answer.status_code, answer.json()["ok"], answer.json()["status"]) == (503, False, "degraded")
    assert "hunter2" not in answer.content.decode()


def test_a_broker_that_is_away_is_503(db, settings):
    settings.ENV = replace(settings.ENV, celery_broker_url="redis://127.0.0.1:1/0")
    answer = Api().get("/api/health")
    assert answer.status_code == 503
    assert answer.json()["checks"]["broker"]["ok"] is False


def test_liveness_asks_nobody(django_assert_num_queries, db):
    with django_assert_num_queries(0):
        assert Api().get("/healthz").status_code == 200


def test_readiness_asks_for_migrations(db):
    assert Api().get("/readyz").json() == {"ready": True}
