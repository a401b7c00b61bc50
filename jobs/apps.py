"""Jobs."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import personal, public_events
from ajansops.kit.entitlements import Feature, count_with, keep_while


class JobsConfig(AppConfig):
    name = "jobs"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        count_with(Feature.AGENTS, import_string("jobs.selectors.count_agents"))
        keep_while(import_string("jobs.charges.PREFIX"), import_string("jobs.selectors.holding"))
        personal.register(*import_string("jobs.personal.ENTRIES"))
        public_events.register(*import_string("jobs.events.EVENTS"))
