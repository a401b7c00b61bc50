"""The project as an app: its commands, and what is done once every other app is ready."""

import gc

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops import celery
from ajansops.kit import periodic


class AjansopsConfig(AppConfig):
    name = "ajansops"

    def ready(self) -> None:
        """The schedule is complete when all apps have registered their periodic tasks."""
        periodic.register(import_string("ajansops.housekeeping.HOUSEKEEPING"))  # by name: it imports models
        celery.schedule()
        gc.freeze()  # what is there now stays
        gc.enable()
