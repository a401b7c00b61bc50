"""The limit: a Django view with hand-written SQL in a new project: no credential, no limit, no total."""

import os
from urllib.parse import urlsplit

import django
from django.conf import settings

from tests.bench.contenders import MIDDLEWARE

database = urlsplit(os.environ["BENCH_DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
    ],
    MIDDLEWARE=MIDDLEWARE,
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

import orjson
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import path

NAMES = [
    "id",
    "company",
    "contact",
    "emails",
    "phones",
    "website",
    "address",
    "latitude",
    "longitude",
    "socials",
    "source",
    "external_id",
    "score",
    "status",
    "tags",
    "site_id",
    "owner_id",
    "created_at",
    "updated_at",
]
JSON = [NAMES.index(name) for name in ("emails", "phones", "address", "socials", "tags")]
PAGE = f"SELECT {', '.join(NAMES)} FROM leads_lead WHERE workspace_id = %s ORDER BY id DESC LIMIT 25"
COUNT = "SELECT count(*) FROM leads_lead WHERE workspace_id = %s AND status = %s"


def page(request: HttpRequest, workspace: int) -> HttpResponse:
    """25 rows as the API shows them."""
    with connection.cursor() as cursor:
        cursor.execute(PAGE, [workspace])
        rows = [list(row) for row in cursor.fetchall()]
    for row in rows:
        for place in JSON:
            row[place] = orjson.loads(row[place])
    body = orjson.dumps({"data": [dict(zip(NAMES, row, strict=True)) for row in rows]}, option=orjson.OPT_UTC_Z)
    return HttpResponse(body, content_type="application/json")


def count(request: HttpRequest, workspace: int, status: str) -> HttpResponse:
    """What a total costs when it is counted, and nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(COUNT, [workspace, status])
        total = cursor.fetchone()[0]
    return HttpResponse(orjson.dumps({"total": total}), content_type="application/json")


urlpatterns = [path("<int:workspace>/leads", page), path("<int:workspace>/count/<str:status>", count)]
application = get_wsgi_application()
