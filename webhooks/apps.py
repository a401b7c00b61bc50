"""Outgoing events."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import events, periodic, personal, public_events
from ajansops.kit.entitlements import Feature, count_with


class WebhooksConfig(AppConfig):
    name = "webhooks"
    verbose_name = "Outgoing events"

    def ready(self) -> None:
        """By name: models cannot be imported before all apps are."""
        events.let_out(import_string("webhooks.outbox.record"))
        count_with(Feature.WEBHOOKS, import_string("webhooks.selectors.count_endpoints"))
        personal.register(*import_string("webhooks.personal.ENTRIES"))
        public_events.register(*import_string("webhooks.events.EVENTS"))
        for task in import_string("webhooks.periodic.TASKS"):
            periodic.register(task)
