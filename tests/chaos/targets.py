"""What dies of the product, beside its servers."""

import random

from jobs.models import ItemState, JobItem
from tests.chaos.faults import WEB_POINTS, WORKER_POINTS
from tests.chaos.killer import Killer
from tests.chaos.product import Product
from tests.chaos.world import World

LATE = 34.0  # seconds that a worker stands still: longer than its leases
# How many of a hundred, where there is what it needs.
WEIGHTS = {
    "worker": 16,
    "worker point": 36,
    "worker stop": 8,
    "worker freeze": 2,
    "web": 6,
    "web point": 10,
    "scheduler": 4,
    "redis": 6,
    "redis freeze": 4,
    "database": 6,
    "database freeze": 2,
}


class ProductKiller(Killer):
    """Leases are of items."""

    def __init__(self, product: Product, world: World, rng: random.Random, freeze_for: tuple[float, float]) -> None:
        super().__init__(product, world, rng, points=WORKER_POINTS, late=LATE, freeze_for=freeze_for)
        web_points = self._endless(WEB_POINTS)
        self.acts |= {
            "web": lambda: self._end("web"),
            "web point": lambda: self.strike_at("web", next(web_points)),
            "scheduler": lambda: self._end("scheduler"),
        }

    def _held(self, lease: str) -> bool:
        return JobItem.objects.filter(lease=lease, state=ItemState.RUNNING).exists()
