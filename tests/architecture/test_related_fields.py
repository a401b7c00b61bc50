"""Ids in bodies are looked up among what the caller sees: by one kind of field, in every body there is."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import get_resolver
from django.urls.resolvers import URLPattern
from rest_framework import serializers

from accounts.roles import APPS
from ajansops.api.fields import WorkspaceRelatedField, WorkspaceRelatedIds
from ajansops.api.serializers import Body
from ajansops.api.views import SurfaceView
from content.api.posts import PostBody, PostChange
from content.api.serializers import GenerateBody
from content.models import Product
from leads.api.serializers import LeadBody, LeadScrapeBody
from sites.api.serializers import SeoScrapeBody
from sites.models import Site

ROOT = Path(settings.BASE_DIR)
UNSCOPED = (
    serializers.PrimaryKeyRelatedField,
    serializers.SlugRelatedField,
    serializers.HyperlinkedRelatedField,
    serializers.ManyRelatedField,
)
OURS = (WorkspaceRelatedField, WorkspaceRelatedIds)
ID = re.compile(r"(^|_)ids?$|Ids?$")
# Fields of bodies that are called an id and name no row of a tenant, with the reason.
NO_ROWS = {
    "sites.api.audit_serializers.AnomalyBody.entityId": "a text: what the caller calls its own",
    "accounts.api.studio.KeyBody.workspaceId": "the caller's own tenant, 404 when it is another",
    "accounts.api.studio.LoginBody.workspaceId": "compared with the key's own tenant before there is a caller: 401",
    "billing.api.serializers.PortalBody.customerId": "Stripe's: compared with the workspace's own, 403 for any other",
    "content.api.studio.StudioBody.workspace_id": "selects the tenant itself, 404 when it is not the caller's",
    "leads.api.serializers.LeadBody.external_id": "a text: the company's id where it was found",
}


def api_modules():
    """Every module of every app's API, imported."""
    files = sorted(path for app in APPS for path in (ROOT / app / "api").rglob("*.py"))
    return [import_module(".".join(path.relative_to(ROOT).with_suffix("").parts)) for path in files]


def subclasses(kind):
    """All of them, at any depth."""
    return {kind} | {found for child in kind.__subclasses__() for found in subclasses(child)}


MODULES = api_modules()
NAMES = {module.__name__ for module in MODULES}
SERIALIZERS = sorted(
    (kind for kind in subclasses(serializers.Serializer) if kind.__module__ in NAMES),
    key=lambda kind: (kind.__module__, kind.__qualname__),
)
BODIES = [kind for kind in SERIALIZERS if issubclass(kind, Body)]


def shown(kind) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def fields_of(serializer, path=""):
    """Every field at every depth, with the class that declares it and its path."""
    for name, field in serializer.fields.items():
        yield from _field(type(serializer), f"{path}{name}", field)


def _field(owner, path, field):
    yield owner, path, field
    if isinstance(field, serializers.ListSerializer | serializers.ListField | serializers.DictField):
        yield from _field(owner, f"{path}[]", field.child)
    elif isinstance(field, serializers.BaseSerializer):
        yield from fields_of(field, f"{path}.")


def unscoped(kind) -> list[str]:
    """Fields that would look an id up among the rows of everybody."""
    return [path for _, path, field in fields_of(kind()) if isinstance(field, UNSCOPED)]


def unlooked(kind) -> list[str]:
    """Ids of a body that are taken as they come."""
    return [
        path
        for owner, path, field in fields_of(kind())
        if ID.search(path.removesuffix("[]"))
        and not isinstance(field, OURS)
        and not any(f"{shown(base)}.{path.rpartition('.')[2]}" in NO_ROWS for base in owner.__mro__)
    ]


@pytest.mark.parametrize("kind", SERIALIZERS, ids=shown)
def test_no_serializer_looks_among_everybodys_rows(kind):
    assert unscoped(kind) == []


@pytest.mark.parametrize("kind", BODIES, ids=shown)
def test_every_id_in_a_body_is_looked_up_among_the_callers(kind):
    assert unlooked(kind) == []


