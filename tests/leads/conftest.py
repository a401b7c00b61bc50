"""Sites, actors, a directory on loopback, and small servers whose pages each test writes down."""

import threading

import pytest

from accounts.roles import Role, codenames
from ajansops.demo.server import LoopbackServer, text
from ajansops.demo.website import DemoDirectory
from ajansops.kit.actor import Actor
from leads.services.scrape import start_scrape
from sites.models import Site


class Pages(LoopbackServer):
    """Serves the given paths; `asked` is what was asked for, `together` the most requests at one moment.

    Every answer gives a second request 20 ms to come, so that those who may come together do.
    """

    def __init__(self, tree):
        self.asked, self.together, self._now, self._lock = [], 0, 0, threading.Lock()
        self._crowd = threading.Event()
        answers = {path: text(page) if isinstance(page, str) else page for path, page in tree.items()}
        super().__init__({path: self._counted(path, answer) for path, answer in answers.items()}, headers={})

    def _counted(self, path, answer):
        def counted(site):
            with self._lock:
                self.asked.append(path)
                self._now += 1
                self.together = max(self.together, self._now)
                if self._now > 1:
                    self._crowd.set()
            try:
                self._crowd.wait(0.02)
                return answer(site)
            finally:
                with self._lock:
                    self._now -= 1

        return counted


@pytest.fixture
def serve():
    """`serve({path: page})` is a running server, stopped after the test."""
    running = []

    def start(tree):
        running.append(Pages(tree).start())
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture(scope="module")
def directory():
    with DemoDirectory() as server:
        yield server.url


@pytest.fixture
def alice(people) -> Actor:
    return Actor(people.acme.pk, codenames(Role.OWNER), user_id=people.alice.pk)


@pytest.fixture
def site(people) -> Site:
    return Site.objects.create(workspace=people.acme, name="Lale", domain="lale.example")


@pytest.fixture
def foreign_site(people) -> Site:
    return Site.objects.create(workspace=people.other, name="Nergis", domain="nergis.example")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Retries come at once."""
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))


@pytest.fixture
def scrape(alice, site, work):
    """`scrape(url, …)` is the job, done."""

    def run(*urls, **options):
        job = start_scrape(alice, site, terms=urls, **options)
        work()
        job.refresh_from_db()
        return job

    return run
