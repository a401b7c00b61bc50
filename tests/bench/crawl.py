"""`make bench-crawl`: 500 pages of 20 ms and 17 KB, 16 in flight: our crawl against a bare client and the limit.

Both fetch in turn from the same local server, in another process. Ours is the whole job: robots.txt, parsing, checks,
every page committed, the report. The bare one only fetches. Figures move with the machine; the ratios are what counts.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time

PAGES, DELAY, SIZE, CONCURRENCY, ROUNDS = 500, 0.02, 17_000, 16, 3
LIMIT = PAGES * DELAY / CONCURRENCY
PORT = int(os.environ.get("BENCH_PORT", "8461"))
WORDS = "clay glaze kiln wheel mug bowl slip bisque throwing trimming handle rim foot "


def page(number: int) -> str:
    """A healthy page that links to ten others, so that all are found."""
    links = "".join(f'<a href="/p/{(number * 10 + n) % PAGES}">page {n}</a> ' for n in range(10))
    title = f"Page {number} of a site that is only measured"
    body = (WORDS * (SIZE // len(WORDS)))[: SIZE - 900]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="description" content="{title}, with a description of a usual length for a search result page.">'
        f'<meta name="viewport" content="width=device-width"></head><body><h1>{title}</h1>{links}<p>{body} {number}</p>'
        "</body></html>"
    )


def serve() -> None:
    """The server, until it is killed."""
    from aiohttp import web

    async def answer(request: web.Request) -> web.Response:
        await asyncio.sleep(DELAY)
        return web.Response(text=page(int(request.match_info["number"])), content_type="text/html")

    async def start(request: web.Request) -> web.Response:
        return web.Response(text=page(0), content_type="text/html")

    app = web.Application()
    app.add_routes([web.get("/", start), web.get("/p/{number}", answer)])
    web.run_app(app, host="127.0.0.1", port=PORT, print=None)


async def bare() -> None:
    """Fetch every page, nothing else."""
    import aiohttp

    gate = asyncio.Semaphore(CONCURRENCY)
    async with aiohttp.ClientSession() as session:

        async def fetch(number: int) -> None:
            async with gate, session.get(f"http://127.0.0.1:{PORT}/p/{number}") as answer:
                await answer.read()

        await asyncio.gather(*(fetch(number) for number in range(PAGES)))


def ours(actor, site) -> None:
    """One crawl job from start to report."""
    from jobs.engine import Engine
    from sites.services import start_audit

    job = start_audit(actor, site)
    asyncio.run(Engine(CONCURRENCY + 4).run(until_idle=True))
    job.refresh_from_db()
    assert job.status == "completed", job.error
    assert job.failed == 0


def prepare():
    """A fresh SQLite database with one site."""
    os.environ |= {"VAR_DIR": tempfile.mkdtemp(), "DJANGO_SETTINGS_MODULE": "tests.settings"}
    import django

    django.setup()
    from django.core.management import call_command

    from accounts.roles import Role, codenames
    from accounts.services.workspaces import create_workspace
    from ajansops.kit.actor import Actor
    from sites.services import create_site

    call_command("migrate", verbosity=0)
    actor = Actor(create_workspace(name="Bench").pk, codenames(Role.OWNER))
    crawl = {"max_pages": PAGES + 1, "max_depth": 20, "concurrency": CONCURRENCY, "delay_seconds": 0}
    return actor, create_site(actor, name="Bench", domain=f"127.0.0.1:{PORT}", crawl=crawl)


def main() -> None:
    """Three rounds, alternating; the median ratio."""
    server = subprocess.Popen([sys.executable, "-m", "tests.bench.crawl", "serve"])
    try:
        actor, site = prepare()
        time.sleep(1)
        asyncio.run(bare())
        rounds = []
        for number in range(ROUNDS):
            started = time.perf_counter()
            asyncio.run(bare())
            middle = time.perf_counter()
            ours(actor, site)
            ended = time.perf_counter()
            rounds.append((middle - started, ended - middle))
            print(f"round {number + 1}: bare {rounds[-1][0]:.2f} s, ours {rounds[-1][1]:.2f} s")
    finally:
        server.kill()
    of_limit = statistics.median(LIMIT / mine for _, mine in rounds)
    of_bare = statistics.median(theirs / mine for theirs, mine in rounds)
    print(f"limit {LIMIT:.3f} s; ours reaches {of_limit:.2f} of the limit and {of_bare:.2f} of the bare client")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
