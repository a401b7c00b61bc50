"""Periodic tasks over HTTP, for installations without a scheduler of their own."""

import hmac

from django.conf import settings
from django.core.cache import cache
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

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """401 for anything but the secret, also when none is set."""
        super().initial(request, *args, **kwargs)
        secret = settings.ENV.cron_secret
        given = request.headers.get("Authorization", "")
        if not secret or not hmac.compare_digest(given.encode(), f"Bearer {secret}".encode()):
            throttling.count(request, self)  # whoever has no secret is limited
            raise Unauthorized


class CronListView(CronView):
    """What there is to run."""

    def get(self, request: Request) -> Response:
        """Names and their usual interval."""
        tasks = [{"name": task.name, "everySeconds": task.every_seconds} for task in periodic.tasks().values()]
        return self.reply({"tasks": tasks})


class CronRunView(CronView):
    """Run one; a second call while it runs is skipped."""

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
