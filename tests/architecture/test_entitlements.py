"""No row of a gauge and no unit of a meter comes into being without its plan being asked.

What makes rows is found in the source, what spends units in the registry of runners. That those who ask also refuse, at
each door, is tested by tests/billing/test_doors.py.
"""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps

from ajansops.kit.entitlements import _COUNTERS, GAUGES, Feature
from ajansops.kit.runners import all_runners
from ajansops.kit.writer import Writer

ROOT = Path(__file__).parents[2]
PACKAGES = ("ajansops", "accounts", "billing", "content", "jobs", "leads", "sites", "webhooks")
GAUGED = {model for model in apps.get_models() if getattr(model, "gauge", None)}
CREATORS = frozenset({"create", "bulk_create", "get_or_create", "update_or_create"})
CREATORS |= {f"a{name}" for name in CREATORS}

# Functions that make such a row and do not ask, each with the reason.
NOT_ASKING = {
    "accounts/services/members.py add_founder": "whoever founds a workspace needs no place in it",
    "accounts/services/api_keys.py create_api_key": "by an operator's command",
    "accounts/services/api_keys.py rotate_api_key": "the new key takes the old one's place",
}
# Kinds of jobs that spend no unit, each with the reason.
FREE = {"import": "it makes products, and asks for each"}
WITHOUT_ROWS = {Feature.STORAGE: "bytes, of which nothing is stored yet"}


def makers(source: str, names: set[str]) -> dict[str, bool]:
    """The functions of a module that make a row of such a model, and whether they ask. Nested ones are the outer's."""
    tree = ast.parse(source)
    aliases = dict(_aliases(tree, names))
    return {
        function.name: _asks(function)
        for function in _functions(tree)
        if any(_makes(call, aliases) for call in ast.walk(function))
    }


def _aliases(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, str]]:
    """What they are called here."""
    yield from zip(names, names, strict=True)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((alias.asname, alias.name) for alias in node.names if alias.asname and alias.name in names)


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.Module]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node)


def _makes(node: ast.AST, aliases: dict[str, str]) -> bool:
    if not isinstance(node, ast.Call):
        return False
    *way, last = _path(node.func)
    if last in aliases:
        return True  # a constructor
    return last in CREATORS and any(step in aliases for step in way)


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
        ("def f():\n    admit(actor, POSTS)\n    Post()", {"f": True}),
        ("def f():\n    entitlements().admit(1, POSTS)\n    Post()", {"f": True}),
        ("def f():\n    return Post.objects.filter(create=1)", {}),
        ("def f():\n    Postcard.objects.create()", {}),
    ],
)
def test_the_scan_sees_every_way_to_make_a_row(source, expected):
    """The positive control: a new service that asks nobody is found."""
    assert makers(source, {"Post", "memberships"}) == expected


def test_every_gauge_has_rows_and_a_counter():
    assert {model.gauge for model in GAUGED} | WITHOUT_ROWS.keys() == GAUGES
    assert _COUNTERS.keys() | WITHOUT_ROWS.keys() == GAUGES


def test_every_writer_of_such_rows_makes_them_as_all_do():
    """`Writer.create` asks; one that overrides it would have to."""
    names = [name.removesuffix(".py").replace("/", ".") for name, text in modules() if "Writer(" in text]
    writers = {one for name in names for one in vars(import_module(name)).values() if isinstance(one, Writer)}
    gauged = [one for one in writers if one.model.gauge]
    assert {one.model.gauge for one in gauged} == {Feature.AGENTS, Feature.POSTS, Feature.WEBHOOKS}
    assert all(type(one).create is Writer.create for one in gauged)


def test_every_runner_has_a_feature_or_says_why_not():
    assert {one.kind for one in all_runners() if one.feature is None} == FREE.keys()


def test_jobs_are_made_where_their_units_are_reserved():
    assert found({"Job"}).keys() == {"jobs/services.py _create"}


def test_large_jobs_are_of_kinds_that_spend_nothing():
    """They begin in many transactions, and reserve nothing."""
    starting = {name for name, text in modules() if "start_large_job(" in text}
    assert starting == {"jobs/services.py", "content/services/imports.py"}
