"""Every message of the product: literals in Python and templates, docstrings of errors, tables of messages."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from django.apps import apps
from django.template import engines
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

from ajansops.api.errors import MESSAGES
from ajansops.api.views import ResourceViewSet
from ajansops.kit.errors import DomainError

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGES = ("ajansops", "accounts", "billing", "content", "jobs", "leads", "sites", "webhooks")
SINGULAR = {"gettext", "gettext_lazy", "gettext_noop", "_"}
PLURAL = {"ngettext", "ngettext_lazy"}
SKIPPED = {"migrations", "demo", "management"}  # terminals speak English


def all_messages() -> dict[str, str]:
    """From msgid to where it stands."""
    found: dict[str, str] = {}
    for pairs in (
        in_python(),
        in_templates(),
        in_errors(),
        in_nouns(),
        ((text, "MESSAGES") for text in MESSAGES.values()),
    ):
        for message, place in pairs:
            found.setdefault(message, place)
    return found


def in_python() -> Iterator[tuple[str, str]]:
    """First arguments of gettext and its kin; both of ngettext."""
    for path in _modules():
        yield from _in_module(path)


def _modules() -> list[Path]:
    paths = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return [path for path in paths if not SKIPPED & set(path.relative_to(ROOT).parts)]


def _in_module(path: Path) -> Iterator[tuple[str, str]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        wanted = 1 if name in SINGULAR else 2 if name in PLURAL else 0
        for argument in node.args[:wanted]:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def in_templates() -> Iterator[tuple[str, str]]:
    """`translate` and `blocktranslate`, as Django itself parses them."""
    folders = [ROOT / "ajansops" / "templates", *(Path(app.path) / "templates" for app in apps.get_app_configs())]
    for folder in folders:
        if not folder.is_relative_to(ROOT) or ".venv" in folder.parts:
            continue
        for path in sorted(file for file in folder.rglob("*") if file.is_file()):
            nodes = engines["django"].from_string(path.read_text("utf-8")).template.nodelist
            place = str(path.relative_to(ROOT))
            for node in nodes.get_nodes_by_type(TranslateNode):
                yield node.filter_expression.var.literal, place
            for node in nodes.get_nodes_by_type(BlockTranslateNode):
                yield node.render_token_list(node.singular)[0], place
                if node.plural:
                    yield node.render_token_list(node.plural)[0], place


def in_errors() -> Iterator[tuple[str, str]]:
    """The docstring of each error is what people read."""
    for path in _modules():
        import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    for error in sorted(errors(), key=lambda error: error.__qualname__):
        yield (error.__doc__ or "").strip(), f"{error.__module__}.{error.__qualname__}"


def in_nouns(view: type[ResourceViewSet] = ResourceViewSet) -> Iterator[tuple[str, str]]:
    """What "created successfully" is said of."""
    yield view.noun, f"{view.__module__}.{view.__qualname__}"
    for below in view.__subclasses__():
        yield from in_nouns(below)


def errors(kind: type[DomainError] = DomainError) -> set[type[DomainError]]:
    """All that are ours."""
    found = {kind} if kind.__module__.partition(".")[0] in PACKAGES else set()
    return found.union(*(errors(below) for below in kind.__subclasses__()))
