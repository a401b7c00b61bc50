"""No row of a gauge and no unit of a meter comes into being without its plan being asked.

What makes rows is found in the source, what spends units in the registry of runners. That those who ask also refuse, at
each door, is tested by tests/billing/test_doors.py.
"""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from inspect import getsource
from pathlib import Path
from textwrap import dedent

import pytest
from django.apps import apps
from django.contrib import admin

from ajansops.kit.entitlements import _COUNTERS, GAUGES, Feature
from ajansops.kit.runners import all_runners
from ajansops.kit.writer import Writer

ROOT = Path(__file__).parents[2]
PACKAGES = ("ajansops", "accounts", "billing", "content", "jobs", "leads", "sites", "webhooks")
GAUGED = {model for model in apps.get_models() if getattr(model, "gauge", None)}
CREATORS = frozenset({"create", "bulk_create", "get_or_create", "update_or_create"})
CREATORS |= {f"a{name}" for name in CREATORS}
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})

# Functions that make such a row and do not ask, each with the reason.
NOT_ASKING = {
    "accounts/services/members.py add_founder": "whoever founds a workspace needs no place in it",
    "accounts/services/api_keys.py create_api_key": "by an operator's command",
}
# Kinds of jobs that spend no unit, each with the reason.
FREE = {"import": "it makes products, and asks for each"}
# Rows of a model that the code does not name, SQL that makes rows, and what finds a model by its name.
UNNAMED = {
    "ajansops/kit/writer.py create": "asks for any model with a gauge",
    "accounts/models.py create_user": "of people, whom no plan limits",
}
RAW = {
    "ajansops/kit/counting.py": "numbers of rows",
    "content/bulk.py": "content_variant",
    "jobs/bulk.py": "jobs_jobitem",
}
BY_NAME = {"ajansops/kit/tenancy.py": "accounts.Workspace", "webhooks/querysets.py": "webhooks.Delivery"}
BOOKS = frozenset({"Usage", "Reservation", "LedgerEntry"})
WITHOUT_ROWS = {Feature.STORAGE: "bytes, of which nothing is stored yet"}


def makers(source: str, names: set[str]) -> dict[str, bool]:
    """The functions of a module that make a row of such a model, and whether they ask. Nested ones are the outer's."""
    tree = ast.parse(source)
    aliases = dict(_aliases(tree, names))
    return {
        getattr(part, "name", "at import"): _asks(part)
        for part in _parts(tree)
        if any(_makes(call, aliases) for call in ast.walk(part))
    }


def _aliases(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, str]]:
    """What they are called here."""
    yield from zip(names, names, strict=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname and alias.name in names)


