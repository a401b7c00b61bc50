"""`python -m tests.chaos.webhooks`: workers that send webhooks are killed at each step; every event has to arrive.

Two workers send what a publisher tells, to three receivers of which one often fails. Meanwhile they are killed with
SIGKILL, at random moments and at each numbered step: before and after the claim, with requests in flight, after the
receiver has taken one, before and after its outcome is kept. In the end each event that was committed has arrived at
each endpoint, under one id with the same bytes, and nothing has arrived that was not committed.

`--control` takes the rows away from the sender before it sends (marks them as delivered first, as a queue without
acknowledgement does): then events must be lost, or the harness sees nothing.
"""

import argparse
import asyncio
import logging
import multiprocessing
import multiprocessing.process
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict

STEPS = ("before_claim", "after_claim", "before_send", "after_send", "before_save", "after_save")
KILL_AFTER = (0.2, 1.5)  # seconds of a worker's life when it is killed at no step
LONGEST = 5.0  # of one that never comes to its step
EVERY = 0.02  # seconds between two events
OPEN = 300  # deliveries; with more no event is added: those who die all the time do not get far
PATIENCE = 60.0  # seconds without any progress
LEASE_SECONDS = 2.0  # instead of 30: a run has no half minutes to wait for each kill
WORKERS = 2


def worker(step: str, life: float, *, control: bool) -> None:
    """The dispatcher, which dies at the third time that it comes to the step, or at its first claim; at the latest
    after `life` seconds, by SIGTERM, which nobody handles here: as sudden, and the harness sees which it was.
    """
    logging.disable()  # of hundreds of failures that are meant
    from datetime import timedelta

    from webhooks import claims, dispatcher, schedule
    from webhooks.models import Delivery

    claims.LEASE = timedelta(seconds=LEASE_SECONDS)
    dispatcher.HEARTBEAT = LEASE_SECONDS / 4
    dispatcher.IDLE = 0.2
    schedule.DELAYS = (0, *[0.2] * 999)
    schedule.MAX_ATTEMPTS = 1000  # so often may a receiver fail, and a worker die
    times: dict[str, int] = defaultdict(int)
    last = 1 if "claim" in step else 3

    def come_to(name: str) -> None:
        times[name] += 1
        if name == step and times[name] == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(call, before: str, after: str):
        def called(*args):
            come_to(before)
            result = call(*args)
            come_to(after)
            return result

        return called

    claims.claim = around(claims.claim, "before_claim", "after_claim")
    claims.save_outcomes = around(claims.save_outcomes, "before_save", "after_save")
    send, due_parcels = dispatcher.send, claims.due_parcels

    async def sent(client, parcel):
        come_to("before_send")
        outcome = await send(client, parcel)
        come_to("after_send")
        return outcome

    def taken_away(*args):
        parcels = due_parcels(*args)
        ids = [parcel.id for parcel in parcels]
        Delivery.objects.filter(pk__in=ids).update(status="success", next_attempt_at=None)
        return parcels

    dispatcher.send = sent
    if control:
        claims.due_parcels = taken_away
    death = threading.Timer(life, os.kill, [os.getpid(), signal.SIGTERM])
    death.daemon = True
    death.start()
    asyncio.run(dispatcher.Dispatcher().run())


class Killer:
    """Keeps `WORKERS` alive, each with a step at which it dies or a moment at which it does. They are forked from a
    process that has loaded everything.
    """

    def __init__(self, rng: random.Random, *, control: bool) -> None:
        self.kills: dict[str, int] = defaultdict(int)
        self._rng, self._control = rng, control
        self._processes = multiprocessing.get_context("forkserver")
        self._processes.set_forkserver_preload(["tests.chaos.ready"])
        self._running: list[tuple[multiprocessing.process.BaseProcess, str]] = []

    def look(self, *, enough: bool) -> None:
        """Start what is missing; once there were `enough`, workers live."""
        for process, step in list(self._running):
            if not process.is_alive():
                if process.exitcode not in {-signal.SIGKILL, -signal.SIGTERM}:
                    raise RuntimeError(f"a worker ended by itself: {process.exitcode}")
                self.kills[step if process.exitcode == -signal.SIGKILL else "any moment"] += 1
                self._running.remove((process, step))
        while len(self._running) < WORKERS:
            self._start("" if enough else self._rng.choice(("", *STEPS)), lives=enough)

    def _start(self, step: str, *, lives: bool) -> None:
        life = threading.TIMEOUT_MAX if lives else LONGEST if step else self._rng.uniform(*KILL_AFTER)
        process = self._processes.Process(target=worker, args=(step, life), kwargs={"control": self._control})
        process.start()
        self._running.append((process, step))

    def end(self) -> None:
        for process, _ in self._running:
            process.kill()
            process.join()


