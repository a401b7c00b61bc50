"""Periodic tasks over HTTP, for installations without a scheduler of their own."""

import hmac
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api import throttling
from ajansops.api.views import METHODS, Public, SurfaceView
from ajansops.kit import periodic
from ajansops.kit.identity import Unauthorized

LOCK_SECONDS = 600


class CronView(SurfaceView, abstract=True):
    """The secret is the credential; a session or a key is none here."""

    rights = dict.fromkeys(METHODS, Public)
    authentication_classes = []
    unlimited = True
    scheme = "cronSecret"

    def examine(self, request: Request, path: Mapping[str, Any]) -> None:
        """401 for anything but the secret, also when none is set."""
        secret = settings.ENV.cron_secret
        given = request.headers.get("Authorization", "")
        if not secret or not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
            throttling.count(request, self)  # whoever has no secret is limited
            raise Unauthorized
        super().examine(request, path)


COUNTS = {"type": "object", "additionalProperties": {}}  # in the schema: of each task its own


class CronTaskSerializer(serializers.Serializer[Any]):
    """One that there is to run."""

    name = serializers.CharField()
    everySeconds = serializers.FloatField()  # noqa: N815


class CronTasksSerializer(serializers.Serializer[Any]):
    """Those that there are."""

    tasks = CronTaskSerializer(many=True)


class CronListView(CronView):
    """What there is to run."""

    answers = {"get": {200: CronTasksSerializer}}

    def get(self, request: Request) -> Response:
        """Names and their usual interval."""
        tasks = [{"name": task.name, "everySeconds": task.every_seconds} for task in periodic.tasks().values()]
        return self.reply({"tasks": tasks})


class CronRunView(CronView):
    """Run one; a second call while it runs is skipped."""

    answers = {"get": {200: COUNTS}, "post": {200: COUNTS}}

    def post(self, request: Request, name: str) -> Response:
        """What it did."""
        task = periodic.task(name)
        lock = f"cron:{name}"
        if not cache.add(lock, 1, LOCK_SECONDS):
            return self.reply({"skipped": True})
        try:
            return self.reply(task.run())
        finally:
            cache.delete(lock)

    get = post
