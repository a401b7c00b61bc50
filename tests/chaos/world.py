"""What the harnesses share: their arguments, servers and a folder of their own, how a run ends."""

import argparse
import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import django
from django.core.management import call_command

from tests.chaos.postgres import PostgresServer
from tests.chaos.product import quiet_ports
from tests.kit.redis_server import RedisServer


def parser(prog: str, doc: str | None, controls: Iterable[str], *, every: float) -> argparse.ArgumentParser:
    """Of the arguments that every harness takes. `every` are seconds between two kills."""
    found = argparse.ArgumentParser(prog=prog, description=doc)
    found.add_argument("--kills", type=int, default=20)
    found.add_argument("--seed", type=int, default=int(time.time()))
    found.add_argument("--database", choices=["postgres", "sqlite"], default="postgres", help="sqlite: no Redis too")
    found.add_argument("--every", type=float, default=every, help="seconds between two kills")
    found.add_argument("--control", choices=controls, help="take this guard out: the run must find faults")
    found.add_argument("--keep", action="store_true", help="leave the logs where they are")
    found.add_argument("--report", type=Path, help="write what was seen there as JSON")
    return found


def say(text: str) -> None:
    print(text, flush=True)


@dataclass
class World:
    """`environ` is what each process gets."""

    folder: Path
    redis: RedisServer | None
    postgres: PostgresServer | None
    environ: dict[str, str]

    def lease(self, pid: int) -> str:
        """Of a worker; empty before its first claim."""
        file = self.folder / "leases" / str(pid)
        return file.read_text() if file.exists() else ""


def build(stack: contextlib.ExitStack, folder: Path, database: str, **environ: str) -> World:
    """A migrated database, and Django set up in this process."""
    redis_at, postgres_at = quiet_ports(2)
    world = World(folder, None, None, environ)
    if database == "postgres":
        world.postgres, world.redis = PostgresServer(postgres_at), RedisServer(redis_at)
        stack.callback(world.postgres.close)
        stack.callback(world.redis.close)
    for name in ("armed", "leases", "var"):
        (folder / name).mkdir()
    (folder / "deaths").touch()
    world.environ |= {
        "VAR_DIR": str(folder / "var"),
        "DATABASE_URL": world.postgres.url if world.postgres else "",
        "REDIS_URL": world.redis.url if world.redis else "",
        "CELERY_BROKER_URL": "",
        "NET_ALLOW_PRIVATE": "127.0.0.1/32",
        "CHAOS_FOLDER": str(folder),
    }
    os.environ.update(world.environ)
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0, skip_checks=True)  # the harness' own app has no migrations
    return world


def conclude(
    asked: argparse.Namespace,
    run: Callable[[Path, contextlib.ExitStack], tuple[dict, list[str]]],
    found_out: Callable[[str, list[str]], bool],
) -> int:
    """Run it, and tell its figures and complaints. 0 when all is well, or when a control was caught."""
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with contextlib.ExitStack() as stack:
        figures, complaints = run(folder, stack)
    figures |= {"seed": asked.seed, "duration (s)": round(time.monotonic() - started)}
    say("\n".join(f"{name:40} {figure}" for name, figure in figures.items()))
    say("\n".join(f"WRONG: {complaint}" for complaint in complaints) or "Nothing lost, nothing twice.")
    if asked.report:
        asked.report.write_text(json.dumps(figures | {"complaints": complaints}, indent=2))
    well = not complaints
    if asked.control:
        well = found_out(asked.control, complaints)
        say(f"The guard {asked.control!r} was off, and this was {'' if well else 'NOT '}found out.")
    if well and not asked.keep:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        say(f"Logs are in {folder}; repeat with --seed {asked.seed}.")
    return 0 if well else 1
