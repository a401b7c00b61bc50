"""The outside, a local HTTP server. Items pay it, with latency and jitter, and its log of calls is the intent log; and
it receives the webhooks of jobs.
"""

import asyncio
import random
import threading
from collections import Counter, defaultdict

from aiohttp import web

LATENCY = (0.05, 0.4)  # seconds
SLOW_LATENCY = (1.0, 1.5)  # so that most items are in flight when a control strikes
OUTLIERS = (0.02, 2.0)  # one call in fifty takes two seconds


class Provider:
    """In a thread of the harness, so it outlives every kill. `paid` counts calls that cost something, by `job/key`."""

    def __init__(self, port: int, *, slow: bool = False) -> None:
        self.url = f"http://127.0.0.1:{port}/"
        self.paid: Counter[str] = Counter()
        self.told: dict[str, set[tuple[str, str]]] = defaultdict(set)  # what was received of a job: event id and type
        self._port = port
        self._latency = SLOW_LATENCY if slow else LATENCY
        self._refused: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._up = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        if not self._up.wait(10):
            raise SystemExit("The provider did not start.")

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._up.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application()
        app.add_routes([web.post("/", self._answer), web.post("/told", self._hear)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self._port).start()

    async def _answer(self, request: web.Request) -> web.Response:
        """A call is paid for when it arrives, whether or not its caller lives to hear the answer."""
        key = request.query["key"]
        name = key.rpartition("/")[2]
        refused = name.startswith("bad-")
        first = name.startswith("flaky-") and key not in self._refused
        if first:
            self._refused.add(key)
        elif not refused:
            self.paid[key] += 1
        share, longest = OUTLIERS
        await asyncio.sleep(longest if random.random() < share else random.uniform(*self._latency))
        if refused:
            return web.Response(status=422, text="never")
        return web.Response(status=503, text="not now") if first else web.Response(text="done")

    async def _hear(self, request: web.Request) -> web.Response:
        """Repetitions are allowed, and say the same."""
        event = await request.json()
        self.told[event["data"]["id"]].add((event["id"], event["type"]))
        return web.Response(status=204)
