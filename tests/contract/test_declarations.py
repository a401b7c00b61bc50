"""What the code says of itself: no view without a right, no address twice, no way past the gate."""

import pytest
from django.urls import resolve
from rest_framework.decorators import action

from ajansops.api.authentication import KeyAuthentication, SessionAuthentication
from ajansops.api.surface import surface_for
from ajansops.api.views import (
    AnyCaller,
    DeclaredPermission,
    Public,
    ReadViewSet,
    ResourceViewSet,
    SignedIn,
    SurfaceView,
    UnknownPath,
)
from ajansops.kit.permissions import STUDIO_SCOPES, Permission
from tests.contract.matrix import API, ROLES, ROWS, SCOPES, Row
from tests.contract.routes import ANY, Route, routes

ROUTES = [route for route in routes() if route.surface != "page"]
MARKERS = {Public, AnyCaller, SignedIn}
ROW = {row.key: row for row in ROWS}
# Of what is designed and not there yet: starting jobs of any kind, analytics, brands.
UNASKED = {Permission.ADD_JOB}
UNKNOWN_SCOPES = {"analytics:read"}
# Which marker the code has for what the matrix says; a scope is a Permission.
MEANT = {"ANY": AnyCaller, "SECRET": Public, "PUBLIC": Public, "NOTHING": Public}


def views() -> list[type[SurfaceView]]:
    """Every class there is, mounted or not."""

    def below(base: type) -> list[type]:
        return [view for child in base.__subclasses__() for view in (child, *below(child))]

    return [view for view in below(SurfaceView) if not view.__module__.startswith("tests.")]


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete"])
def test_a_handler_without_a_right_does_not_import(method):
    with pytest.raises(TypeError, match=f"Undeclared declares no right for: {method}"):
        type("Undeclared", (SurfaceView,), {method: lambda self, request: None})


def test_one_right_too_few_does_not_import():
    with pytest.raises(TypeError, match="for: post"):
        type("Half", (SurfaceView,), {"get": print, "post": print, "rights": {"get": Public}})


def test_a_handler_that_is_inherited_needs_a_right_too():
    with pytest.raises(TypeError, match="for: list, retrieve"):
        type("Inherited", (ReadViewSet,), {})


def test_an_extra_action_without_a_right_does_not_import():
    @action(detail=True, methods=["post"])
    def explode(self, request):
        """Undeclared."""

    with pytest.raises(TypeError, match="for: explode"):
        type("Extra", (ResourceViewSet,), {"explode": explode})


@pytest.mark.parametrize("view", views(), ids=lambda view: f"{view.__module__}.{view.__qualname__}")
def test_rights_are_permissions_or_markers(view):
    wrong = {
        name: right for name, right in view.rights.items() if not (isinstance(right, Permission) or right in MARKERS)
    }
    assert wrong == {}


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_a_route_passes_the_gate(route):
    """The usual permission and authentication; without the latter only what is public, or checks a secret itself."""
    view, row = route.view, ROW[route.key]
    assert view.permission_classes == [DeclaredPermission]
    if row.needs in {"PUBLIC", "SECRET", "NOTHING"}:
        assert view.authentication_classes == []
    else:
        assert view.authentication_classes == [KeyAuthentication, SessionAuthentication]
    assert {"get_permissions", "check_permissions", "dispatch"} & view.__dict__.keys() == set(), "goes its own way"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != ANY], ids=str)
def test_a_route_declares_what_the_matrix_says(route):
    row = ROW[route.key]
    actions = getattr(route.callback, "actions", None) or {}
    right = route.view.rights[actions.get(route.method.lower(), route.method.lower())]
    if row.scope:
        assert isinstance(right, Permission)
        assert right.scope == row.scope
    elif row.needs == "PERSON":
        assert right is SignedIn
    else:
        assert right is MEANT[row.needs]
    assert route.view.needs_workspace is not (row.least == "ANYBODY" or row.names_workspace) or row.needs in MEANT


def test_no_address_belongs_to_two_surfaces():
    owners: dict[str, set[str]] = {}
    for route in ROUTES:
        owners.setdefault(route.key[2], set()).add(route.surface)
    assert {address: names for address, names in owners.items() if len(names) > 1} == {}


def address(template: str) -> str:
    """One that Django can look up."""
    parts = ("12" if part.startswith("{") else part for part in template.split("/"))
    return "/".join(parts).replace(ANY, "nope/deeper")


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_an_address_leads_where_it_is_declared(route):
    """It is not shadowed by one before it, and an error before the view speaks the same words as the view."""
    path = address(route.template)
    assert resolve(path).func is route.callback
    assert surface_for(path).name == route.surface


def test_a_prefix_without_its_slash_is_not_a_page():
    for path in ("/api", "/api/v1", "/v1"):
        assert issubclass(resolve(path).func.cls, UnknownPath)


@pytest.mark.parametrize("path", ["/api/v1/nope", "/api/v1/sites/1/nope", "/v1/nope/x", "/api/nope", "/api/audit/nope"])
def test_whatever_is_not_there_ends_in_a_surface(path):
    assert issubclass(resolve(path).func.cls, SurfaceView)


def test_every_permission_is_asked_for_somewhere():
    """One that no route asks for is either dead or was forgotten."""
    asked = {right for view in views() for right in view.rights.values() if isinstance(right, Permission)}
    assert set(Permission) - asked == UNASKED


def test_the_matrix_knows_every_scope_and_no_other():
    assert {permission.scope for permission in Permission} == set(SCOPES) | {right.scope for right in UNASKED}
    assert set(STUDIO_SCOPES.values()) - set(SCOPES) == UNKNOWN_SCOPES


def test_a_row_reads_as_it_should():
    for row in API:
        assert isinstance(row, Row)
        assert row.least in {*ROLES, "ANYBODY", "-"}
        assert (row.least == "-") == (row.needs in {"PUBLIC", "SECRET", "NOTHING"})
        assert row.scope or row.needs in {"PUBLIC", "SECRET", "NOTHING", "ANY", "PERSON"}


def test_a_route_says_what_it_is():
    route = Route("core", "GET", "/api/v1/sites/{pk}", None)
    assert route.key == ("core", "GET", "/api/v1/sites/{}")
    assert str(route) == "core GET /api/v1/sites/{pk}"
