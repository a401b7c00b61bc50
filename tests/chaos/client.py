"""Who uses the product meanwhile: submits jobs, pauses, resumes and cancels some, and logs what was acknowledged."""

import json
import random
import threading
import time
import uuid
from http.client import HTTPConnection, HTTPException
from typing import Any

from jobs.models import Job, JobStatus
from tests.chaos.database import patiently

ITEMS = (8, 30)
EVERY = 0.8  # seconds between two submissions
CONTROL_EVERY = 1.0
LAST_ANSWER = 90.0  # seconds, of a product that has to get up first


class Client:
    """`acknowledged` is the submission log: job id by submission. `cancelled` are jobs whose cancel was confirmed."""

    def __init__(self, port: int, key: str, rng: random.Random, *, open_jobs: int) -> None:
        self.acknowledged: dict[str, str] = {}
        self.items: dict[str, int] = {}  # asked for, by job id
        self.answered: list[float] = []  # when the product did
        self.cancelled: set[str] = set()
        self.controls = 0
        self.faults: list[str] = []
        self.repeated = 0  # submissions that were sent more than once
        self._port, self._key, self._rng = port, key, rng
        self._open_jobs = open_jobs  # more would only wait for each other
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._submit_all, self._control_all)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """No new jobs; a submission that is under way is repeated until it is acknowledged; what is paused goes on."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(LAST_ANSWER)
            if thread.is_alive():
                self.faults.append("the product answered no more")
        ends = time.monotonic() + LAST_ANSWER
        while (paused := patiently(self._paused)) and time.monotonic() < ends:
            self._control(paused[0], "resume")

    def _submit_all(self) -> None:
        while not self._stopping.wait(self._rng.uniform(0.3, 1.7) * EVERY):
            if patiently(lambda: Job.objects.unfinished().count()) < self._open_jobs:
                self._submit(self._rng.randint(*ITEMS))

    def _submit(self, items: int) -> None:
        submission = str(uuid.uuid4())
        tries = 0
        while True:
            tries += 1
            body = {"items": items, "submission": submission}
            status, answer = self._call("POST", "/api/v1/chaos", body, **{"Idempotency-Key": submission})
            if status == 201:
                break
            if 400 <= status < 500 and status not in {409, 429}:
                self.faults.append(f"a submission was refused: {status} {answer}")
                return
            time.sleep(0.3)
        job = answer["data"]["id"]
        self.repeated += tries > 1
        self.items[job] = items
        self.acknowledged[submission] = job

    def _control_all(self) -> None:
        while not self._stopping.wait(self._rng.uniform(0.3, 1.7) * CONTROL_EVERY):
            if not self.acknowledged:
                continue
            job = self._rng.choice(list(self.acknowledged.values())[-12:])
            self._control(job, self._rng.choices(["pause", "cancel"], [5, 1])[0])
            if (paused := patiently(self._paused)) and self._rng.random() < 0.6:
                self._control(self._rng.choice(paused), "resume")

    def _paused(self) -> list[str]:
        return list(Job.objects.filter(status=JobStatus.PAUSED).order_by("pk").values_list("pk", flat=True))

    def _control(self, job: str, action: str) -> None:
        """Once: what is not confirmed may have been done all the same."""
        status, answer = self._call("PUT", f"/v1/jobs/{job}/control", {"action": action})
        if status == 200:
            self.controls += 1
            if action == "cancel":
                self.cancelled.add(job)
        elif 400 <= status < 500 and status not in {409, 429}:
            self.faults.append(f"{action} was refused: {status} {answer}")

    def _call(self, method: str, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """0 when there was no whole answer."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        headers |= {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            said = json.loads(answer.read() or b"null")
        except (OSError, HTTPException, ValueError) as error:
            return 0, str(error)
        finally:
            connection.close()
        if answer.status < 500:
            self.answered.append(time.time())
        return answer.status, said
