"""`manage.py sync_stripe`: products and prices at Stripe as `billing/prices.py` declares them."""

from dataclasses import asdict
from typing import Any

from ajansops.management.operators import OperatorCommand
from billing.payments import gateway
from billing.prices import NAMES, PRICES


class Command(OperatorCommand):
    help = "Create and update products and prices at Stripe. Run again, it changes nothing."

    def act(self, **options: Any) -> tuple[Any, str]:
        """All of them."""
        changes = gateway().sync(NAMES, list(PRICES.values()))
        lines = [f"{change.what} {change.name}: {change.did}" for change in changes]
        return {"changes": [asdict(change) for change in changes]}, "\n".join(lines) or "Stripe is up to date."
