"""The product's addresses, and one more on the core surface: the door by which jobs of the kind `chaos` are started."""

import os
from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.serializers import Body
from ajansops.api.views import SurfaceView
from ajansops.kit.permissions import Permission
from ajansops.kit.runners import NewItem
from ajansops.surfaces.core import CORE
from ajansops.urls import handler400, handler403, handler404, handler500  # noqa: F401  # Django looks for them here
from ajansops.urls import urlpatterns as products
from jobs.services import start_job
from tests.chaos.runners import KIND, keys_at_start


class SubmissionBody(Body):
    """So many items; `submission` comes back in the job's configuration."""

    items = serializers.IntegerField(min_value=1, max_value=1000)
    submission = serializers.CharField(max_length=80)


class ChaosView(SurfaceView):
    """As any view that starts a job: key, rights, limits and Idempotency-Key are the product's."""

    rights = {"post": Permission.ADD_JOB}

    def post(self, request: Request) -> Response:
        """201 with the job's id."""
        asked: dict[str, Any] = self.parsed(SubmissionBody)
        items = [NewItem(key) for key in keys_at_start(asked["items"])]
        hook = f"{os.environ['CHAOS_PROVIDER']}told"
        job = start_job(self.actor, KIND, items, configuration=asked, webhook_url=hook)
        return self.reply({"id": job.pk}, status=201)


urlpatterns = [path("api/v1/chaos", ChaosView.as_view(surface=CORE)), *products]
