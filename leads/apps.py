"""leads."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import personal, public_events, runners


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        personal.register(*import_string("leads.personal.ENTRIES"))
        public_events.register(*import_string("leads.events.EVENTS"))
        runners.register(import_string("leads.runners.LeadRunner")())
