"""The admin below its pages: what lists, filters, searches, forms and logs say to staff is of their workspaces only.

Every text of Acme's rows holds ACME and every text of Other's holds OTHER, or their first
four letters where a column is short, so a page that shows a foreign one shows it.
"""

import json
import re
from dataclasses import dataclass

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.cache import cache
from django.test import RequestFactory

from accounts.models import Activity, ApiKey, Invitation, Membership, User, Workspace
from accounts.roles import APPS, Role
from accounts.tenant_admin import OwnValues, TenantAdmin
from ajansops.kit.clock import now
from ajansops.kit.tenancy import Tenancy
from billing.models import Boost, Invoice, Notice, Purchase, Subscription
from content.models import Audience, Brand, Persona, Post, Product, SpecialDay, Variant, VariantRevision
from jobs.models import Agent, Job, JobItem
from leads.models import EmailTemplate, Lead, LeadIdentity
from sites.models import Audit, Chat, CrawledPage, Insight, Issue, Report, Site
from tests.accounts.test_admin import address, post, staff
from webhooks.models import Delivery, Endpoint, Event

ACME, OTHER = "acmemark", "zeusmark"
PAGES = {
    model: page
    for model, page in admin.site._registry.items()
    if model._meta.app_label in APPS and model.tenancy is not Tenancy.GLOBAL
}


def fill(workspace, mark: str) -> dict[type, object]:
    """A row of every kind, the mark in each of its texts."""
    url, in_it = f"https://{mark}.example.com/", {"workspace": workspace}
    Workspace.objects.filter(pk=workspace.pk).update(name=f"Agency {mark}")
    key = ApiKey.objects.create(
        **in_it, name=f"Key {mark}", public_id=mark[:8], prefix=f"sk_{mark[:5]}", digest="0" * 64
    )
    site = Site.objects.create(**in_it, name=f"Site {mark}", domain=f"{mark}.example.com", tech_stack=mark)
    job = Job.objects.create(
        **in_it, id=f"job_{mark}", kind=f"kind_{mark}", subject=mark, configuration={"for": mark}, api_key=key
    )
    report = Report.objects.create(**in_it, site=site, url=url, subject=mark, source="api", job_id=f"r_{mark}")
    product = Product.objects.create(**in_it, sku=f"SKU-{mark}", title=f"Product {mark}", tags=[mark])
    readers = {
        "persona": Persona.objects.create(**in_it, name=f"Persona {mark}"),
        "audience": Audience.objects.create(**in_it, name=f"Audience {mark}"),
        "special_day": SpecialDay.objects.create(**in_it, name=f"Day {mark}"),
    }
    variant = Variant.objects.create(
        **in_it, **readers, product=product, content_type="title", language=mark[:5], body=f"Text {mark}", provider=mark
    )
    VariantRevision.objects.create(variant=variant, body=f"Old {mark}", provider=mark, job_id=job.pk)
    audit = Audit.objects.create(
        **in_it, site=site, account=f"Account {mark}", mode=mark, executive_summary=mark, account_health_score=80
    )
    lead = Lead.objects.create(**in_it, site=site, company=f"Lead {mark}", source="website", website=url)
    made = [
        Workspace.objects.get(pk=workspace.pk),
        key,
        site,
        job,
        JobItem.objects.create(job=job, key=f"item {mark}", error={"message": mark}, state="failed"),
        report,
        Issue.objects.create(report=report, url=url, code=f"code_{mark}", severity="error", element=mark),
        CrawledPage.objects.create(job=job, url=url, depth=1, status=200, error=mark, facts={"title": mark}),
        audit,
        Insight.objects.create(
            **in_it,
            audit=audit,
            entity_id=mark,
            entity_name=mark,
            severity="high",
            title=mark,
            body=mark,
            metric=mark,
            value=1,
        ),
        Chat.objects.create(**in_it, mode=mark, model=mark),
        product,
        *readers.values(),
        variant,
        lead,
        LeadIdentity.objects.create(**in_it, lead=lead, kind="email", value=f"info@{mark}.example.com"),
        EmailTemplate.objects.create(**in_it, name=f"Template {mark}", subject=mark, html=f"<p>{mark}</p>"),
        Agent.objects.create(**in_it, name=f"Agent {mark}", instructions=mark, tools=[f"{mark}_list"]),
        *hooks(in_it, mark, url),
        Brand.objects.create(**in_it, name=f"Brand {mark}", voice=mark),
        Post.objects.create(**in_it, site=site, title=f"Post {mark}", slug=mark, body=mark, html=mark, tags=[mark]),
        *billed(in_it, mark),
        Membership.objects.get(workspace=workspace, role=Role.OWNER),
        Invitation.objects.create(
            **in_it, email=f"guest@{mark}.org", name=f"Guest {mark}", role=Role.VIEWER, expires_at=now()
        ),
        Activity.objects.create(
            **in_it, seq=1000, action=f"made.{mark}", via="command", object_type=mark, object_id=mark, created_at=now()
        ),
    ]
    return {type(row): row for row in made}


