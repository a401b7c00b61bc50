"""`python -m tests.chaos.webhooks`: events are published, and sent to receivers of which some often fail; meanwhile
everybody who does so is killed at each step, and the servers with them. Every event of a change that was kept has to
arrive at each endpoint, under one id, with the same bytes, signed so that a receiver written from docs/webhooks.md
believes it; of a change that was undone nothing.

`--control` is the proof of the proof: with one guard taken out, faults must be found, and it ends 0 only when they are.
"""

import argparse
import contextlib
import sys
from functools import partial
from pathlib import Path

from tests.chaos.webhooks.controls import CONTROLS, found_out
from tests.chaos.world import build, conclude, parser, say


def arguments() -> argparse.Namespace:
    found = parser("python -m tests.chaos.webhooks", __doc__, CONTROLS, every=0.5)
    found.add_argument("--freeze", type=float, nargs=2, default=(0.5, 5), metavar="SECONDS", help="from, to")
    return found.parse_args()


def run_in(asked: argparse.Namespace, folder: Path, stack: contextlib.ExitStack) -> tuple[dict, list[str]]:
    """Build the world, in which Django is set up; then `tests.chaos.webhooks.run`."""
    guard = asked.control or ""
    world = build(stack, folder, asked.database, DJANGO_SETTINGS_MODULE="ajansops.settings", CHAOS_GUARD_OFF=guard)
    from tests.chaos.webhooks.run import run  # its models need Django

    what = f"without the guard {guard!r}" if guard else f"{asked.kills} kills"
    say(f"Up on {asked.database}: {what}, seed {asked.seed}, log in {folder}/log")
    return run(world, asked)


if __name__ == "__main__":
    asked = arguments()
    sys.exit(conclude(asked, partial(run_in, asked), found_out))
