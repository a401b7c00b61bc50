"""What people write: a ModelViewSet with TokenAuthentication, PageNumberPagination and a throttle, on the defaults."""

import os
from urllib.parse import urlsplit

import django
from django.conf import settings

from tests.bench.contenders import MIDDLEWARE

database = urlsplit(os.environ["BENCH_DATABASE_URL"])
settings.configure(
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="bench",
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.messages",
        "rest_framework",
        "rest_framework.authtoken",
    ],
    MIDDLEWARE=MIDDLEWARE,
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": "100000/min"},  # kept in its default cache, in memory
        "PAGE_SIZE": 25,
    },
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": database.path[1:],
            "HOST": database.hostname,
            "PORT": database.port,
            "USER": database.username,
            "PASSWORD": database.password or "",
            "OPTIONS": {"options": f"-c search_path={os.environ.get('BENCH_SCHEMAS', 'plain,public')}"},
            "CONN_MAX_AGE": None,
        }
    },
)
django.setup()

from typing import Any

from django.core.wsgi import get_wsgi_application
from django.db import models
from django.urls import include, path
from rest_framework import routers, serializers, viewsets


class Lead(models.Model):
    """Our table, as somebody would describe it who has nothing else."""

    workspace_id = models.BigIntegerField()
    company = models.CharField(max_length=255)
    contact = models.CharField(max_length=255)
    emails = models.JSONField()
    phones = models.JSONField()
    website = models.CharField(max_length=2000)
    address = models.JSONField()
    latitude = models.FloatField(null=True)
    longitude = models.FloatField(null=True)
    socials = models.JSONField()
    source = models.CharField(max_length=9)
    external_id = models.CharField(max_length=255)
    score = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=9)
    tags = models.JSONField()
    site_id = models.BigIntegerField(null=True)
    owner_id = models.BigIntegerField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        app_label = "plain"
        managed = False
        db_table = "leads_lead"


class LeadSerializer(serializers.ModelSerializer):
    class Meta:
        model = Lead
        exclude = ("workspace_id",)


class LeadViewSet(viewsets.ModelViewSet):
    serializer_class = LeadSerializer

    def get_queryset(self) -> Any:
        return Lead.objects.filter(workspace_id=self.request.user.username).order_by("-id")


router = routers.DefaultRouter()
router.register("leads", LeadViewSet, basename="lead")
urlpatterns = [path("", include(router.urls))]
application = get_wsgi_application()
