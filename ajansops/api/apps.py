"""The API's own tables."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import periodic
from ajansops.kit.counting import compact
from ajansops.kit.slots import Every

REAP_EVERY = Every(3600)
COMPACT_EVERY = Every(60)  # seconds: a busy workspace's total is then the sum of some thousand lines at most


class ApiConfig(AppConfig):
    """Knows no domain."""

    name = "ajansops.api"
    label = "api"

    def ready(self) -> None:
        """What it does again and again."""
        reap = import_string("ajansops.api.idempotency.reap")  # by name: models cannot be imported before all apps are
        forget = import_string("ajansops.api.windows.forget_old_windows")
        periodic.register(periodic.Periodic("compact_totals", COMPACT_EVERY, compact))
        periodic.register(periodic.Periodic("forget_answers", REAP_EVERY, reap))
        periodic.register(periodic.Periodic("forget_windows", REAP_EVERY, forget))
