"""`make bench-quota`: units of one counter that everybody wants, 16 clients, on PostgreSQL.

First the statement that decides, as the product sends it, against a plain UPDATE of one row (the limit: no two can
change it at once) and against SELECT … FOR UPDATE and then UPDATE; all by pgbench. Then the whole path of the product
(workspace's lock, period, plan, boosts, counter, reservation, two lines of the ledger, notices), against what people
write with Django's `select_for_update`: the row locked, compared, saved, and one line. They take turns inside one run;
a ratio is the median over the rounds. In the end as many come in as there is room for.
"""

import multiprocessing
import os
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.bench import jobs as bench

CLIENTS, PROCESSES = 16, 4
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "1"))  # of one measurement
ROOM = 100  # units that are left in the end
PATIENCE = 30.0  # seconds to take them all
PLENTY = 10**12


class Contenders:
    """Units a second. Django is set up before."""

    def __init__(self, folder: Path) -> None:
        from accounts.services.workspaces import create_workspace
        from ajansops.kit.entitlements import Feature, entitlements
        from billing.limits import sync_plans
        from billing.models import Usage

        sync_plans()
        self.feature, self.pk = Feature.EMAILS, create_workspace(name="Bench", plan="agency").pk
        self.allow(PLENTY)
        entitlements().use(self.pk, self.feature, 1, "first")
        self.usage = Usage.objects.get()
        row = f"FROM billing_usage WHERE id = {self.usage.pk}"
        add = f"UPDATE billing_usage SET used = used + 1 WHERE id = {self.usage.pk};"
        self.scripts = {
            "plain": add,
            "ours": self.deciding_statement(),
            "locked": f"BEGIN;\nSELECT used {row} FOR UPDATE;\n{add}\nCOMMIT;",
        }
        self.folder = folder
        for name, script in self.scripts.items():
            (folder / name).write_text(script)

    def allow(self, most: int) -> None:
        """From now on."""
        from billing.models import PlanLimit

        PlanLimit.objects.filter(plan="agency", feature=self.feature).update(limit=most)

    def deciding_statement(self) -> str:
        """As Django sends it, from the product's own code."""
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        from ajansops.kit.entitlements import entitlements

        with CaptureQueriesContext(connection) as caught:
            entitlements().use(self.pk, self.feature, 1, "second")
        (statement,) = (one["sql"] for one in caught if one["sql"].startswith('UPDATE "billing_usage"'))
        return f"{statement};"

    def pgbench(self, name: str) -> float:
        """One of the scripts. Vacuumed before: a row that changes so often leaves its old ones behind."""
        from django.db import connection

        connection.cursor().execute("VACUUM billing_usage")
        clients = ["-n", "-c", str(CLIENTS), "-j", "2", "-T", str(max(1, round(SECONDS)))]
        command = ["pgbench", *clients, "-f", str(self.folder / name), bench.DATABASE]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        rate = re.search(r"tps = ([\d.]+) \(without", told)
        assert rate, told
        return float(rate[1])

    def use(self) -> None:
        """One unit, as the product's services take it. Raises `FeatureLimitReached`."""
        from ajansops.kit.entitlements import entitlements

        entitlements().use(self.pk, self.feature, 1, f"mail:{uuid4()}")

    def naive(self) -> None:
        """One unit, as people write it: the counter's row is locked until the end."""
        from django.db import transaction

        from billing.models import EntryKind, LedgerEntry, Usage

        with transaction.atomic():
            row = Usage.objects.select_for_update().get(pk=self.usage.pk)
            if row.used + 1 > PLENTY:
                raise OverflowError
            row.used += 1
            row.save(update_fields=["used"])
            first = self.usage.reservations.values_list("pk", flat=True)[0]
            LedgerEntry.objects.create(
                reservation_id=first, kind=EntryKind.SETTLE, part=str(uuid4()), units=1, quantity=1
            )

    def crowd(self, take: Callable[[], None]) -> float:
        """16 threads in 4 processes."""
        started = time.perf_counter()
        return sum(in_processes(take, SECONDS)) / (time.perf_counter() - started)

    def rush(self) -> tuple[int, int]:
        """All want what is left: how many got it, and what the counter says they took."""
        self.usage.refresh_from_db()
        before = self.usage.used
        self.allow(before + ROOM)
        got = sum(in_processes(self.use, PATIENCE))
        self.usage.refresh_from_db()
        return got, self.usage.used - before


def in_processes(take: Callable[[], None], seconds: float) -> list[int]:
    """How many units each process got."""
    from django.db import connections

    connections.close_all()
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    made = [context.Process(target=_process, args=(take, seconds, answers)) for _ in range(PROCESSES)]
    for one in made:
        one.start()
    got = [answers.get(timeout=60) for _ in made]
    for one in made:
        one.join()
    return got


def _process(take: Callable[[], None], seconds: float, answers: Any) -> None:
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(CLIENTS // PROCESSES) as pool:
        answers.put(sum(pool.map(lambda _: _taken(take, until), range(CLIENTS // PROCESSES))))


def _taken(take: Callable[[], None], until: float) -> int:
    """Until it is time, or there are no more."""
    from django.db import connections

    from ajansops.kit.entitlements import FeatureLimitReached

    try:
        for taken in count():
            if time.monotonic() > until:
                return taken
            try:
                take()
            except FeatureLimitReached:
                return taken
    finally:
        connections.close_all()
    raise AssertionError


def main() -> None:
    """Measure and print."""
    started = time.monotonic()
    os.environ |= bench.environment()
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    with ExitStack() as stack:
        stack.enter_context(bench.database())
        stack.callback(connections.close_all)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        call_command("migrate", verbosity=0, run_syncdb=True)
        contenders = Contenders(folder)
        print(f"prepared in {time.monotonic() - started:.0f} s\n\n{contenders.scripts['ours']}\n")
        turns: dict[str, Callable[[], float]] = {
            "a plain UPDATE": lambda: contenders.pgbench("plain"),
            "ours: the UPDATE that decides": lambda: contenders.pgbench("ours"),
            "SELECT FOR UPDATE, UPDATE": lambda: contenders.pgbench("locked"),
            "ours: the whole path": lambda: contenders.crowd(contenders.use),
            "Django's select_for_update": lambda: contenders.crowd(contenders.naive),
        }
        rounds = [[turn() for turn in turns.values()] for _ in range(ROUNDS)]
        print(f"one counter, {CLIENTS} clients, {ROUNDS} rounds: units a second")
        for name, rates in zip(turns, zip(*rounds, strict=True), strict=True):
            print(f"{name:34}{statistics.median(rates):9.0f}")
        plain, ours, locked, whole, naive = range(len(turns))
        print(f"the UPDATE that decides: {ratio(rounds, ours, plain):.2f} of a plain one (goal: at least 0.9)")
        print(f"{ratio(rounds, ours, locked):.2f} times as many as with SELECT FOR UPDATE (goal: at least 1.7)")
        print(f"the whole path: {ratio(rounds, whole, naive):.2f} of Django's select_for_update with one line")
        got, counted = contenders.rush()
        print(f"{CLIENTS} clients want the last {ROOM}: {got} were given, {counted} counted")
        assert got == counted == ROOM
    print(f"\n{time.monotonic() - started:.0f} s in all")


def ratio(rounds: list[list[float]], one: int, other: int) -> float:
    """The median over the rounds."""
    return statistics.median(rates[one] / rates[other] for rates in rounds)


if __name__ == "__main__":
    main()
