"""Products of Acme, and a provider whose behaviour each test writes down."""

import pytest

from accounts.models import Workspace
from accounts.roles import Role, codenames
from ajansops.ai.contract import Tagged, TagTask, Usage, WriteTask, Written
from ajansops.kit.actor import Actor
from content.models import Product
from sites.models import Site


@pytest.fixture
def alice(people) -> Actor:
    return Actor(people.acme.pk, codenames(Role.OWNER), user_id=people.alice.pk)


@pytest.fixture
def bob(people) -> Actor:
    return Actor(people.acme.pk, codenames(Role.VIEWER), user_id=people.bob.pk)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch):
    """Retries come at once."""
    monkeypatch.setattr("jobs.outcomes.BACKOFF", (0, 0, 0))


@pytest.fixture
def make_product(db):
    """`make_product(workspace, "SKU-1", title=…)`."""

    def make(workspace: Workspace, sku: str = "SKU-1", **fields) -> Product:
        defaults = {
            "title": "Clay Plant Pot",
            "description": "<p>Classic blown clay pot for plants</p>",
            "categories": ["Outdoor"],
            "tags": ["pot"],
            "attributes": [["Vendor", "Company 123"], ["Size", "Regular, Large"], ["Price", "9.99"]],
        }
        return Product.objects.create(workspace=workspace, sku=sku, **(defaults | fields))

    return make


class Fake:
    """Writes what `answers` says, the last of them for ever."""

    name = "fake"

    def __init__(self) -> None:
        self.answers = ["A clay pot."]
        self.tasks: list[WriteTask] = []
        self.tag_tasks: list[TagTask] = []
        self.tags: tuple[str, ...] = ("clay", "Pot", "garden")
        self.closed = 0

    async def write(self, task: WriteTask) -> Written:
        self.tasks.append(task)
        answer = self.answers[min(len(self.tasks), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return Written(answer, Usage("fake-1", input_tokens=10, output_tokens=5))

    async def tag(self, task: TagTask) -> Tagged:
        self.tag_tasks.append(task)
        return Tagged(self.tags, Usage("fake-1", input_tokens=7))

    async def aclose(self) -> None:
        self.closed += 1


@pytest.fixture
def fake(monkeypatch) -> Fake:
    made = Fake()
    monkeypatch.setattr("jobs.providers.provider", lambda config, test_mode: made)
    return made


@pytest.fixture
def site(people) -> Site:
    """Acme's."""
    return Site.objects.create(workspace=people.acme, name="Shop", domain="shop.example.com")


@pytest.fixture
def their_site(people) -> Site:
    """Other's."""
    return Site.objects.create(workspace=people.other, name="Theirs", domain="theirs.example.com")
