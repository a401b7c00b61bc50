"""`python -m tests.chaos`: kill everything of the product, many times, and see that nothing is lost or done twice.

`--control` is the proof of the proof: with one guard taken out, faults must be found, and it ends 0 only when they are.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import django

from tests.chaos.controls import CONTROLS, LEASE, found_out
from tests.chaos.postgres import PostgresServer
from tests.chaos.product import Product, quiet_ports
from tests.chaos.provider import Provider
from tests.kit.redis_server import RedisServer


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--database", choices=["postgres", "sqlite"], default="postgres", help="sqlite: no Redis too")
    parser.add_argument("--every", type=float, default=1.5, help="seconds between two kills")
    parser.add_argument("--freeze", type=float, nargs=2, default=(5, 20), metavar="SECONDS", help="from, to")
    parser.add_argument("--lease", type=float, default=0, help="seconds; the product's own unless given")
    parser.add_argument("--control", choices=CONTROLS, help="take this guard out: the run must find faults")
    parser.add_argument("--keep", action="store_true", help="leave the product's logs where they are")
    parser.add_argument("--report", type=Path, help="write what was seen there as JSON")
    return parser.parse_args()


def say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """0 when all is well, or when a control was caught."""
    asked = arguments()
    started = time.monotonic()
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    with contextlib.ExitStack() as stack:
        figures, complaints = run_in(folder, asked, stack)
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


def run_in(folder: Path, asked: argparse.Namespace, stack: contextlib.ExitStack) -> tuple[dict, list[str]]:
    """Build the world, in which Django can be set up; then `tests.chaos.run`."""
    web, paid_at, redis_at, postgres_at = quiet_ports(4)
    redis = postgres = None
    if asked.database == "postgres":
        postgres, redis = PostgresServer(postgres_at), RedisServer(redis_at)
        stack.callback(postgres.close)
        stack.callback(redis.close)
    provider = Provider(paid_at, slow=bool(asked.control))
    stack.callback(provider.close)
    for name in ("armed", "leases", "var"):
        (folder / name).mkdir()
    (folder / "deaths").touch()
    environ = {
        "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
        "VAR_DIR": str(folder / "var"),
        "DATABASE_URL": postgres.url if postgres else "",
        "REDIS_URL": redis.url if redis else "",
        "CELERY_BROKER_URL": "",
        "NET_ALLOW_PRIVATE": "127.0.0.1/32",
        "CHAOS_FOLDER": str(folder),
        "CHAOS_PROVIDER": provider.url,
        "CHAOS_GUARD_OFF": asked.control or "",
        "CHAOS_LEASE": str(LEASE if asked.control else asked.lease),
    }
    os.environ.update(environ)
    # The harness' own app has no migrations.
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--run-syncdb", "--verbosity", "0", "--skip-checks"], check=True
    )
    django.setup()
    from tests.chaos.run import run  # its models need Django

    product = Product(web, environ, folder)
    stack.callback(product.down)
    product.up()
    what = f"without the guard {asked.control!r}" if asked.control else f"{asked.kills} kills"
    say(f"Up on {asked.database}: {what}, seed {asked.seed}, log in {folder}/log")
    return run(product, folder, asked, provider, redis=redis, postgres=postgres)


if __name__ == "__main__":
    sys.exit(main())
