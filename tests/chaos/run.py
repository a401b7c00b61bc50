"""One run: clients at work, kills, the wait for the end, the verdict."""

import argparse
import random
import time
from typing import Any

from accounts.services.api_keys import create_api_key
from accounts.services.workspaces import create_workspace
from tests.chaos.client import Client
from tests.chaos.controls import CONTROLS, LEASE
from tests.chaos.killer import Killer
from tests.chaos.product import Product
from tests.chaos.provider import Provider
from tests.chaos.targets import WEIGHTS, ProductKiller
from tests.chaos.verdict import judge, wait_until_over
from tests.chaos.world import World

OPEN_JOBS = 40
PATIENCE = 120.0  # seconds after the last kill
OPEN_JOBS_OF_A_CONTROL = 6
PATIENCE_OF_A_CONTROL = 30.0
PROVOKED = 2  # times; what is lost oftener is tried one at a time, which takes long
LATE_IN_A_CONTROL = 3.0 * LEASE


def run(
    product: Product, world: World, asked: argparse.Namespace, provider: Provider
) -> tuple[dict[str, Any], list[str]]:
    """Figures and complaints."""
    workspace = create_workspace(name="Chaos", plan="enterprise")
    _, key = create_api_key(workspace, name="chaos", scopes=["*"])
    rng = random.Random(asked.seed)
    open_jobs = OPEN_JOBS_OF_A_CONTROL if asked.control else OPEN_JOBS
    client = Client(product.port, key, random.Random(asked.seed + 1), open_jobs=open_jobs)
    killer = ProductKiller(product, world, rng, asked.freeze)
    client.start()
    left: list[str] = []
    if asked.control:
        _provoke(killer, CONTROLS[asked.control][0])
    else:
        left = killer.strike_all(asked, WEIGHTS, lambda: f"{len(client.acknowledged)} jobs acknowledged")
    killer.thaw()
    client.finish()
    patience = PATIENCE_OF_A_CONTROL if asked.control else PATIENCE
    wait_until_over(provider, patience)
    killer.finish(patience)
    verdict = judge(client, provider, killer)
    verdict.expect("as many were killed as were asked for", left)
    return killer.counted() | verdict.figures, verdict.complaints


def _provoke(killer: Killer, by: str) -> None:
    """Some times, if somebody is there each time: on a busy machine a worker takes long to come back."""
    for _ in range(PROVOKED * 2):
        if len(killer.kills) == PROVOKED:
            return
        if by == "freeze":
            killer.freeze_worker(LATE_IN_A_CONTROL)
            time.sleep(LATE_IN_A_CONTROL + 1)
        else:
            killer.strike_at("worker", by)
            time.sleep(2)
