"""The admin: staff see and touch the rows of their workspaces, as their role there allows; superusers see all."""

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse

from accounts.models import User
from accounts.roles import APPS, Role, codenames
from ajansops.kit.actor import Actor
from ajansops.kit.runners import NewItem
from content.models import Brand, Persona, Variant
from content.services.products import create_product
from jobs.services import start_job
from leads.models import Lead
from sites.models import Report
from sites.services import create_site, submit_report
from tests.conftest import Api

OURS = [model for model in admin.site._registry if model._meta.app_label in APPS]
WITH_ROWS = {
    "workspace",
    "apikey",
    "job",
    "jobitem",
    "site",
    "report",
    "product",
    "variant",
    "persona",
    "brand",
    "lead",
}


def fill(workspace) -> None:
    """A row of most kinds, each with the workspace's name in it."""
    actor = Actor(workspace.pk, codenames(Role.OWNER))
    name = workspace.name
    product = create_product(actor, sku=f"sku-{name}", title=f"Product of {name}")
    Variant.objects.create(workspace=workspace, product=product, content_type="title", language="tr-TR", body=name)
    create_site(actor, name=f"Site of {name}", domain=f"{workspace.slug}.example.com")
    submit_report(actor, url=f"https://{workspace.slug}.example.com/", scores={"seo": 80})
    start_job(actor, "import", [NewItem(f"item of {name}")], subject=name)
    Persona.objects.create(workspace=workspace, name=f"Persona of {name}")
    Brand.objects.create(workspace=workspace, name=f"Brand of {name}")
    Lead.objects.create(workspace=workspace, company=f"Lead of {name}", source="website")


@pytest.fixture
def filled(people, key_for):
    for workspace in (people.acme, people.other):
        fill(workspace)
        key_for(workspace)
    return people


def staff(user: User, **changes) -> Api:
    for field, value in ({"is_staff": True} | changes).items():
        setattr(user, field, value)
    user.save()
    return Api(user=user)


def address(model, page: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=[quote(arg) for arg in args])


def rows(model, workspace):
    path = getattr(model, "tenant_path", "workspace")
    if model._meta.model_name == "workspace":
        return model.objects.filter(pk=workspace.pk)
    return model.objects.filter(**{path: workspace})


@pytest.mark.parametrize("model", OURS, ids=lambda model: model.__name__)
def test_every_list_opens_for_a_superuser(filled, model):
    answer = staff(filled.alice, is_superuser=True).get(address(model, "changelist"))
    assert answer.status_code == 200
    if model._meta.model_name in WITH_ROWS:
        assert model.objects.count() >= 2


@pytest.mark.parametrize(
    "model", [m for m in OURS if m._meta.model_name in WITH_ROWS], ids=lambda model: model.__name__
)
def test_staff_see_their_own_workspace_only(filled, model):
    api = staff(filled.charlie)
    mine, foreign = rows(model, filled.other).first(), rows(model, filled.acme).first()
    listed = api.get(address(model, "changelist")).content.decode()
    assert address(model, "change", mine.pk) in listed
    assert address(model, "change", foreign.pk) not in listed
    assert api.get(address(model, "change", mine.pk)).status_code == 200
    for page in ("change", "history", "delete"):
        assert api.get(address(model, page, foreign.pk)).status_code in {302, 403, 404}


def test_an_add_form_offers_ones_own_workspaces(filled):
    form = staff(filled.charlie).get(address(Persona, "add")).content.decode()
    assert f'<option value="{filled.other.pk}">' in form
    assert f'<option value="{filled.acme.pk}">' not in form


def post(api: Api, path: str, **fields):
    return api.client.post(path, fields)


def test_a_row_cannot_be_put_into_a_foreign_workspace(filled):
    api = staff(filled.charlie)
    post(api, address(Persona, "add"), workspace=filled.acme.pk, name="Intruder", description="")
    assert not Persona.objects.filter(name="Intruder").exists()
    post(api, address(Persona, "add"), workspace=filled.other.pk, name="Resident", description="")
    assert Persona.objects.get(name="Resident").workspace == filled.other


