"""Every door through which a row of a gauge is made or a unit of a meter spent: it is open until the limit and not
beyond, says so in its surface's words, and leaves nothing behind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin

from accounts.models import ApiKey, Invitation
from accounts.roles import APPS
from ajansops.kit.entitlements import GAUGES, METERS, Feature, counted
from billing.ledger import used_of
from content.models import Post, Product
from jobs.models import Agent
from sites.models import Site
from tests.accounts.test_admin import address, post, staff
from tests.conftest import Api
from tests.contract.matrix import API
from tests.sites.test_audit import context

MESSAGE = "You have reached your limit for this feature."


@dataclass
class World:
    """Acme with what a door needs."""

    workspace: Any
    api: Api  # a key
    admin: Api  # Alice, who is staff and owner
    sites: list[Site]


@pytest.fixture
def world(people, acme, monkeypatch):
    monkeypatch.setattr("sites.api.insight.AuditRunView.by_address", None)
    Product.objects.create(workspace=people.acme, sku="SKU-1", title="Clay pot")
    sites = [Site.objects.create(workspace=people.acme, name=f"S{n}", domain=f"s{n}.example.com") for n in range(2)]
    return World(people.acme, acme, staff(people.alice), sites)


Call = Callable[[World, int], Any]


@dataclass(frozen=True)
class Door:
    """`call(world, n)` knocks for the n-th time, and each time it is `units` of the feature."""

    feature: Feature
    surface: str
    place: str  # an address, or a model of the admin
    call: Call
    units: int = 1

    def __str__(self) -> str:
        return f"{self.feature} {self.surface} {self.place}"


def door(feature: Feature, surface: str, path: str, body: Call, units: int = 1, **headers: str) -> Door:
    return Door(feature, surface, path, lambda world, n: world.api.post(path, body(world, n), **headers), units)


def form(feature: Feature, model: type, fields: Call) -> Door:
    """The admin's page that adds one."""

    def call(world: World, n: int) -> Any:
        return post(world.admin, address(model, "add"), workspace=world.workspace.pk, **fields(world, n))

    return Door(feature, "admin", model._meta.label, call)


def crawls_a_site(world: World, n: int) -> Any:
    fields = {"action": "audit", "_selected_action": [world.sites[n].pk]}
    return world.admin.client.post(address(Site, "changelist"), fields, follow=True)


def site(w: World, n: int) -> Any:
    return {"name": "N", "domain": f"n{n}.example.com"}


def guest(w: World, n: int) -> Any:
    return {"email": f"p{n}@example.org", "role": "EDITOR"}


def key(w: World, n: int) -> Any:
    return {"name": f"K{n}"}


def agent(w: World, n: int) -> Any:
    return {"name": f"A{n}", "instructions": "Do."}


def scrape(name: str) -> Call:
    return lambda w, n: {name: w.sites[n].pk, "terms": ["https://example.com"], "limit": 7}


def nothing(w: World, n: int) -> Any:
    return {}


F = Feature
DOORS = [
    door(F.SITES, "core", "/api/v1/sites", site),
    door(F.SITES, "app", "/api/sites", site),
    door(F.POSTS, "core", "/api/v1/posts", lambda w, n: {"site_id": w.sites[0].pk, "title": f"T{n}"}),
    form(F.POSTS, Post, lambda w, n: {"site": w.sites[0].pk, "title": f"T{n}", "tags": "[]"}),
    door(F.PRODUCTS, "core", "/api/v1/products", lambda w, n: {"sku": f"N{n}", "title": "T"}),
    door(F.MEMBERS, "core", "/api/v1/invitations", guest),
    door(F.MEMBERS, "app", "/api/users/invite", guest),
    form(F.MEMBERS, Invitation, lambda w, n: guest(w, n) | {"name": ""}),
    door(F.API_KEYS, "core", "/api/v1/api-keys", key),
    door(F.API_KEYS, "studio", "/v1/api-keys", key),
    form(F.API_KEYS, ApiKey, lambda w, n: key(w, n) | {"scopes": "sites:read"}),
    door(F.WEBHOOKS, "core", "/api/v1/webhooks", lambda w, n: {"url": f"https://example.com/{n}", "events": ["*"]}),
    door(F.AGENTS, "core", "/api/v1/agents", agent),
    form(F.AGENTS, Agent, lambda w, n: agent(w, n) | {"tools": "[]", "schedule": ""}),
    door(F.LEAD_SCRAPES, "core", "/api/v1/leads/scrape", scrape("site_id"), 7),
    door(F.LEAD_SCRAPES, "app", "/api/leads/scrape", scrape("siteId"), 7),
    door(F.SEO_SCRAPES, "core", "/api/v1/seo/scrape", lambda w, n: {"site_id": w.sites[n].pk}),
    door(F.SEO_SCRAPES, "app", "/api/seo/scrape", lambda w, n: {"siteId": w.sites[n].pk}),
    Door(F.SEO_SCRAPES, "admin", "an action on sites.Site", crawls_a_site),
    door(F.AUDITS, "insight", "/api/audit/run", lambda w, n: context()),
    door(F.AUDITS, "insight", "/api/audit/run", lambda w, n: context(), prefer="respond-async"),
    door(F.GENERATIONS, "core", "/api/v1/content/generate", lambda w, n: {"content_types": ["title"]}),
    door(F.GENERATIONS, "studio", "/v1/content/generate", nothing),
    door(F.GENERATIONS, "studio", "/v1/content/generate-title", nothing),
    door(F.GENERATIONS, "studio", "/v1/content/generate-google-feed", nothing),
    door(F.GENERATIONS, "studio", "/v1/tags/generate", nothing),
]
# What makes or starts something, and is no door of a feature.
UNCOUNTED = {
    "/api/v1/workspaces": "a workspace has a plan of its own",
    "/api/v1/api-keys/revoke-leaked": "it ends one",
    "/api/v1/products/import": "its items ask, each for its product: tests/content/test_import_limits.py",
    "/api/v1/webhooks/{webhook}/replay": "events that were counted when they happened, if at all",
    "/api/v1/webhooks/{webhook}/deliveries/{delivery}/redeliver": "the same",
    "/api/v1/leads": "written by hand; a unit is a lead that a scrape keeps",
    "/api/v1/email-templates": "no plan limits them",
    "/api/v1/personas": "no plan limits them",
    "/api/v1/audiences": "no plan limits them",
    "/api/v1/special-days": "no plan limits them",
    "/api/v1/brands": "no plan limits them",
    "/api/v1/seo/report": "somebody else's measurement; a unit is a run of ours",
}
OPEN = {"core": {201, 202}, "app": {201, 202}, "studio": {201, 202}, "insight": {200, 202}, "admin": {200, 302}}
NOT_BUILT = {
    Feature.STORAGE: "nothing stores files",
    Feature.EMAILS: "nothing sends mails of a workspace",
    Feature.API_CALLS: "every route is its door: tests/billing/test_calls.py",
    Feature.PIXEL_EVENTS: "there is no pixel",
    Feature.MCP_CALLS: "there is no MCP server",
}


