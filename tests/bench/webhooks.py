"""`make bench-webhooks`: 2,000 events to 5 endpoints each, of eight workspaces, on PostgreSQL and Redis.

Ours is the product's dispatcher in a process of its own, with its rows, leases, bounds (4 in flight an endpoint, 8 a
workspace) and saved outcomes. Beside it an aiohttp loop without a database that sends the same bytes with 64 in flight,
signatures included, and a Celery task per delivery in 50 threads. Figures are arrivals a second at the sink, between
the first and the last; rows and messages are there before. They take turns; a ratio is the median over the rounds.

Then: how long from an event to its arrival, with a worker and its broker; and what a receiver that hangs costs others.
"""

import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

from tests.bench import jobs as bench
from tests.bench.api import REDIS, SERVER

EVENTS, ENDPOINTS, WORKSPACES = 2000, 5, 8
ALL = EVENTS * ENDPOINTS
FEWER = 1000  # deliveries by Celery
LIVE, PAUSE = 200, 0.01  # events one after the other, seconds between them
SETTLED = 5  # seconds in which a new worker catches up with what is periodic
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PORT = int(os.environ.get("BENCH_PORT", "8491"))
BYTES = json.dumps({"id": "evt_", "type": "post.created", "data": {"body": "x" * 900}}).encode()
IN_FLIGHT = 64
bench.NAME = f"ajansops_bench_webhooks_{urlsplit(SERVER).username}"
bench.DATABASE = urlunsplit(urlsplit(SERVER)._replace(path=f"/{bench.NAME}"))


def serve() -> None:
    """The sink, until it is killed: notes when each event arrived. `/hang` takes its time."""
    from aiohttp import web

    arrivals: list[tuple[str, float]] = []

    async def take(request: web.Request) -> web.Response:
        await request.read()
        arrivals.append((request.headers["webhook-id"], time.time()))
        return web.Response(text="ok")

    async def hang(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    async def report(request: web.Request) -> web.Response:
        told = list(arrivals)
        arrivals.clear()
        return web.json_response(told)

    async def count(request: web.Request) -> web.Response:
        return web.json_response(len(arrivals))

    app = web.Application()
    app.add_routes([web.post("/hang", hang), web.post("/{n}", take), web.get("/report", report), web.get("/", count)])
    web.run_app(app, host="127.0.0.1", port=PORT, print=None, access_log=None)


def asked(path: str):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
    try:
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())
    finally:
        connection.close()


def arrived(expected: int, seconds: float = 90) -> list[tuple[str, float]]:
    """Once all are there."""
    bench.until(lambda: asked("/") >= expected, seconds)
    return [tuple(one) for one in asked("/report")]


def rate(arrivals: list[tuple[str, float]]) -> float:
    moments = sorted(at for _, at in arrivals)
    return (len(moments) - 1) / (moments[-1] - moments[0])


def raw() -> None:
    """The limit: no rows, nothing but the bytes."""
    import aiohttp
    import django

    django.setup()
    from webhooks.models import new_secret
    from webhooks.signatures import signed_headers
    from webhooks.worker import settle

    settle()  # as ours: what Django has loaded is no part of the limit

    async def send_all() -> None:
        gate, secret = asyncio.Semaphore(IN_FLIGHT), [new_secret()]
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def send(n: int) -> None:
                async with gate:
                    headers = signed_headers(f"evt_{n}", "post.created", BYTES, secret, int(time.time()))
                    async with session.post(f"http://127.0.0.1:{PORT}/{n % 5}", data=BYTES, headers=headers) as answer:
                        await answer.read()

            await asyncio.gather(*(send(n) for n in range(ALL)))

    asyncio.run(send_all())


def ours() -> None:
    """The dispatcher, until nothing is left."""
    import django

    django.setup()
    from webhooks.dispatcher import Dispatcher
    from webhooks.worker import settle

    settle()
    asyncio.run(Dispatcher().run(until_idle=True))


def run(name: str) -> None:
    subprocess.run([sys.executable, "-m", "tests.bench.webhooks", name], env=bench.environment(), check=True)