def billed(in_it, mark: str) -> list:
    Subscription.objects.filter(**in_it).update(customer=f"cus_{mark}")
    amounts = {"currency": "eur", "amount_due": 1, "amount_paid": 1}
    return [
        Subscription.objects.get(**in_it),
        Invoice.objects.create(**in_it, **amounts, stripe_id=f"in_{mark}", number=mark, issued_at=now()),
        Purchase.objects.create(**in_it, session_id=f"cs_{mark}", product=mark, currency="eur", amount=1),
        Boost.objects.create(**in_it, feature="sites", amount=1, note=mark),
        Notice.objects.create(**in_it, kind="win_back", source=mark, email=f"owner@{mark}.org"),
    ]


def hooks(in_it, mark: str, url: str) -> list:
    endpoint = Endpoint.objects.create(**in_it, url=url, events=[mark], secret=mark)
    event = Event.objects.create(
        **in_it, public_id=f"evt_{mark}", type=mark, body=mark.encode(), request_id=mark, created_at=now()
    )
    delivery = Delivery.objects.create(**in_it, event=event, endpoint=endpoint, lane=mark, response_body=mark)
    return [endpoint, event, delivery]


@dataclass
class Filled:
    """Both tenants, their rows, and staff: Charlie of Other's, Alice of both."""

    people: object
    acme: dict
    other: dict

    def charlie(self):
        return staff(self.people.charlie)

    def superuser(self):
        return staff(self.people.charlie, is_superuser=True)


@pytest.fixture
def filled(people):
    cache.clear()  # Unfold keeps what a search found, by the user's id
    User.objects.filter(pk=people.alice.pk).update(email=f"alice@{ACME}.org", name=f"Alice {ACME}")
    User.objects.filter(pk=people.charlie.pk).update(email=f"charlie@{OTHER}.org", name=f"Charlie {OTHER}")
    for user in (people.alice, people.charlie):
        user.refresh_from_db()
    acme, other = fill(people.acme, ACME), fill(people.other, OTHER)
    return Filled(people, acme | {User: people.alice}, other | {User: people.charlie})


