"""Periodic tasks over HTTP, for installations without a scheduler of their own. `jobs.periodic` says what runs when."""

import hmac
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api import throttling
from ajansops.api.views import METHODS, Public, SurfaceView
from ajansops.kit import periodic
from ajansops.kit.identity import Unauthorized
from ajansops.kit.slots import Every
from jobs.periodic import run_current, run_now


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
FORCE = {"force": {"type": "string", "enum": ["1"]}}


class CronTaskSerializer(serializers.Serializer[Any]):
    """One that there is to run."""

    name = serializers.CharField()
    everySeconds = serializers.IntegerField(required=False)  # noqa: N815
    cron = serializers.CharField(required=False)
    timeZone = serializers.CharField(required=False)  # noqa: N815


class CronTasksSerializer(serializers.Serializer[Any]):
    """Those that there are."""

    tasks = CronTaskSerializer(many=True)


class CronListView(CronView):
    """What there is to run."""

    answers = {"get": {200: CronTasksSerializer}}

    def get(self, request: Request) -> Response:
        """Names and when they are due: each so many seconds, or by a cron line."""
        return self.reply({"tasks": [{"name": task.name} | _when(task) for task in periodic.tasks().values()]})


def _when(task: periodic.Periodic) -> dict[str, Any]:
    due = task.schedule
    return {"everySeconds": due.seconds} if isinstance(due, Every) else {"cron": due.line, "timeZone": due.zone.key}


class CronRunView(CronView):
    """Run one if it is due, so a crontab may call as often as it likes. `?force=1` runs it although it is not due."""

    answers = {"get": {200: COUNTS}, "post": {200: COUNTS}}
    queries = {"get": FORCE, "post": FORCE}

    def post(self, request: Request, name: str) -> Response:
        """What it did; skipped when the current slot has run already, or the task is running."""
        task = periodic.task(name)
        ran = run_now(task) if request.query_params.get("force") == "1" else run_current(task)
        if ran is None:
            return self.reply({"skipped": True})
        if ran.error:
            raise ran.error
        return self.reply(ran.result)

    get = post
