"""The project as an app: its commands, and what is done once every other app is ready."""

from django.apps import AppConfig

from ajansops import celery
from ajansops.housekeeping import HOUSEKEEPING
from ajansops.kit import periodic


class AjansopsConfig(AppConfig):
    name = "ajansops"

    def ready(self) -> None:
        """The schedule is complete when all apps have registered their periodic tasks."""
        periodic.register(HOUSEKEEPING)
        celery.schedule()
