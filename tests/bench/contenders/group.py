"""What people write: a task per item, in a Celery worker with Django's ORM. On the defaults, but for two kindnesses.

Connections to the database and to the server are kept, one a thread or process; results are not stored.
"""

import os
from urllib.parse import urlsplit

import django
from django.conf import settings

database = urlsplit(os.environ["BENCH_DATABASE_URL"])
settings.configure(
    SECRET_KEY="bench",
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.path[1:],
            "HOST": database.hostname,
            "PORT": database.port,
            "USER": database.username,
            "PASSWORD": database.password or "",
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

import urllib3
from celery import Celery
from django.db import models

URL = os.environ["BENCH_URL"]
app = Celery("group", broker=os.environ["REDIS_URL"])
app.conf.update(task_ignore_result=True)
pool = urllib3.PoolManager(maxsize=50)  # it opens connections when they are needed: after the fork


class Effect(models.Model):
    """What an item leaves behind; ours writes the same."""

    key = models.CharField(max_length=80)
    answer = models.CharField(max_length=80)

    class Meta:
        app_label = "group"
        managed = False
        db_table = "bench_effect"


@app.task(name="fetch")
def fetch(key: str) -> None:
    Effect.objects.create(key=key, answer=pool.request("GET", URL).data.decode())


@app.task(name="keep")
def keep(key: str) -> None:
    """An item that does nothing, and a row that says that it is done: what our engine keeps of each item."""
    Effect.objects.create(key=key, answer="")


@app.task(name="forget")
def forget(key: str) -> None:
    """Nothing at all."""
