"""Billing answers which plan a workspace is on."""

from django.apps import AppConfig
from django.db.models.signals import pre_delete
from django.utils.module_loading import import_string

from ajansops.kit import entitlements, events, periodic, personal, public_events
from ajansops.kit.plans import Plans, provide


class BillingConfig(AppConfig):
    name = "billing"

    def ready(self) -> None:
        """Provide `kit.plans`. By name: models cannot be imported before all apps are."""
        provide(
            Plans(
                tiers=import_string("billing.selectors.tiers"),
                set_plan=import_string("billing.services.set_plan"),
                plan_of_tier=import_string("billing.plans.plan_of_tier"),
                upgrade_url=import_string("billing.selectors.upgrade_url"),
            )
        )
        entitlements.provide(import_string("billing.ledger.Ledger")())
        public_events.register(*import_string("billing.events.EVENTS"))
        events.listen(import_string("billing.rereading.on_event"))
        pre_delete.connect(import_string("billing.rereading.on_delete"), sender="billing.Subscription")
        personal.register(*import_string("billing.personal.ENTRIES"))
        for task in import_string("billing.periodic.TASKS"):
            periodic.register(task)
