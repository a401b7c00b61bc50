"""One run: changes that are told, kills, the wait until all has arrived, the verdict."""

import argparse
import random
import time
from typing import Any

from accounts.services.workspaces import create_workspace
from tests.chaos.database import patiently
from tests.chaos.webhooks.controls import CONTROLS
from tests.chaos.webhooks.crew import Crew
from tests.chaos.webhooks.outside import Outside
from tests.chaos.webhooks.targets import WEIGHTS, WebhookKiller
from tests.chaos.webhooks.verdict import judge
from tests.chaos.world import World
from tests.processes import wait_for
from tests.webhooks.receiver import receiving
from webhooks.models import Delivery, Endpoint, new_secret, sealed

WORKSPACES = 2
MOODS_OF_ENDPOINTS = ("well", "well", "often down")  # three with four at a time are more than the workspace may have
PATIENCE = 60.0  # seconds without any progress
PATIENCE_OF_A_CONTROL = 18.0  # more than what is dead may take to be taken
SETTLED = 1.0  # seconds before each kill of a control


def run(world: World, asked: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """Figures and complaints."""
    rng = random.Random(asked.seed)
    outside = Outside(random.Random(asked.seed + 1))
    patience = PATIENCE_OF_A_CONTROL if asked.control else PATIENCE
    with receiving() as receiver:
        receiver.answer = outside.answer
        workspace_ids = [_workspace(n, receiver.url, outside) for n in range(WORKSPACES)]
        crew = Crew(workspace_ids, asked.seed)
        killer = WebhookKiller(crew, world, rng, asked.freeze)
        left: list[str] = []
        try:
            wait_for(lambda: outside.count)
            if asked.control:
                _provoke(killer, *CONTROLS[asked.control][:3])
            else:
                left = killer.strike_all(asked, WEIGHTS, lambda: f"{outside.count} requests taken")
            killer.thaw()
            crew.stop_publishing()
            _wait_until_over(patience)
            killer.finish(0 if asked.control else patience)
        finally:
            crew.end()
    verdict = judge(world, outside, crew, killer)
    verdict.expect("as many were killed as were asked for", left)
    return killer.counted() | verdict.figures, verdict.complaints


def _workspace(number: int, url: str, outside: Outside) -> int:
    workspace = create_workspace(name=f"Chaos {number}")
    for n, mood in enumerate(MOODS_OF_ENDPOINTS):
        secret, own = new_secret(), f"{url}/{workspace.pk}/{n}"
        outside.open(own, secret, mood)
        Endpoint.objects.create(workspace=workspace, url=own, events=["*"], secret=sealed(secret))
    return workspace.pk


def _provoke(killer: WebhookKiller, role: str, point: str, times: int) -> None:
    for _ in range(times):
        time.sleep(SETTLED)
        killer.strike_at(role, point)


def _wait_until_over(patience: float) -> None:
    """Until nothing is left to send, or nothing has been for so long."""
    left = Delivery.objects.filter(next_attempt_at__isnull=False)
    fewest, ends = patiently(left.count), time.monotonic() + patience
    while fewest and time.monotonic() < ends:
        time.sleep(0.1)
        if (now_left := patiently(left.count)) < fewest:
            fewest, ends = now_left, time.monotonic() + patience
