"""The harness' own app inside each process of the product."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import runners


class ChaosConfig(AppConfig):
    name = "tests.chaos"
    label = "chaos"

    def ready(self) -> None:
        """The kind of job; then the points, which wrap what is there."""
        runners.register(import_string("tests.chaos.runners.ChaosRunner")())
        import_string("tests.chaos.faults.install")()