def verdict(committed: dict[str, bytes], receivers) -> list[str]:
    """What is wrong: empty when nothing is."""
    wrong = []
    for number, receiver in enumerate(receivers):
        bodies: dict[str, set[bytes]] = defaultdict(set)
        for taken in list(receiver.taken):
            bodies[taken.headers["webhook-id"]].add(taken.body)
        if lost := committed.keys() - bodies.keys():
            wrong.append(f"receiver {number}: {len(lost)} events never came")
        if strange := bodies.keys() - committed.keys():
            wrong.append(f"receiver {number}: {len(strange)} came that were never committed")
        if changed := [id_ for id_, seen in bodies.items() if seen != {committed.get(id_)}]:
            wrong.append(f"receiver {number}: {len(changed)} came with other bytes")
    return wrong


def publish_one(workspace_id: int, number: int, rng: random.Random) -> tuple[str, bytes] | None:
    """A site that was made, in a transaction that is sometimes undone: None then."""
    from django.db import transaction

    from accounts.actors import operator
    from ajansops.kit.events import publish
    from sites.models import Site
    from webhooks.models import Event

    with transaction.atomic():
        site = Site.objects.create(workspace_id=workspace_id, name=str(number), domain=f"s{number}.example.com")
        publish(operator(workspace_id), "site.created", site)
        event = Event.objects.latest("id")
        if rng.random() < 0.1:
            transaction.set_rollback(True)
            return None
    return event.public_id, bytes(event.body)


def run(kills: int, rng: random.Random, *, control: bool) -> int:
    """0 when all is well, or when the control was found out."""
    from accounts.services.workspaces import create_workspace
    from tests.webhooks.receiver import Answer, receiving
    from webhooks.models import Delivery, Endpoint, first_secret

    committed: dict[str, bytes] = {}
    killer = Killer(rng, control=control)
    with receiving() as a, receiving() as b, receiving() as often_down:
        receivers = (a, b, often_down)
        often_down.answer = lambda taken: Answer(rng.choice((200, 500, 404)))
        workspace_id = create_workspace(name="Chaos").pk
        for receiver in receivers:
            Endpoint.objects.create(workspace_id=workspace_id, url=receiver.url, events=["*"], secret=first_secret())
        left = Delivery.objects.filter(next_attempt_at__isnull=False)
        number = 0
        try:
            while sum(killer.kills.values()) < kills:
                killer.look(enough=False)
                if left.count() < OPEN and (told := publish_one(workspace_id, number := number + 1, rng)):
                    committed[told[0]] = told[1]
                time.sleep(EVERY)
            fewest, ends = left.count(), time.monotonic() + PATIENCE
            while fewest and time.monotonic() < ends:
                killer.look(enough=True)
                time.sleep(EVERY)
                if (now_left := left.count()) < fewest:
                    fewest, ends = now_left, time.monotonic() + PATIENCE
        finally:
            killer.end()
    wrong = verdict(committed, receivers)
    arrived = sum(len(receiver.taken) for receiver in receivers)
    print(f"{len(committed)} events, {number - len(committed)} undone, {arrived} requests taken")
    print("kills: " + ", ".join(f"{step} {count}" for step, count in sorted(killer.kills.items())))
    print("\n".join(f"WRONG: {one}" for one in wrong) or "Nothing lost, every id and every byte the same.")
    if control:
        print(f"The rows were taken away, and this was {'' if wrong else 'NOT '}found out.")
    return bool(wrong) is not control


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.webhooks", description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--control", action="store_true", help="lose what is in flight: the run must find it out")
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    os.environ["VAR_DIR"] = tempfile.mkdtemp(prefix="chaos-webhooks-")
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], check=True)
    import django

    django.setup()
    logging.disable()
    print(f"seed {asked.seed}")
    return int(run(asked.kills, random.Random(asked.seed), control=asked.control))


if __name__ == "__main__":
    sys.exit(main())
