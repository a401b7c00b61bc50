"""`make bench-jobs`: 500 items of 200 ms, 50 in flight, and items that do nothing, on PostgreSQL and Redis.

Ours is a whole job in the product's own worker: rows, leases, the strict path of paid work, effect and state in one
transaction; the call goes through `kit.net`, as everything the product sends. The clock runs from before `start_job`,
rows included, until the job is completed. Beside it a Celery group of a task per item on the same broker, with the same
call and the same row, in 50 threads and in the default pool of processes; and an aiohttp loop without a database, which
is what the machine can do. They take turns inside one run; a ratio is the median over the rounds. Figures move with the
machine; the ratios are what counts.
"""

import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from urllib.parse import urlsplit, urlunsplit

from tests.bench.api import REDIS, SERVER

ITEMS, LATENCY, CONCURRENCY = 500, 0.2, 50
LIMIT = ITEMS * LATENCY / CONCURRENCY
PROCESSES, FEWER = 2, 20  # the default pool does FEWER items; its time is multiplied
NOTHING, NOTHING_CELERY = 5000, 400
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "4"))
NAME = f"ajansops_bench_jobs_{urlsplit(SERVER).username}"  # each role has its own: only its owner can drop one
DATABASE = urlunsplit(urlsplit(SERVER)._replace(path=f"/{NAME}"))
PORT = int(os.environ.get("BENCH_PORT", "8481"))
LOOK = 0.01  # seconds between two looks whether it is over
THREADS, PREFORK = "bench-threads", "bench-prefork"  # queues


@dataclass(frozen=True)
class Run:
    """What one run took, and the calls that the server saw at once: the most, and the mean of the middle half."""

    seconds: float
    most: int = 0
    mean: float = 0.0


class InFlight:
    """How many calls are being answered, since the last report."""

    def __init__(self) -> None:
        self.now = 0
        self.changes: list[tuple[float, int]] = []

    def change(self, by: int) -> None:
        self.now += by
        self.changes.append((time.monotonic(), self.now))

    def report(self) -> dict[str, float]:
        """Weighted by time; forgets what it has told."""
        changes, self.changes = self.changes, []
        first, last = changes[0][0], changes[-1][0]
        start, end = first + (last - first) / 4, last - (last - first) / 4
        spans = pairwise(changes)
        area = sum(count * max(0.0, min(until, end) - max(at, start)) for (at, count), (until, _) in spans)
        return {"most": max(count for _, count in changes), "mean": area / (end - start)}


def serve() -> None:
    """The server that takes its time, until it is killed."""
    from aiohttp import web

    calls = InFlight()

    async def answer(request: web.Request) -> web.Response:
        calls.change(1)
        await asyncio.sleep(LATENCY)
        calls.change(-1)
        return web.Response(text="done")

    async def report(request: web.Request) -> web.Response:
        return web.json_response(calls.report())

    app = web.Application()
    app.add_routes([web.get("/", answer), web.get("/report", report)])
    web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)


def environment() -> dict[str, str]:
    """Of every process of the run."""
    return os.environ | {
        "BENCH_DATABASE_URL": DATABASE,
        "BENCH_URL": f"http://127.0.0.1:{PORT}/",
        "DATABASE_URL": DATABASE,
        "REDIS_URL": REDIS,
        "VAR_DIR": os.environ.get("BENCH_VAR_DIR", tempfile.gettempdir() + "/ajansops-bench"),
        "DJANGO_SETTINGS_MODULE": "tests.bench.contenders.engine.settings",
        "DJANGO_DEBUG": "0",
        "DJANGO_SECRET_KEY": "bench",
        "ENCRYPTION_KEYS": "bench",
        "ALLOWED_HOSTS": "127.0.0.1",
        "PUBLIC_URL": "http://127.0.0.1",
        "NET_ALLOW_PRIVATE": "127.0.0.1/32",
        "NET_ALLOW_PRIVATE_IN_PRODUCTION": "1",
        "PYTHONWARNINGS": "ignore",  # Celery's, of being root
    }


@contextmanager
def database() -> Iterator[None]:
    """Ours alone, with our tables."""
    import psycopg

    def execute(statement: str) -> None:
        with psycopg.connect(urlunsplit(urlsplit(SERVER)._replace(path="/postgres")), autocommit=True) as connection:
            connection.execute(statement)

    execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    execute(f"CREATE DATABASE {NAME}")
    try:
        yield
    finally:
        execute(f"DROP DATABASE {NAME} WITH (FORCE)")


