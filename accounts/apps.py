"""Accounts answers who a credential belongs to."""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from ajansops.kit.identity import provide


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "Workspaces and people"

    def ready(self) -> None:
        """Provide `kit.identity`. By name: models cannot be imported before all apps are."""
        provide(import_string("accounts.identity.AccountsIdentity")())