def text(answer) -> str:
    """What a person could read, and every attribute but the random ones."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


def mark_shown(answer, mark: str = ACME) -> list[str]:
    """The places of the mark, or of the beginning that a short column cut it to."""
    page = text(answer)
    return [page[max(0, at.start() - 60) : at.end() + 30] for at in re.finditer(mark[:4], page, re.IGNORECASE)]


def lists(model) -> str:
    return address(model, "changelist")


# --- pages that show nothing foreign --------------------------------------------------------------

LISTS = ["", "?_facets=True", "?o=1", "?o=-1.2.99", "?p=0", "?all=", "?q=mark", "?q=example"]


@pytest.mark.parametrize("query", LISTS)
@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_a_list_shows_nothing_foreign(filled, model, query):
    answer = filled.charlie().get(lists(model) + query)
    assert answer.status_code == 200
    assert mark_shown(answer) == []


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_the_marks_are_where_a_leak_would_show(filled, model):
    """The control: to a superuser the same pages show both."""
    page = filled.superuser().get(lists(model))
    assert mark_shown(page, OTHER)
    assert mark_shown(page, ACME)


@pytest.mark.parametrize("page", ["change", "history", "delete"])
@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_a_row_shows_nothing_foreign(filled, model, page):
    api = filled.charlie()
    mine = api.get(address(model, page, filled.other[model].pk))
    may = page != "delete" or PAGES[model].has_delete_permission(request_of(filled.people.charlie), filled.other[model])
    assert mine.status_code == (200 if may else 403)
    assert mark_shown(mine) == []
    foreign = api.get(address(model, page, filled.acme[model].pk))
    unknown = api.get(address(model, page, 987654321))
    assert foreign.status_code == unknown.status_code
    assert foreign.status_code in {302, 403, 404}
    assert foreign.headers.get("Location") == unknown.headers.get("Location")


FRONT = [
    "/admin/",
    "/admin/content/",
    "/admin/search/?s=acme",
    "/admin/search/?s=acme&extended=1",
    "/admin/search/?s=mark&extended=1",
    "/admin/content/persona/add/",
    "/admin/content/persona/add/?_popup=1&name=x",
    "/admin/content/brand/add/",
    "/admin/content/post/add/",
]


@pytest.mark.parametrize("path", FRONT)
def test_a_page_of_no_row_shows_nothing_foreign(filled, path):
    answer = filled.charlie().get(path)
    assert answer.status_code == 200
    assert [place for place in mark_shown(answer) if "s=acme" not in place] == []


def test_recent_actions_do_not_outlive_the_membership(filled):
    membership = filled.people.acme.memberships.create(user=filled.people.charlie, role=Role.ADMIN)
    for rows in (filled.acme, filled.other):
        LogEntry.objects.log_actions(filled.people.charlie.pk, [rows[Persona]], 2, "Changed.", single_object=True)
    content_type = ContentType.objects.get_for_model(LogEntry)
    LogEntry.objects.create(
        user=filled.people.charlie, content_type=content_type, object_id="1", object_repr="Stray", action_flag=2
    )
    api = filled.charlie()
    page = api.get("/admin/")
    assert mark_shown(page, ACME)
    assert mark_shown(page, OTHER)
    membership.delete()
    page = api.get("/admin/")
    assert mark_shown(page, ACME) == []
    assert mark_shown(page, OTHER)
    assert "Stray" not in text(page)


# --- filters --------------------------------------------------------------------------------------

QUERIES = [
    ("jobs", "job", "workspace__id__exact={acme}", 200),
    ("jobs", "job", "workspace__in={acme},{other}", 200),
    ("jobs", "job", "kind=kind_acmemark", 200),
    ("jobs", "job", "created_at__year=2026&created_at__gte=2000-01-01", 200),
    ("jobs", "jobitem", "job__id__exact=job_acmemark", 200),
    ("jobs", "jobitem", "job__kind=kind_acmemark", 200),
    ("jobs", "jobitem", "job__kind__in=kind_acmemark", 200),
    ("billing", "subscription", "plan__exact=enterprise", 200),
    ("content", "variant", "language=acmem", 200),
    ("content", "persona", "pk__in={persona}", 400),
    ("content", "persona", "id__in={persona}", 400),
    ("content", "persona", "pk={persona}", 400),
    ("content", "persona", "workspace__name__startswith=A", 400),
    ("content", "persona", "workspace__memberships__user__password__startswith=m", 400),
    ("content", "variant", "persona__workspace={acme}", 400),
    ("leads", "leadidentity", "lead__company__startswith=L", 400),
    ("jobs", "jobitem", "job__workspace__slug=acme", 400),
    ("jobs", "jobitem", "job__api_key__digest__startswith=0", 400),
    ("accounts", "user", "memberships__workspace={acme}", 400),
    ("accounts", "workspace", "memberships__user__email=x", 400),
    ("accounts", "membership", "workspace__id__exact={acme}", 200),
    ("accounts", "membership", "user__password__startswith=m", 400),
    ("accounts", "invitation", "token_digest__startswith=a", 400),
    ("accounts", "activity", "action=made.acmemark", 200),
    ("accounts", "activity", "details__contains=a", 400),
]


@pytest.mark.parametrize(("app", "model", "query", "status"), QUERIES)
def test_a_query_reaches_nothing_foreign(filled, app, model, query, status):
    known = {"acme": filled.people.acme.pk, "other": filled.people.other.pk, "persona": filled.acme[Persona].pk}
    answer = filled.charlie().get(f"/admin/{app}/{model}/?{query.format(**known)}")
    assert answer.status_code == status
    asked = query.partition("=")[2]
    assert [place for place in mark_shown(answer) if asked not in place] == []
    assert f"/admin/{app}/{model}/job_acmemark/change/" not in text(answer)


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_a_filter_over_a_relation_offers_own_values(model):
    with_own_choices = admin.SimpleListFilter
    for entry in PAGES[model].list_filter:
        if isinstance(entry, type) and issubclass(entry, with_own_choices):
            continue
        path, kind = (entry, None) if isinstance(entry, str) else entry
        field = admin.utils.get_fields_from_path(model, path)[-1]
        if "__" in path:
            assert issubclass(kind, OwnValues), path
        if field.is_relation:
            assert issubclass(kind, admin.RelatedOnlyFieldListFilter), path


def test_own_values_are_the_filters_doing(filled, rf):
    request = rf.get("/")
    request.user = filled.people.charlie

    def offered(kind):
        field = Job._meta.get_field("kind")
        return list(kind(field, request, {}, JobItem, PAGES[JobItem], "job__kind").lookup_choices)

    assert offered(OwnValues) == [f"kind_{OTHER}"]
    assert len(offered(admin.AllValuesFieldListFilter)) == 2, "else Django has closed it, and OwnValues can go"


# --- autocomplete and single fields ---------------------------------------------------------------

COMPLETED = [
    ("content", "variant", "product", Product),
    ("content", "variant", "persona", Persona),
    ("leads", "leadidentity", "lead", Lead),
    ("leads", "lead", "site", Site),
    ("leads", "lead", "owner", User),
    ("jobs", "jobitem", "job", Job),
    ("jobs", "job", "api_key", ApiKey),
    ("sites", "issue", "report", Report),
    ("content", "persona", "workspace", Workspace),
    ("content", "post", "site", Site),
    ("content", "post", "author", User),
    ("accounts", "membership", "user", User),
    ("accounts", "invitation", "inviter", User),
    ("accounts", "activity", "user", User),
    ("account", "emailaddress", "user", User),
    ("admin", "logentry", "user", User),
]


@pytest.mark.parametrize("term", ["", "mark", "acme", "example"])
@pytest.mark.parametrize(("app", "model", "field", "of"), COMPLETED)
def test_completion_offers_nothing_foreign(filled, app, model, field, of, term):
    path = f"/admin/autocomplete/?app_label={app}&model_name={model}&field_name={field}&term={term}"
    answer = filled.charlie().get(path)
    if answer.status_code == 403:  # no such page for them at all
        assert of is ApiKey
        return
    offered = {row["id"] for row in json.loads(answer.content)["results"]}
    assert offered <= {str(filled.other[of].pk)}
    assert mark_shown(answer) == []


def test_completion_has_something_to_hide(filled):
    path = "/admin/autocomplete/?app_label=content&model_name=variant&field_name=product&term=mark"
    assert len(json.loads(filled.superuser().get(path).content)["results"]) == 2


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("_to_field=id", {302}),
        ("_to_field=name", {400}),
        ("_to_field=workspace", {400}),
        ("_to_field=workspace__slug", {400}),
        ("_popup=1", {302}),
        ("_popup=1&_to_field=id", {302}),
        ("_changelist_filters=workspace__id__exact%3D1", {302}),
    ],
)
def test_no_parameter_opens_a_foreign_row(filled, query, status):
    foreign, mine = filled.acme[Persona].pk, filled.other[Persona].pk
    api = filled.charlie()
    assert api.get(f"{address(Persona, 'change', foreign)}?{query}").status_code in status
    own = api.get(f"{address(Persona, 'change', mine)}?{query}").status_code
    assert own == (400 if status == {400} else 200), "the control"


def test_where_a_row_is_seen_on_the_site_is_as_secret_as_whether_it_is(filled):
    content_type = ContentType.objects.get_for_model(Persona).pk
    api = filled.charlie()
    foreign = api.get(f"/admin/r/{content_type}/{filled.acme[Persona].pk}/")
    unknown = api.get(f"/admin/r/{content_type}/987654321/")
    assert foreign.status_code == unknown.status_code == 404
    assert mark_shown(foreign) == []


# --- actions --------------------------------------------------------------------------------------


def delete_selected(api, *rows, sure: bool = True):
    chosen = {"action": "delete_selected", "_selected_action": [row.pk for row in rows]}
    return post(api, lists(Brand), **chosen, **({"post": "yes"} if sure else {}))


def test_an_action_on_foreign_rows_does_nothing(filled):
    api, foreign, mine = filled.charlie(), filled.acme[Brand], filled.other[Brand]
    assert mark_shown(delete_selected(api, foreign, mine, sure=False)) == []
    delete_selected(api, foreign, mine)
    assert list(Brand.objects.values_list("pk", flat=True)) == [foreign.pk]


def test_an_action_across_all_pages_stays_in_its_workspace(filled):
    chosen = {
        "action": "delete_selected",
        "_selected_action": [filled.acme[Brand].pk],
        "select_across": "1",
        "post": "yes",
    }
    post(filled.charlie(), lists(Brand), **chosen)
    assert list(Brand.objects.all()) == [filled.acme[Brand]]


@pytest.mark.parametrize(("model", "action"), [(Variant, "approve"), (Variant, "reject"), (Site, "audit")])
def test_our_actions_do_not_reach_foreign_rows(filled, model, action):
    Variant.objects.update(status="GENERATED")
    jobs = Job.objects.count()
    post(filled.charlie(), lists(model), action=action, _selected_action=[filled.acme[model].pk])
    assert set(Variant.objects.values_list("status", flat=True)) == {"GENERATED"}
    assert Job.objects.count() == jobs


def test_a_deletion_is_confirmed_with_own_rows_only(filled):
    page = filled.charlie().get(address(Persona, "delete", filled.other[Persona].pk))
    assert page.status_code == 200
    assert mark_shown(page, OTHER), "it names what goes with it"
    assert mark_shown(page, ACME) == []


# --- two workspaces, two roles --------------------------------------------------------------------


@pytest.fixture
def both(filled):
    """Alice: VIEWER of Acme, ADMIN of Other."""
    filled.people.acme.memberships.filter(user=filled.people.alice).update(role=Role.VIEWER)
    filled.people.other.memberships.create(user=filled.people.alice, role=Role.ADMIN)
    return filled


def test_a_list_shows_both_workspaces(both):
    page = staff(both.people.alice).get(lists(Persona))
    assert mark_shown(page, ACME)
    assert mark_shown(page, OTHER)


@pytest.mark.parametrize(("which", "status"), [("acme", 403), ("other", 302)])
def test_a_row_changes_where_the_role_allows(both, which, status):
    row = getattr(both, which)[Persona]
    api = staff(both.people.alice)
    assert api.get(address(Persona, "change", row.pk)).status_code == 200
    assert post(api, address(Persona, "change", row.pk), name="Renamed", description="").status_code == status
    assert api.get(address(Persona, "delete", row.pk)).status_code == (200 if status == 302 else 403)
    row.refresh_from_db()
    assert (row.name == "Renamed") is (status == 302)


def test_a_selection_over_both_is_refused_whole(both):
    assert delete_selected(staff(both.people.alice), both.acme[Brand], both.other[Brand]).status_code == 403
    assert Brand.objects.count() == 2
    delete_selected(staff(both.people.alice), both.other[Brand])
    assert list(Brand.objects.all()) == [both.acme[Brand]]


def test_a_row_is_added_where_the_role_allows(both):
    api = staff(both.people.alice)
    form = api.get(address(Persona, "add")).content.decode()
    assert f'<option value="{both.people.other.pk}"' in form
    assert f'<option value="{both.people.acme.pk}"' not in form
    for workspace in (both.people.acme, both.people.other):
        post(api, address(Persona, "add"), workspace=workspace.pk, name="New", description="")
    assert [row.workspace for row in Persona.objects.filter(name="New")] == [both.people.other]


def test_keys_are_seen_where_one_is_admin(both):
    page = staff(both.people.alice).get(lists(ApiKey))
    assert mark_shown(page, OTHER)
    assert "Key acmemark" not in text(page)


def test_a_workspace_shows_its_own_members(both):
    page = text(staff(both.people.alice).get(address(Workspace, "change", both.people.other.pk)))
    assert f"Charlie {OTHER}" in page
    assert "bob@example.org" not in page, "of Acme only"
    assert "Bob" not in page


# --- forms ----------------------------------------------------------------------------------------


class IdentityAdmin(TenantAdmin):
    """A page such as none is yet: its rows are made and changed here, and point to other rows."""

    fields = ("workspace", "lead", "kind", "value")


class LeadAdmin(TenantAdmin):
    """It points to a person too."""

    fields = ("workspace", "site", "owner", "company", "source")


def request_of(user):
    request = RequestFactory().get("/")
    request.user = User.objects.get(pk=user.pk)  # as each request does: what it may is read once for it
    return request


def form_of(page, model, user, row=None):
    return page(model, admin.site).get_form(request_of(user), row, change=row is not None)


def choices(form, name) -> set:
    return set(form.base_fields[name].queryset)


@pytest.mark.parametrize("user", ["alice", "superuser"])
def test_a_row_can_point_to_rows_of_its_own_workspace_only(both, user):
    person = both.people.alice
    if user == "superuser":
        staff(person, is_superuser=True)
    form = form_of(IdentityAdmin, LeadIdentity, person, both.other[LeadIdentity])
    assert choices(form, "lead") == {both.other[Lead]}
    assert choices(form, "workspace") == {both.people.other}
    form = form_of(LeadAdmin, Lead, person, both.other[Lead])
    assert choices(form, "site") == {both.other[Site]}
    assert choices(form, "owner") == {both.people.charlie, person}


def test_a_new_row_is_offered_what_lies_where_one_may_add(both):
    form = form_of(IdentityAdmin, LeadIdentity, both.people.alice)
    assert choices(form, "lead") == {both.other[Lead]}
    both.people.acme.memberships.filter(user=both.people.alice).update(role=Role.EDITOR)
    form = form_of(IdentityAdmin, LeadIdentity, both.people.alice)
    assert choices(form, "lead") == {both.other[Lead], both.acme[Lead]}


@pytest.mark.parametrize(
    ("which", "errors"), [("other", {}), ("acme", {"lead": ["This belongs to another workspace."]})]
)
def test_a_new_row_that_crosses_is_an_error_of_the_field(both, which, errors):
    both.people.acme.memberships.filter(user=both.people.alice).update(role=Role.EDITOR)
    lead = getattr(both, which)[Lead]
    data = {"workspace": both.people.other.pk, "lead": lead.pk, "kind": "domain", "value": "x.example.com"}
    form = form_of(IdentityAdmin, LeadIdentity, both.people.alice)(data)
    assert form.errors == errors


def test_a_changed_row_that_crosses_is_told_what_an_unknown_id_is_told(both):
    made = form_of(IdentityAdmin, LeadIdentity, both.people.alice, both.other[LeadIdentity])
    errors = [
        made({"lead": lead, "kind": "domain", "value": "x"}, instance=both.other[LeadIdentity]).errors["lead"]
        for lead in (both.acme[Lead].pk, 987654321)
    ]
    assert errors[0] == errors[1] == ["Select a valid choice. That choice is not one of the available choices."]


@pytest.mark.parametrize("model", PAGES, ids=lambda model: model.__name__)
def test_a_page_takes_no_way_around(model):
    page = PAGES[model]
    assert isinstance(page, TenantAdmin)
    assert not page.raw_id_fields, "shows the name of whatever row has the id that is typed"
    assert not page.list_editable, "asks for no right on the row that is changed"
    for inline in page.inlines:
        assert set(inline.fields) == set(inline.readonly_fields), "an inline's choices are not narrowed"
        assert not inline.can_delete
        assert not inline.has_add_permission(inline(model, admin.site), None)


def test_pages_of_others_are_for_superusers(filled):
    """allauth's addresses, devices and sessions, and the installation's own rows belong to no workspace."""
    api = filled.charlie()
    for model in admin.site._registry.keys() - PAGES.keys():
        assert api.get(lists(model)).status_code == 403, model
