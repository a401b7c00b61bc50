"""Sites, and what is measured on them."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import personal, public_events, runners
from ajansops.kit.entitlements import Feature, count_with


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        runners.register(import_string("sites.seo.runner.CrawlRunner")())
        runners.register(import_string("sites.audits.runner.AuditRunner")())
        count_with(Feature.SITES, import_string("sites.selectors.count_sites"))
        personal.register(*import_string("sites.personal.ENTRIES"))
        public_events.register(*import_string("sites.events.EVENTS"))
