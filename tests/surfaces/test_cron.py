"""Periodic tasks over HTTP: the secret opens, nothing else does, and no task overlaps itself."""

import os
import time

import pytest
from django.conf import settings
from django.utils import timezone

from ajansops.celery import app
from jobs.models import PeriodicRun
from jobs.periodic import claim
from jobs.tasks import run_periodic
from tests.conftest import Api

SECRET = {"authorization": "Bearer cron-secret"}


def test_the_list_names_what_can_be_run(db):
    answer = Api(**SECRET).get("/api/cron")
    assert answer.json()["ok"] is True
    assert {"name": "housekeeping", "everySeconds": 3600} in answer.json()["tasks"]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_run_says_what_it_did(db, method):
    folder = settings.VAR_DIR / "broker" / "processed"
    old, new = folder / "old.msg", folder / "new.msg"
    for file in (old, new):
        file.write_text("{}")
    os.utime(old, (time.time() - 7200,) * 2)
    answer = Api(**SECRET).call(method, "/api/cron/housekeeping")
    assert answer.json() == {"ok": True, "messages_removed": 1, "runs_removed": 0, "items_removed": 0}
    assert (old.exists(), new.exists()) == (False, True)
    new.unlink()


def test_a_run_that_overlaps_is_skipped(db):
    claim("housekeeping", timezone.now())
    assert Api(**SECRET).post("/api/cron/housekeeping").json() == {"ok": True, "skipped": True}


@pytest.mark.parametrize("header", ["", "Bearer wrong", "cron-secret", "Bearer ", "Bearer cron-secret2"])
@pytest.mark.parametrize("path", ["/api/cron", "/api/cron/housekeeping", "/api/cron/nope"])
def test_anything_but_the_secret_is_401(db, header, path):
    answer = Api(authorization=header).get(path)
    assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized")


def test_a_key_is_no_secret(people, key_for):
    assert Api(key=key_for(people.acme)).get("/api/cron").status_code == 401


def test_an_unknown_task_is_404_in_the_words_of_insight(db):
    answer = Api(**SECRET).post("/api/cron/nope")
    assert (answer.status_code, answer.json()["error"]) == (404, "not_found")


def test_beat_runs_the_same_tasks(db):
    assert app.conf.beat_schedule["housekeeping"]["kwargs"] == {"name": "housekeeping"}
    assert run_periodic.apply(kwargs={"name": "housekeeping"}).successful()
    assert PeriodicRun.objects.get().result["messages_removed"] >= 0
