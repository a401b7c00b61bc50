"""Jobs."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import personal


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        personal.register(*import_string("jobs.personal.ENTRIES"))
