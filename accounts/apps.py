"""Accounts answers who a credential belongs to, and keeps the log."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit import events, periodic, personal, public_events
from ajansops.kit.entitlements import Feature, count_with
from ajansops.kit.identity import provide


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Workspaces and people"

    def ready(self) -> None:
        """Fill the registries of `kit`. By name: models cannot be imported before all apps are."""
        provide(import_string("accounts.identity.AccountsIdentity")())
        events.listen(import_string("accounts.activity.record"))
        events.listen(import_string("accounts.recent.forget_changed"))
        personal.register(*import_string("accounts.personal.ENTRIES"))
        public_events.register(*import_string("accounts.events.EVENTS"))
        for task in import_string("accounts.periodic.TASKS"):
            periodic.register(task)
        count_with(Feature.MEMBERS, import_string("accounts.selectors.count_members"))
        count_with(Feature.API_KEYS, import_string("accounts.selectors.count_keys"))
        import_string("accounts.signals.connect")()
