"""Content does the work of five kinds of jobs, and publishes what is scheduled."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import periodic, personal, public_events
from ajansops.kit.entitlements import Feature, count_with
from ajansops.kit.runners import register


class ContentConfig(AppConfig):
    name = "content"
    verbose_name = "Products and texts"

    def ready(self) -> None:
        """By name: models cannot be imported before all apps are."""
        register(import_string("content.runners.imports.ImportRunner")())
        register(import_string("content.runners.tags.TagRunner")())
        for kind in ("content", "title", "google_feed"):
            register(import_string("content.runners.texts.TextRunner")(kind))
        for task in import_string("content.periodic.TASKS"):
            periodic.register(task)
        count_with(Feature.POSTS, import_string("content.selectors.count_posts"))
        count_with(Feature.PRODUCTS, import_string("content.selectors.count_products"))
        personal.register(*import_string("content.personal.ENTRIES"))
        public_events.register(*import_string("content.events.EVENTS"))