@pytest.mark.parametrize(("role", "status"), [(Role.VIEWER, 403), (Role.EDITOR, 200)])
def test_the_role_decides_in_the_admin_too(filled, role, status):
    filled.acme.memberships.filter(user=filled.bob).update(role=role)
    api = staff(filled.bob)
    assert api.get(address(Persona, "changelist")).status_code == 200
    assert api.get(address(Persona, "add")).status_code == status


def test_an_action_calls_the_service_with_the_staffs_own_rights(filled):
    variant = rows(Variant, filled.acme).get()
    Variant.objects.update(status="GENERATED")
    fields = {"action": "approve", "_selected_action": [variant.pk]}
    post(staff(filled.charlie), address(Variant, "changelist"), **fields)
    variant.refresh_from_db()
    assert variant.status == "GENERATED"
    post(staff(filled.bob), address(Variant, "changelist"), **fields)
    variant.refresh_from_db()
    assert variant.status == "GENERATED", "a VIEWER approves nothing"
    post(staff(filled.alice), address(Variant, "changelist"), **fields)
    variant.refresh_from_db()
    assert variant.status == "APPROVED"


@pytest.mark.parametrize(("user", "opens"), [("alice", True), ("bob", False)], ids=["staff", "member without is_staff"])
def test_only_staff_come_in(filled, user, opens):
    alice = staff(filled.alice)
    api = alice if user == "alice" else Api(user=filled.bob)
    assert (api.get("/admin/").status_code == 200) is opens


def test_signing_in_goes_through_the_door_that_knows_two_factors(db):
    answer = Api().get("/admin/login/?next=/admin/")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


def test_a_report_shows_scores_and_issues(filled):
    actor = Actor(filled.acme.pk, codenames(Role.OWNER))
    issue = {"type": "missing_alt", "severity": "warning", "element": "img.hero-image"}
    submit_report(actor, url="https://acme.example.com/x", scores={"performance": 85, "seo": 95}, issues=[issue])
    report = Report.objects.visible_to(actor).get(url="https://acme.example.com/x")
    page = staff(filled.alice).get(address(Report, "change", report.pk)).content.decode()
    assert all(text in page for text in ("85", "95", "missing_alt", "img.hero-image"))


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/admin/accounts/user/?password__startswith=md5", 400),
        ("/admin/accounts/user/?email__exact=alice@example.org&password__contains=a", 400),
        ("/admin/accounts/apikey/?digest__startswith=a", 400),
        ("/admin/content/product/?title__regex=^(a+)+$", 400),
        ("/admin/content/variant/?product__workspace__api_key__digest__startswith=a", 400),
        ("/admin/content/variant/?status__regex=a", 400),
        ("/admin/content/variant/?status__exact=GENERATED", 200),
        ("/admin/jobs/job/?created_at__year=2026", 200),
        ("/admin/jobs/jobitem/?job__id__exact=x", 200),
    ],
)
def test_a_list_answers_only_its_own_filters(filled, path, status):
    assert staff(filled.alice).get(path).status_code == status


def test_a_row_stays_in_its_workspace(filled):
    filled.other.memberships.create(user=filled.alice, role=Role.OWNER)
    persona = rows(Persona, filled.acme).get()
    post(staff(filled.alice), address(Persona, "change", persona.pk), workspace=filled.other.pk, name="Renamed")
    persona.refresh_from_db()
    assert (persona.workspace, persona.name) == (filled.acme, "Renamed")


def test_a_name_that_is_taken_is_an_error_of_the_form(filled):
    taken = Persona.objects.create(workspace=filled.acme, name="Taken")
    persona = rows(Persona, filled.acme).exclude(pk=taken.pk).get()
    answer = post(staff(filled.alice), address(Persona, "change", persona.pk), name="Taken", description="")
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode() or "already exists" in answer.content.decode()
    persona.refresh_from_db()
    assert persona.name != "Taken"
