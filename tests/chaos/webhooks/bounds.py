"""How many requests were open at a time, as their receivers saw it.

At most 4 of an endpoint and 8 of a workspace, as long as a lease has one holder. A worker that stood still for longer
than its lease, or could not renew it for want of a database, may still have as many open when the next one begins
(docs/decisions/0011): twice the bound then.
"""

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

from tests.chaos.expect import Verdict
from tests.chaos.kills import Kill
from tests.chaos.webhooks.outside import Arrival, Outside
from tests.chaos.webhooks.processes import LEASE
from webhooks.dispatcher import OF_LANE, OF_WORKSPACE

Spell = tuple[float, float]


def watch(verdict: Verdict, outside: Outside, kills: Iterable[Kill]) -> None:
    """By the clock of the receivers, which is the monotonic one."""
    spells = [spell for kill in kills if (spell := _taken_over(kill))]
    of_workspace: dict[str, list[Arrival]] = defaultdict(list)
    for path, arrivals in outside.arrivals.items():
        of_workspace[path.rpartition("/")[0]] += arrivals
    for name, groups, bound in (("endpoint", outside.arrivals, OF_LANE), ("workspace", of_workspace, OF_WORKSPACE)):
        peaks = [peak(arrivals, spells) for arrivals in groups.values()]
        calm, most = max(calm for calm, _ in peaks), max(most for _, most in peaks)
        verdict.expect(f"at most {bound} are open to one {name}", [calm] if calm > bound else [])
        verdict.expect(f"never more than {2 * bound} are open to one {name}", [most] if most > 2 * bound else [])
        verdict.figures[f"open to one {name}, and in take-overs"] = f"{calm}, {most}"
    verdict.figures["take-overs of the living (s)"] = round(sum(end - start for start, end in spells))


def _taken_over(kill: Kill) -> Spell | None:
    """When two may have held a lease: from when the first one could have lost it until all its requests are over."""
    if kill.over is None or kill.over - kill.at < LEASE / 2:
        return None
    offset = time.monotonic() - time.time()
    return kill.at + LEASE / 2 + offset, kill.over + LEASE + offset


def peak(arrivals: Iterable[Arrival], spells: Sequence[Spell]) -> tuple[int, int]:
    """The most at a time outside of the spells, and at all."""
    moments = [(one.taken.at, 1) for one in arrivals] + [(one.taken.until, -1) for one in arrivals]
    open_now = calm = most = 0
    for at, step in sorted(moments):  # what ends goes before what begins
        open_now += step
        most = max(most, open_now)
        if not any(start <= at <= end for start, end in spells):
            calm = max(calm, open_now)
    return calm, most
