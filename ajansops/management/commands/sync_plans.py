"""`manage.py sync_plans`: the limits of the plans in the database as `billing/features.py` declares them."""

from typing import Any

from ajansops.management.operators import OperatorCommand
from billing.limits import sync_plans


class Command(OperatorCommand):
    help = "Write the declared limits to the database. What was edited in the admin stays."

    def act(self, **options: Any) -> tuple[Any, str]:
        """All of them."""
        changed = sync_plans()
        return {"changed": changed}, f"{changed} limits written." if changed else "The limits are up to date."
