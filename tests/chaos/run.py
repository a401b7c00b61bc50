"""One run: clients at work, kills, the wait for the end, the verdict."""

import argparse
import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

from accounts.services.api_keys import create_api_key
from accounts.services.workspaces import create_workspace
from tests.chaos.client import Client
from tests.chaos.controls import CONTROLS, LEASE
from tests.chaos.killer import Killer
from tests.chaos.postgres import PostgresServer
from tests.chaos.product import Product
from tests.chaos.provider import Provider
from tests.chaos.verdict import judge, wait_until_over
from tests.kit.redis_server import RedisServer

OPEN_JOBS = 40
PATIENCE = 120.0  # seconds after the last kill
OPEN_JOBS_OF_A_CONTROL = 6
PATIENCE_OF_A_CONTROL = 30.0
MISSES = 3  # for each kill
PROVOKED = 2  # times; what is lost oftener is tried one at a time, which takes long
LATE_IN_A_CONTROL = 3.0 * LEASE


def run(
    product: Product,
    folder: Path,
    asked: argparse.Namespace,
    provider: Provider,
    *,
    redis: RedisServer | None,
    postgres: PostgresServer | None,
) -> tuple[dict[str, Any], list[str]]:
    """Figures and complaints."""
    workspace = create_workspace(name="Chaos", plan="enterprise")
    _, key = create_api_key(workspace, name="chaos", scopes=["*"])
    rng = random.Random(asked.seed)
    open_jobs = OPEN_JOBS_OF_A_CONTROL if asked.control else OPEN_JOBS
    client = Client(product.port, key, random.Random(asked.seed + 1), open_jobs=open_jobs)
    killer = Killer(product, folder, rng, redis=redis, postgres=postgres, freeze_for=asked.freeze)
    client.start()
    left: list[str] = []
    if asked.control:
        _provoke(killer, CONTROLS[asked.control][0])
    else:
        left = _strike(killer, client, asked, rng)
    killer.thaw()
    client.finish()
    patience = PATIENCE_OF_A_CONTROL if asked.control else PATIENCE
    wait_until_over(provider, patience)
    killer.finish(patience)
    verdict = judge(client, provider, killer)
    verdict.expect("as many were killed as were asked for", left)
    kinds = Counter(kill.point or kill.kind for kill in killer.kills)
    counted = {f"killed: {kind}": count for kind, count in sorted(kinds.items())}
    return counted | {"kills": len(killer.kills)} | verdict.figures, verdict.complaints


def _strike(killer: Killer, client: Client, asked: argparse.Namespace, rng: random.Random) -> list[str]:
    """The planned kinds; what found nothing to kill is tried again at the end. Those that never found anything."""
    waiting, misses, began = killer.plan(asked.kills), 0, time.monotonic()
    while waiting and misses < MISSES * asked.kills:
        time.sleep(rng.uniform(0.5, 1.5) * asked.every)
        kind = waiting.pop(0)
        kill = killer.strike(kind)
        if kill is None:
            waiting.append(kind)
            misses += 1
        else:
            what = f"{len(killer.kills):3} of {asked.kills}: {kill.point or kill.kind}"
            print(
                f"{time.monotonic() - began:6.0f} s  kill {what:36} {len(client.acknowledged)} jobs acknowledged",
                flush=True,
            )
    return waiting


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
