"""`python -m tests.chaos`: kill everything of the product, many times, and see that nothing is lost or done twice.

`--control` is the proof of the proof: with one guard taken out, faults must be found, and it ends 0 only when they are.
"""

import argparse
import contextlib
import sys
from functools import partial
from pathlib import Path

from tests.chaos.controls import CONTROLS, LEASE, found_out
from tests.chaos.product import Product, quiet_ports
from tests.chaos.provider import Provider
from tests.chaos.world import build, conclude, parser, say


def arguments() -> argparse.Namespace:
    found = parser("python -m tests.chaos", __doc__, CONTROLS, every=1.5)
    found.add_argument("--freeze", type=float, nargs=2, default=(5, 20), metavar="SECONDS", help="from, to")
    found.add_argument("--lease", type=float, default=0, help="seconds; the product's own unless given")
    return found.parse_args()


def run_in(asked: argparse.Namespace, folder: Path, stack: contextlib.ExitStack) -> tuple[dict, list[str]]:
    """Build the world, in which Django is set up; then `tests.chaos.run`."""
    (paid_at,) = quiet_ports(1)
    provider = Provider(paid_at, slow=bool(asked.control))
    stack.callback(provider.close)
    world = build(
        stack,
        folder,
        asked.database,
        DJANGO_SETTINGS_MODULE="tests.chaos.settings",
        CHAOS_PROVIDER=provider.url,
        CHAOS_GUARD_OFF=asked.control or "",
        CHAOS_LEASE=str(LEASE if asked.control else asked.lease),
    )
    from tests.chaos.run import run  # its models need Django

    (web,) = quiet_ports(1)  # by now all others are taken
    product = Product(web, world.environ, folder)
    stack.callback(product.down)
    product.up()
    what = f"without the guard {asked.control!r}" if asked.control else f"{asked.kills} kills"
    say(f"Up on {asked.database}: {what}, seed {asked.seed}, log in {folder}/log")
    return run(product, world, asked, provider)


if __name__ == "__main__":
    asked = arguments()
    sys.exit(conclude(asked, partial(run_in, asked), found_out))