@contextmanager
def process(*command: str) -> Iterator[None]:
    """Runs beside us until the end. What it complains about is seen."""
    running = subprocess.Popen([sys.executable, *command], env=environment(), stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def celery_worker(queue: str, *pool: str) -> list[str]:
    """The command of a contender."""
    app = ["-m", "celery", "--app", "tests.bench.contenders.group", "--quiet", "worker", "--loglevel", "error"]
    return [*app, "--hostname", f"{queue}@%h", "--queues", queue, *pool]


def until(true: Callable[[], bool], seconds: float = 60, *, earliest: float = 0) -> None:
    """Look often, but not before it can be: looking takes of the same two cores."""
    deadline = time.monotonic() + seconds
    time.sleep(earliest)
    while not true():
        if time.monotonic() > deadline:
            raise RuntimeError(f"not done in {seconds} s")
        time.sleep(LOOK)


class Contenders:
    """Each method is one run. Django is set up before."""

    def __init__(self) -> None:
        from celery import Celery

        from accounts.roles import Role, codenames
        from accounts.services.workspaces import create_workspace
        from ajansops.kit.actor import Actor

        self.actor = Actor(create_workspace(name="Bench").pk, codenames(Role.OWNER))
        self.celery = Celery("group", broker=REDIS, set_as_current=False)
        self.submitting: list[float] = []

    def ours(self, kind: str = "bench_fetch", items: int = ITEMS) -> Run:
        """A job, in the product's worker. Raises unless each item was done and has its one effect."""
        from ajansops.kit.runners import NewItem
        from jobs.models import Job
        from jobs.services import start_job

        self._forget_effects()
        started = time.perf_counter()
        job = start_job(self.actor, kind, [NewItem(str(n)) for n in range(items)])
        self.submitting.append(time.perf_counter() - started)
        status = Job.objects.filter(pk=job.pk).values_list("status", flat=True)
        until(lambda: status.get() not in {"queued", "processing"}, earliest=_earliest(kind == "bench_fetch", items))
        seconds = time.perf_counter() - started
        job.refresh_from_db()
        assert (job.status, job.done) == ("completed", items), (job.status, job.error)
        if kind != "bench_fetch":
            return Run(seconds)
        assert self._effects() == items
        return self._with_calls(seconds)

    def group(self, queue: str, task: str, items: int) -> Run:
        """A task per item, until all their rows are there. Where the tasks write none, one that does comes last."""
        from celery import group

        self._forget_effects()
        last = ["keep"] if task == "forget" else []
        started = time.perf_counter()
        tasks = [task] * items + last
        group(
            [self.celery.signature(name, args=[str(n)], queue=queue) for n, name in enumerate(tasks)], app=self.celery
        ).apply_async()
        expected = len(last) or items
        until(lambda: self._effects() == expected, earliest=_earliest(task == "fetch", items))
        seconds = time.perf_counter() - started
        return self._with_calls(seconds) if task == "fetch" else Run(seconds)

    def bare(self) -> Run:
        """Only the calls."""
        started = time.perf_counter()
        asyncio.run(_call())
        return self._with_calls(time.perf_counter() - started)

    def _forget_effects(self) -> None:
        from django.db import connection

        connection.cursor().execute("TRUNCATE bench_effect")

    def _effects(self) -> int:
        from tests.bench.contenders.engine.models import Effect

        return Effect.objects.count()

    def _with_calls(self, seconds: float) -> Run:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
        connection.request("GET", "/report")
        return Run(seconds, **json.loads(connection.getresponse().read()))


def _earliest(calls: bool, items: int) -> float:
    return items * LATENCY / CONCURRENCY if calls else 0


async def _call() -> None:
    import aiohttp

    gate = asyncio.Semaphore(CONCURRENCY)
    async with aiohttp.ClientSession() as session:

        async def fetch() -> None:
            async with gate, session.get(f"http://127.0.0.1:{PORT}/") as answer:
                await answer.read()

        await asyncio.gather(*(fetch() for _ in range(ITEMS)))


def main() -> None:
    """Measure and print."""
    started = time.monotonic()
    os.environ |= environment()
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connections

    from ajansops.supervisor import commands

    with ExitStack() as stack:
        stack.enter_context(database())
        stack.callback(connections.close_all)
        call_command("migrate", verbosity=0, run_syncdb=True)
        stack.enter_context(process("-m", "tests.bench.jobs", "serve"))
        stack.enter_context(process(*commands(0, 1)["worker"][1:]))
        threads = ["--pool", "threads", "--concurrency", str(CONCURRENCY)]
        stack.enter_context(process(*celery_worker(THREADS, *threads)))
        stack.enter_context(process(*celery_worker(PREFORK, "--concurrency", str(PROCESSES))))
        contenders = Contenders()
        contenders.ours(items=CONCURRENCY)
        contenders.group(THREADS, "fetch", CONCURRENCY)
        contenders.group(PREFORK, "fetch", PROCESSES * 4)
        print(f"prepared in {time.monotonic() - started:.0f} s")
        fetching(contenders)
        nothing(contenders)
    print(f"\n{time.monotonic() - started:.0f} s in all")


def fetching(contenders: Contenders) -> None:
    """500 items of 200 ms."""
    contenders.submitting.clear()
    turns = [
        contenders.ours,
        lambda: contenders.group(THREADS, "fetch", ITEMS),
        lambda: contenders.group(PREFORK, "fetch", FEWER),
        contenders.bare,
    ]
    ours, threads, prefork, bare = zip(*([turn() for turn in turns] for _ in range(ROUNDS)), strict=True)
    whole = [Run(run.seconds * ITEMS / FEWER, run.most, run.mean) for run in prefork]
    print(f"\n{ITEMS} items of {LATENCY * 1000:.0f} ms, {CONCURRENCY} in flight: limit {LIMIT:.2f} s, {ROUNDS} rounds")
    print(f"{'':26}{'seconds':>9}{'of limit':>10}{'in flight: most':>17}{'mean of the middle':>20}")
    rows = {
        "ours": ours,
        f"Celery, {CONCURRENCY} threads": threads,
        f"Celery, {PROCESSES} processes": whole,
        "aiohttp, no database": bare,
    }
    for name, runs in rows.items():
        seconds, most, mean = (statistics.median(getattr(r, f) for r in runs) for f in ("seconds", "most", "mean"))
        of_limit = statistics.median(LIMIT / run.seconds for run in runs)
        print(f"{name:26}{seconds:9.2f}{of_limit:10.3f}{most:17.0f}{mean:20.1f}")
    print(f"({PROCESSES} processes did {FEWER} items; their time is multiplied by {ITEMS // FEWER})")
    print(f"ours: {statistics.median(LIMIT / run.seconds for run in ours):.2f} of the limit (goal: at least 0.90)")
    print(f"ours: {ratio(bare, ours):.2f} of the aiohttp loop; starting the job took {median(contenders.submitting)} s")
    print(f"ours is {ratio(threads, ours):.2f} times as fast as {CONCURRENCY} threads (goal: at least 1)")
    print(f"ours is {ratio(whole, ours):.1f} times as fast as the default pool (goal: at least 20)", flush=True)


def nothing(contenders: Contenders) -> None:
    """Items that do nothing: what the machinery itself costs. Ours keeps the state of each in its row."""
    contenders.ours("bench_nothing", 500)
    contenders.submitting.clear()
    turns = {
        "ours": (NOTHING, lambda: contenders.ours("bench_nothing", NOTHING)),
        f"Celery, {CONCURRENCY} threads, a row kept": (
            NOTHING_CELERY,
            lambda: contenders.group(THREADS, "keep", NOTHING_CELERY),
        ),
        f"Celery, {PROCESSES} processes, a row kept": (
            NOTHING_CELERY,
            lambda: contenders.group(PREFORK, "keep", NOTHING_CELERY),
        ),
        f"Celery, {CONCURRENCY} threads, nothing kept": (
            NOTHING_CELERY,
            lambda: contenders.group(THREADS, "forget", NOTHING_CELERY),
        ),
        f"Celery, {PROCESSES} processes, nothing kept": (
            NOTHING_CELERY,
            lambda: contenders.group(PREFORK, "forget", NOTHING_CELERY),
        ),
    }
    rounds = [[items / turn().seconds for items, turn in turns.values()] for _ in range(ROUNDS)]
    print(f"\nitems that do nothing ({NOTHING} of ours, {NOTHING_CELERY} tasks)")
    print(f"{'':34}{'items/s':>9}{'ours is so many times as fast':>31}")
    for place, name in enumerate(turns):
        rate = statistics.median(rates[place] for rates in rounds)
        print(f"{name:34}{rate:9.0f}{statistics.median(rates[0] / rates[place] for rates in rounds):31.1f}")
    print(f"(goal: at least 10 times Celery; starting ours took {median(contenders.submitting)} s)", flush=True)


def median(values: list[float]) -> str:
    """To print."""
    return f"{statistics.median(values):.2f}"


def ratio(theirs: tuple[Run, ...] | list[Run], ours: tuple[Run, ...]) -> float:
    """How many times as long they took, as the median of the rounds."""
    return statistics.median(other.seconds / mine.seconds for other, mine in zip(theirs, ours, strict=True))


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
