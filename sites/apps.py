"""Sites, and what is measured on them."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import personal, runners


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        """Models cannot be imported before the apps are ready."""
        runners.register(import_string("sites.seo.runner.CrawlRunner")())
        runners.register(import_string("sites.audits.runner.AuditRunner")())
        personal.register(*import_string("sites.personal.ENTRIES"))