def used(world: World, feature: Feature) -> int:
    return counted(world.workspace.pk, feature) if feature in GAUGES else used_of(world.workspace.pk, feature)


def rows() -> dict[str, int]:
    return {m._meta.label: m._base_manager.count() for m in apps.get_models() if m._meta.app_label in APPS}


def check_refusal(world: World, door: Door, answer: Any) -> None:
    """In the surface's words."""
    if door.surface == "admin":
        assert answer.status_code == 200
        assert MESSAGE in answer.content.decode()
        return
    body, feature = answer.json(), door.feature.value
    meter = door.feature in METERS
    match door.surface:
        case "core" | "insight":
            assert answer.status_code == 403
            url = body.pop("upgrade_url")
            assert body == {"error": "feature_limit_reached", "message": MESSAGE, "feature": feature}
        case "app":
            assert answer.status_code == (429 if meter else 403)
            url = body.pop("upgradeUrl")
            title = "Too Many Requests" if meter else "Forbidden"
            assert body == {
                "error": title,
                "code": "feature_limit_reached",
                "message": MESSAGE,
                "feature": feature,
            }
        case "studio":
            assert answer.status_code == 403
            error = body["error"]
            url = error["upgrade_url"]
            assert (error["code"], error["message"], error["feature"]) == ("FEATURE_LIMIT_REACHED", MESSAGE, feature)
    assert url.startswith("http")
    assert str(world.workspace.pk) in url
    assert ("Retry-After" in answer) is meter
    if meter:
        assert 0 < int(answer["Retry-After"]) <= 31 * 86400


@pytest.mark.parametrize("door", DOORS, ids=str)
def test_a_door_is_open_until_the_limit_and_not_beyond(world, limit, door):
    before = used(world, door.feature)
    limit(door.feature, before + 2 * door.units - 1)
    answer = door.call(world, 0)
    assert answer.status_code in OPEN[door.surface], answer.content.decode()
    assert used(world, door.feature) == before + door.units
    if door.units == 1:
        limit(door.feature, before + 1)
    behind = rows()
    check_refusal(world, door, door.call(world, 1))
    assert rows() == behind, "nothing was made"
    assert used(world, door.feature) == before + door.units
    limit(door.feature, before + 2 * door.units)
    assert door.call(world, 1).status_code in OPEN[door.surface]
    assert used(world, door.feature) == before + 2 * door.units


def test_every_feature_has_a_door_or_is_not_built():
    assert {door.feature for door in DOORS}.isdisjoint(NOT_BUILT)
    assert {door.feature for door in DOORS} | NOT_BUILT.keys() == GAUGES | METERS


def test_every_route_that_makes_or_starts_something_is_a_door_or_says_why_not():
    making = {row.template for row in API if row.method == "POST" and row.status in {201, 202}}
    assert making - {door.place for door in DOORS} == UNCOUNTED.keys()


def test_every_page_of_the_admin_that_adds_a_row_of_a_gauge_is_a_door(people, rf):
    request = rf.get("/admin/")
    request.user = staff(people.alice, is_superuser=True) and people.alice
    pages = {model: page for model, page in admin.site._registry.items() if getattr(model, "gauge", None)}
    adding = {model._meta.label for model, page in pages.items() if page.has_add_permission(request)}
    assert adding == {door.place for door in DOORS if door.surface == "admin"} & {m._meta.label for m in pages}
    assert len(adding) == 4