def _parts(tree: ast.Module | ast.ClassDef) -> Iterator[ast.AST]:
    """Functions and methods, and what stands outside of them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef):
            yield from _parts(node)
        else:
            yield node


def _makes(node: ast.AST, aliases: dict[str, str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    *way, last = _path(node.func)
    if last in aliases:
        return True  # a constructor
    return last in CREATORS and any(step in aliases for step in way)


def unnamed(source: str) -> dict[str, bool]:
    """As `makers`, of whatever model a variable holds: `model(…)`, `self.model.objects.create(…)`."""
    tree = ast.parse(source)
    return {
        getattr(part, "name", "at import"): _asks(part)
        for part in _parts(tree)
        if any(_makes_unnamed(call) for call in ast.walk(part))
    }


def _makes_unnamed(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Call) and _path(node.func)[-1] == "type":
        return True  # type(row)(…)
    *way, last = _path(node.func)
    if last == "model":
        return True
    managed = [place for place, step in enumerate(way) if step in MANAGERS]
    return last in CREATORS and any(place == 0 or not way[place - 1][:1].isupper() for place in managed)


def _path(node: ast.AST) -> list[str]:
    """`models.Post.objects.filter(…).create` as its names."""
    match node:
        case ast.Attribute(value, attr):
            return [*_path(value), attr]
        case ast.Call(func):
            return _path(func)
        case ast.Name(name):
            return [name]
    return [""]


def _asks(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and _path(node.func)[-1] == "admit" for node in ast.walk(function))


def modules() -> Iterator[tuple[str, str]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text()


def found(names: set[str]) -> dict[str, bool]:
    return {f"{name} {made}": asks for name, text in modules() for made, asks in makers(text, names).items()}


def test_whatever_makes_a_row_of_a_gauge_asks_or_says_why_not():
    relations = {field.related_query_name() for model in GAUGED for field in _tenant_keys(model)} - {"+"}
    made = found({model.__name__ for model in GAUGED} | relations)
    assert {name for name, asks in made.items() if not asks} == NOT_ASKING.keys()
    assert {name.partition(" ")[0] for name, asks in made.items() if asks} == {
        "accounts/services/api_keys.py",
        "accounts/services/invitations.py",
        "content/services/imports.py",
        "content/services/products.py",
        "sites/services.py",
    }


def _tenant_keys(model):
    return [field for field in model._meta.concrete_fields if field.is_relation and not field.remote_field.hidden]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f():\n    Post.objects.create(title='')", {"f": False}),
        ("async def f():\n    await Post.objects.acreate(title='')", {"f": False}),
        ("def f():\n    Post(title='').save()", {"f": False}),
        ("def f():\n    models.Post.objects.filter(a=1).get_or_create(b=2)", {"f": False}),
        ("from content.models import Post as P\ndef f():\n    P.objects.bulk_create([])", {"f": False}),
        ("def f():\n    workspace.memberships.create(user=user)", {"f": False}),
        ("class A:\n    def f(self):\n        def g():\n            Post()\n        return g", {"f": False}),
        ("make = lambda: Post()", {"at import": False}),
        ("class A:\n    made = Post.objects.create()", {"at import": False}),
        ("def f():\n    admit(actor, POSTS)\n    Post()", {"f": True}),
        ("def f():\n    entitlements().admit(1, POSTS)\n    Post()", {"f": True}),
        ("def f():\n    return Post.objects.filter(create=1)", {}),
        ("def f():\n    Postcard.objects.create()", {}),
    ],
)
def test_the_scan_sees_every_way_to_make_a_row(source, expected):
    """The positive control: a new service that asks nobody is found."""
    assert makers(source, {"Post", "memberships"}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(model):\n    model.objects.create(a=1)", {"f": False}),
        ("class A:\n    def f(self):\n        self.model(a=1).save()", {"f": False}),
        ("def f(row):\n    type(row)(a=1).save()", {"f": False}),
        ("def f(model):\n    admit(actor, model.gauge)\n    model(a=1).save()", {"f": True}),
        ("def f():\n    Post.objects.create(a=1)", {}),
        ("def f(model):\n    return model.objects.filter(a=1)", {}),
    ],
)
def test_the_scan_sees_rows_of_models_that_are_not_named(source, expected):
    assert unnamed(source) == expected


def test_rows_of_models_that_are_not_named_are_made_in_one_place_that_asks():
    made = {f"{name} {place}": asks for name, text in modules() for place, asks in unnamed(text).items()}
    assert made.keys() == UNNAMED.keys()
    assert made["ajansops/kit/writer.py create"]


def test_sql_makes_no_row_of_a_gauge():
    inserting = re.compile(r"\b((?i:insert\s+(or\s+\w+\s+)?into|merge\s+into)|COPY)\s")
    texts = {name: text for name, text in modules() if inserting.search(text)}
    assert texts.keys() == RAW.keys()
    tables = {model._meta.db_table for model in GAUGED} | {f"billing_{name.lower()}" for name in BOOKS}
    assert not [(name, table) for name, text in texts.items() for table in tables if re.search(rf"\b{table}\b", text)]


def test_no_row_is_copied_brought_back_or_loaded():
    """`row.pk = None` makes another of the next save; `get_model` and fixtures hide which model it is."""
    copying = re.compile(r"\.(pk|id) = None|_state\.adding = |serializers\.deserialize|loaddata")
    assert not [name for name, text in modules() if copying.search(text)]
    by_name = {
        name: set(re.findall(r"get_model\(\"([\w.]+)\"", text)) for name, text in modules() if "get_model(" in text
    }
    assert by_name == {name: {model} for name, model in BY_NAME.items()}


def test_the_admin_adds_no_row_of_a_gauge_inside_another_row(people, rf):
    request = rf.get("/admin/")
    request.user = people.alice
    people.alice.is_superuser = True
    inside = [(page, one) for page in admin.site._registry.values() for one in page.get_inline_instances(request)]
    assert inside
    assert not [one for _, one in inside if one.model in GAUGED and one.has_add_permission(request, None)]


def test_the_books_are_written_in_one_place():
    """Nobody else counts units, or takes back what was counted."""
    importing = {
        name
        for name, text in modules()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.ImportFrom) and node.module == "billing.models"
        if BOOKS & {alias.name for alias in node.names}
    }
    assert importing == {"billing/ledger.py", "billing/folding.py"}
    assert found({"Reservation", "LedgerEntry"}).keys() == {
        *(f"billing/ledger.py {name}" for name in ("_charge", "_entry", "_give_back", "add_to_line", "settle")),
    }


def test_every_gauge_has_rows_and_a_counter():
    assert {model.gauge for model in GAUGED} | WITHOUT_ROWS.keys() == GAUGES
    assert _COUNTERS.keys() | WITHOUT_ROWS.keys() == GAUGES


def test_every_writer_of_such_rows_makes_them_as_all_do():
    """`Writer.create` asks; one that overrides it ends there."""
    names = [name.removesuffix(".py").replace("/", ".") for name, text in modules() if "Writer(" in text]
    writers = {one for name in names for one in vars(import_module(name)).values() if isinstance(one, Writer)}
    gauged = [one for one in writers if one.model.gauge]
    assert {one.model.gauge for one in gauged} == {Feature.AGENTS, Feature.POSTS, Feature.WEBHOOKS}
    assert all(one.__class__.create is Writer.create or ends_in_writers(one) for one in gauged)


def ends_in_writers(one: Writer) -> bool:
    *_, last = ast.parse(dedent(getsource(one.__class__.create))).body[0].body
    return ast.unparse(last) == "return super().create(actor, **fields)"


def test_every_runner_has_a_feature_or_says_why_not():
    assert {one.kind for one in all_runners() if one.feature is None} == FREE.keys()


def test_jobs_are_made_where_their_units_are_reserved():
    assert found({"Job"}).keys() == {"jobs/services.py _create"}


def test_large_jobs_are_of_kinds_that_spend_nothing():
    """They begin in many transactions, and reserve nothing."""
    starting = {name for name, text in modules() if "start_large_job(" in text}
    assert starting == {"jobs/services.py", "content/services/imports.py"}
