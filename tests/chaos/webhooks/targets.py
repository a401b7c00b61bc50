"""What dies of those who send and those who publish."""

import random

from tests.chaos.killer import Killer
from tests.chaos.webhooks.crew import PUBLISHER, Crew
from tests.chaos.webhooks.processes import LEASE, PUBLISHER_POINTS, WORKER_POINTS
from tests.chaos.world import World
from webhooks.models import Outbox

LATE = 2 * LEASE  # seconds that a worker stands still: others have its outboxes by then
# How many of a hundred, where there is what it needs.
WEIGHTS = {
    "worker": 14,
    "worker point": 40,
    "worker stop": 6,
    "worker freeze": 4,
    "publisher": 4,
    "publisher point": 16,
    "redis": 4,
    "redis freeze": 2,
    "database": 7,
    "database freeze": 3,
}


class WebhookKiller(Killer):
    """Leases are of outboxes."""

    def __init__(self, crew: Crew, world: World, rng: random.Random, freeze_for: tuple[float, float]) -> None:
        super().__init__(crew, world, rng, points=WORKER_POINTS, late=LATE, freeze_for=freeze_for)
        points = self._endless(PUBLISHER_POINTS)
        self.acts |= {
            "publisher": lambda: self._end(PUBLISHER),
            "publisher point": lambda: self.strike_at(PUBLISHER, next(points)),
        }

    def _held(self, lease: str) -> bool:
        return Outbox.objects.filter(lease=lease).exists()