def test_the_allow_list_names_what_is_there():
    known = {f"{shown(kind)}.{name}" for kind in SERIALIZERS for name in kind._declared_fields}
    assert NO_ROWS.keys() <= known


class Wrong(Body):
    """What the scans are there to find."""

    site = serializers.PrimaryKeyRelatedField(queryset=Site.objects.all())
    sites = serializers.ListField(child=serializers.SlugRelatedField(slug_field="name", queryset=Site.objects.all()))
    site_id = serializers.IntegerField()
    siteIds = serializers.ListField(child=serializers.IntegerField())  # noqa: N815
    id = serializers.CharField()
    valid = serializers.CharField()
    right_id = WorkspaceRelatedField(Site)


def test_the_scans_find_what_is_wrong():
    assert unscoped(Wrong) == ["site", "sites[]"]
    assert unlooked(Wrong) == ["site_id", "siteIds", "siteIds[]", "id"]


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (GenerateBody, {"product_ids", "persona_ids", "audience_ids", "special_day_ids"}),
        (LeadBody, {"site_id", "owner_id"}),
        (LeadScrapeBody, {"site_id"}),
        (PostBody, {"site_id", "author_id"}),
        (PostChange, {"site_id", "author_id"}),
        (SeoScrapeBody, {"site_id"}),
    ],
)
def test_the_bodies_that_name_rows(kind, names):
    assert {name for name, field in kind().fields.items() if isinstance(field, OURS)} == names


# --- that bodies are what views parse -------------------------------------------------------------


def views(patterns):
    """The view classes of the URLconf."""
    for entry in patterns:
        if isinstance(entry, URLPattern):
            kind = getattr(entry.callback, "cls", None) or getattr(entry.callback, "view_class", None)
            if kind is not None and issubclass(kind, SurfaceView):
                yield kind
        else:
            yield from views(entry.url_patterns)


VIEWS = sorted(set(views(get_resolver().url_patterns)), key=shown)


def parsed(module) -> list[type]:
    """What the views of a module give to `self.parsed` by name."""
    return [
        getattr(module, node.args[0].id)
        for node in ast.walk(ast.parse(Path(module.__file__).read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "parsed"
        and isinstance(node.args[0], ast.Name)
    ]


@pytest.mark.parametrize("view", VIEWS, ids=shown)
def test_a_view_declares_bodies(view):
    declared = [getattr(view, name, None) for name in ("input", "change_input", "body")]
    forms = [kind for kind in declared if isinstance(kind, type)]  # others are by media type, for the schema
    assert [shown(kind) for kind in forms if not issubclass(kind, Body)] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_a_view_parses_bodies(module):
    assert [shown(kind) for kind in parsed(module) if not issubclass(kind, Body)] == []


def test_the_walk_sees_the_views_and_what_they_parse():
    by_name = {view.__name__: view for view in VIEWS}
    assert by_name["SiteViewSet"].input.__name__ == "SiteBody"
    assert by_name["GenerateTitle"].body.__name__ == "TitleBody"
    assert GenerateBody in parsed(import_module("content.api.core"))
    assert SeoScrapeBody in parsed(import_module("sites.api.core"))


# --- from outside ---------------------------------------------------------------------------------

NONSENSE = [2**63 - 1, -1, 0, "٣", "abc", "", "prod_", True, 1.5, {"id": 1}, [[1]], "9" * 40]


@pytest.fixture
def product(people):
    return Product.objects.create(workspace=people.acme, sku="A", title="A")


@pytest.mark.parametrize("value", NONSENSE, ids=lambda value: repr(value)[:20])
@pytest.mark.parametrize("name", ["product_ids", "persona_ids", "audience_ids", "special_day_ids"])
def test_no_id_is_a_fault_of_ours(acme, product, name, value):
    core = acme.post("/api/v1/content/generate", {"content_types": ["title"], name: [product.pk, value]})
    assert core.status_code == 422
    assert core.json()["errors"][f"{name}.1"] == ["Does not exist."]
    assert acme.post("/v1/content/generate-title", {name: [value]}).status_code == 400