class Workspace:
    """One with its endpoints; makes the rows of a run."""

    def __init__(self, name: str) -> None:
        from accounts.services.workspaces import create_workspace
        from webhooks.models import Endpoint, first_secret

        self.pk = create_workspace(name=name).pk
        self.endpoints = [
            Endpoint.objects.create(
                workspace_id=self.pk, url=f"http://127.0.0.1:{PORT}/{n}", events=["post.*"], secret=first_secret()
            )
            for n in range(ENDPOINTS)
        ]

    def rows(self, events: int) -> list[int]:
        from ajansops.kit.clock import now
        from webhooks.models import Delivery, Event, Outbox, first_secret

        Event.objects.filter(workspace=self.pk).delete()
        Outbox.objects.bulk_create([Outbox(workspace_id=self.pk, secret=first_secret())], ignore_conflicts=True)
        made = Event.objects.bulk_create(
            Event(workspace_id=self.pk, type="post.created", body=BYTES, created_at=now()) for _ in range(events)
        )
        rows = Delivery.objects.bulk_create(
            Delivery(
                workspace_id=self.pk,
                event=event,
                endpoint=endpoint,
                lane=f"endpoint:{endpoint.pk}",
                next_attempt_at=now(),
            )
            for event in made
            for endpoint in self.endpoints
        )
        return [row.pk for row in rows]

    def left(self) -> int:
        from webhooks.models import Delivery

        return Delivery.objects.filter(workspace=self.pk).exclude(status="success").count()

    def publish(self) -> tuple[str, float]:
        """One event as the product tells it; its id and when its transaction was kept."""
        from django.db import transaction

        from accounts.actors import operator
        from ajansops.kit.events import publish
        from content.models import Post
        from webhooks.models import Event

        post = Post(workspace_id=self.pk, title="A", slug=f"a-{time.time_ns()}", site_id=self.site)
        with transaction.atomic():
            post.save()
            publish(operator(self.pk), "post.created", post)
            public_id = Event.objects.filter(workspace=self.pk).latest("id").public_id
        return public_id, time.time()

    @property
    def site(self) -> int:
        from sites.models import Site

        return Site.objects.get_or_create(workspace_id=self.pk, defaults={"name": "A", "domain": "a.example"})[0].pk


def by_celery(workspaces: list[Workspace]) -> float:
    """Messages first, then the worker."""
    from celery import Celery

    celery = Celery("deliveries", broker=REDIS, set_as_current=False)
    for pk in workspaces[0].rows(FEWER // ENDPOINTS):
        celery.send_task("deliver", [pk], queue="bench-deliveries")
    app = ["-m", "celery", "--app", "tests.bench.contenders.deliveries", "--quiet", "worker", "--loglevel", "error"]
    with bench.process(*app, "--queues", "bench-deliveries", "--pool", "threads", "--concurrency", "50"):
        return rate(arrived(FEWER))


def by_us(workspaces: list[Workspace]) -> float:
    for workspace in workspaces:
        workspace.rows(EVENTS // WORKSPACES)
    run("ours")
    reached = rate(arrived(ALL))
    assert not any(workspace.left() for workspace in workspaces)
    return reached


def by_raw() -> float:
    run("raw")
    return rate(arrived(ALL))


WORKER = ["-m", "celery", "--app", "ajansops.celery", "--quiet", "worker", "--loglevel", "error"]


def latency(workspace: Workspace) -> list[float]:
    """Seconds from the commit to each arrival, in order."""
    told = {}
    for _ in range(LIVE):
        public_id, at = workspace.publish()
        told[public_id] = at
        time.sleep(PAUSE)
    return sorted(at - told[public_id] for public_id, at in arrived(LIVE * ENDPOINTS) if public_id in told)


def hanging(workspace: Workspace) -> float:
    """Arrivals a second at the four that work, of a run in which the fifth hangs."""
    workspace.rows(EVENTS)
    fifth = workspace.endpoints[-1]
    type(fifth).objects.filter(pk=fifth.pk).update(url=f"http://127.0.0.1:{PORT}/hang")
    with bench.process("-m", "tests.bench.webhooks", "ours"):
        found = rate(arrived(EVENTS * (ENDPOINTS - 1)))
    type(fifth).objects.filter(pk=fifth.pk).update(url=fifth.url)
    return found


def without(workspace: Workspace) -> float:
    """The same when the fifth is not there."""
    from webhooks.models import Delivery

    workspace.rows(EVENTS)
    Delivery.objects.filter(endpoint=workspace.endpoints[-1]).delete()
    run("ours")
    return rate(arrived(EVENTS * (ENDPOINTS - 1)))


def main() -> None:
    """Print the figures and their ratios."""
    os.environ |= bench.environment()
    import django

    with bench.database(), bench.process("-m", "tests.bench.webhooks", "serve"):
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True)
        django.setup()
        workspaces = [Workspace(f"Bench {number}") for number in range(WORKSPACES)]
        workspace = workspaces[0]
        bench.until(_answers, 20)
        rounds = []
        for number in range(ROUNDS):
            one = {"raw": by_raw(), "ours": by_us(workspaces), "celery": by_celery(workspaces)}
            rounds.append(one)
            print(f"round {number + 1}: " + ", ".join(f"{name} {figure:,.0f}/s" for name, figure in one.items()))
        for other, goal in (("raw", 0.55), ("celery", 12)):
            ratio = statistics.median(one["ours"] / one[other] for one in rounds)
            print(f"ours to {other:<8} {ratio:6.2f}   goal {goal} at least")
        kept = statistics.median(hanging(workspace) / without(workspace) for _ in range(ROUNDS))
        print(f"with a fifth that hangs {kept:.2f} of the rate without it   goal 0.9 at least")
        workspace.rows(0)
        with bench.process(*WORKER, "--pool", "threads", "--concurrency", "2"):
            workspace.publish()
            arrived(ENDPOINTS)  # the worker is up
            time.sleep(SETTLED)
            asked("/report")
            took = latency(workspace)
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
        print(f"event to arrival: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, of {len(took)}")


def _answers() -> bool:
    try:
        return asked("/") is not None
    except OSError:
        return False


if __name__ == "__main__":
    {"serve": serve, "raw": raw, "ours": ours}.get((sys.argv[1:] or [""])[0], main)()
