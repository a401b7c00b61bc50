"""The app that is there only while it is measured."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import runners


class EngineConfig(AppConfig):
    name = "tests.bench.contenders.engine"
    label = "bench"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        for runner in ("Fetch", "Nothing"):
            runners.register(import_string(f"{self.name}.runners.{runner}")())
