"""Sites of Alice's, and small websites on loopback that remember who asked for what."""

from collections import Counter
from contextlib import ExitStack

import pytest

from accounts.roles import Role, codenames
from ajansops.demo.server import LoopbackServer, Reply, text
from ajansops.kit.actor import Actor
from sites import services
from sites.models import Report, Site
from tests.conftest import Api


@pytest.fixture
def alice(people) -> Actor:
    return Actor(people.acme.pk, codenames(Role.OWNER), user_id=people.alice.pk)


@pytest.fixture
def charlie(people) -> Actor:
    return Actor(people.other.pk, codenames(Role.OWNER), user_id=people.charlie.pk)


@pytest.fixture
def site(alice) -> Site:
    return services.create_site(alice, name="Lale", domain="lale.example.org")


@pytest.fixture
def foreign(charlie) -> Site:
    return services.create_site(charlie, name="Foreign", domain="foreign.example.org")


@pytest.fixture
def viewer(people, key_for) -> Api:
    """A key of Bob's, who is a VIEWER of Alice's workspace."""
    return Api(key=key_for(people.acme, creator=people.bob))


@pytest.fixture
def scoped(people, key_for):
    """`scoped("sites:read")` is a client whose key has only that."""
    return lambda *scopes: Api(key=key_for(people.acme, *scopes))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Retries come at once."""
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))


class Website(LoopbackServer):
    """Serves a tree of answers or of HTML; `asked` counts the requests of each path that exists."""

    def __init__(self, tree, host: str = "127.0.0.1") -> None:
        self.asked: Counter[str] = Counter()
        super().__init__({path: self._counted(path, answer) for path, answer in tree.items()}, host, headers={})

    def _counted(self, path, answer):
        answer = text(answer) if isinstance(answer, str) else answer

        def reply(site: str) -> Reply:
            self.asked[path] += 1
            return answer(site)

        return reply

    @property
    def domain(self) -> str:
        return self.url.removeprefix("http://")


@pytest.fixture
def website():
    """`website({"/": "<a href='/x'>"})` answers until the test is over."""
    with ExitStack() as running:
        yield lambda tree, **options: running.enter_context(Website(tree, **options))


@pytest.fixture
def crawl(alice, work):
    """`crawl(website, max_pages=5)` is the job of a crawl that has ended, and its report, if there is one."""

    def run(server: LoopbackServer, **options):
        domain = server.url.removeprefix("http://")
        site = Site.objects.filter(domain=domain).first()
        site = site or services.create_site(alice, name="Crawled", domain=domain, crawl=options)
        job = services.start_audit(alice, site)
        work()
        job.refresh_from_db()
        return job, Report.objects.filter(job_id=job.pk).first()

    return run


def codes(report: Report, path: str | None = None) -> set[str]:
    """The codes of a report's issues, on one path or on all."""
    host = report.url.rstrip("/")
    return {issue.code for issue in report.issues.all() if path is None or issue.url == host + path}
