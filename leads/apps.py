"""leads."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import runners


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        runners.register(import_string("leads.runners.LeadRunner")())
