"""A row of a tenant points to rows of the same tenant: declared on every model, held by PostgreSQL below everything."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.migrations.writer import MigrationWriter

from accounts.models import ApiKey, User, Workspace
from accounts.roles import APPS
from ajansops.kit.clock import now
from ajansops.kit.constraints import SameWorkspace
from ajansops.kit.tenancy import Tenancy
from content.models import Audience, Persona, Post, Product, SpecialDay, Variant
from jobs.models import Job
from leads.models import Lead, LeadIdentity
from sites.models import Audit, Chat, Insight, Report, Site
from webhooks.models import Delivery, Endpoint, EndpointNotice, Event

MODELS = [model for model in apps.get_models(include_auto_created=True) if model._meta.app_label in APPS]
postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite cannot add a foreign key to a table; `validate` and services hold"
)


def is_tenants(model) -> bool:
    """It has a workspace_id, and is not the workspace."""
    return any(isinstance(field, models.ForeignKey) and field.related_model is Workspace for field in own(model))


def own(model):
    """The columns of the model but those of people, who choose a current workspace without being of it."""
    return [] if getattr(model, "tenancy", None) is Tenancy.USER else model._meta.local_concrete_fields


def relations(model):
    """Its foreign keys to rows of tenants."""
    keys = [field for field in model._meta.local_concrete_fields if isinstance(field, models.ForeignKey)]
    return [field for field in keys if is_tenants(field.related_model)]


def same_workspace(model) -> dict[str, SameWorkspace]:
    found = [constraint for constraint in model._meta.constraints if isinstance(constraint, SameWorkspace)]
    return {constraint.field: constraint for constraint in found}


def is_target(model) -> bool:
    """Whether (workspace, id) is a key that a foreign key can lead to."""
    return any(
        isinstance(constraint, models.UniqueConstraint)
        and constraint.fields == ("workspace", model._meta.pk.name)
        and constraint.condition is None
        for constraint in model._meta.constraints
    )


def faults(model) -> list[str]:
    """What a model's foreign keys lack."""
    if not is_tenants(model):
        kept = getattr(model, "tenant_path", "").split("__")[0]
        return [f"{field.name}: no workspace_id to compare" for field in relations(model) if field.name != kept]
    found = []
    for field in relations(model):
        if field.name not in same_workspace(model):
            found.append(f"{field.name}: no SameWorkspace")
        if not is_target(field.related_model):
            found.append(f"{field.name}: {field.related_model.__name__} has no UniqueConstraint of workspace and id")
    return found


CONSTRAINTS = [(model, constraint) for model in MODELS for constraint in same_workspace(model).values()]
each = pytest.mark.parametrize(("model", "constraint"), CONSTRAINTS, ids=[c.name for _, c in CONSTRAINTS])


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_foreign_key_between_tenants_is_held(model):
    assert faults(model) == []


def test_there_are_some():
    assert len(CONSTRAINTS) >= 8
    assert is_tenants(Product)
    assert not is_tenants(Workspace)


def test_the_scan_finds_a_foreign_key_that_is_not_held(monkeypatch):
    monkeypatch.setattr(Report._meta, "constraints", [])
    assert faults(Report) == ["site: no SameWorkspace"]
    monkeypatch.setattr(Site._meta, "constraints", [])
    assert faults(Report)[1:] == ["site: Site has no UniqueConstraint of workspace and id"]


def test_the_scan_finds_a_second_parent_of_a_child(monkeypatch):
    model = Report.issues.rel.related_model
    monkeypatch.setattr(model, "tenant_path", "elsewhere__workspace")
    assert faults(model) == ["report: no workspace_id to compare"]


# --- what a constraint is -------------------------------------------------------------------------


def test_a_constraint_survives_its_migration():
    constraint = SameWorkspace("site", name="a")
    assert constraint.clone() == constraint
    assert {constraint, constraint.clone()} == {constraint}
    assert constraint != SameWorkspace("site", name="b")
    assert constraint != SameWorkspace("lead", name="a")
    assert constraint != models.UniqueConstraint(fields=["site"], name="a")
    assert MigrationWriter.serialize(constraint)[0] == "ajansops.kit.constraints.SameWorkspace('site', name='a')"


def test_sqlite_is_told_nothing():
    editor, constraint = connection.schema_editor(collect_sql=True), SameWorkspace("site", name="a")
    editor.deferred_sql = []
    sql = constraint.create_sql(Report, editor), constraint.remove_sql(Report, editor)
    assert all(sql) is (connection.vendor == "postgresql")
    assert constraint.constraint_sql(Report, editor) is None, "after CREATE TABLE, when the parent is there"
    assert len(editor.deferred_sql) == all(sql)


# --- the database ---------------------------------------------------------------------------------

AUDIT = {
    "account": "A",
    "language": "en",
    "mode": "mock",
    "model": "offline",
    "executive_summary": "A",
    "account_health_score": 80,
}
PARENTS = {
    ApiKey: lambda workspace: ApiKey(workspace=workspace, name="A", public_id="a" * 8, digest="0" * 64),
    Audience: lambda workspace: Audience(workspace=workspace, name="A"),
    Audit: lambda workspace: Audit(workspace=workspace, **AUDIT),
    Endpoint: lambda workspace: Endpoint(workspace=workspace, url="https://a.example.com/", events=["*"], secret="A"),
    Event: lambda workspace: Event(workspace=workspace, type="post.created", body=b"{}", created_at=now()),
    Lead: lambda workspace: Lead(workspace=workspace, company="A", source="website"),
    Persona: lambda workspace: Persona(workspace=workspace, name="A"),
    Product: lambda workspace: Product(workspace=workspace, sku="A", title="A"),
    Site: lambda workspace: Site(workspace=workspace, name="A", domain="a.example.com"),
    SpecialDay: lambda workspace: SpecialDay(workspace=workspace, name="A"),
}
VARIANT = {"content_type": "title", "language": "tr-TR"}
CHILDREN = {
    Audit: AUDIT,
    Chat: {"mode": "mock"},
    Delivery: {"lane": "https://a.example.com"},
    EndpointNotice: {"kind": "given_up", "next_at": now()},
    Insight: {"entity_id": "c1", "severity": "high", "title": "A", "body": "A", "metric": "cpm", "value": 1.0},
    Job: {"id": "job_1", "kind": "import"},
    Lead: {"company": "B", "source": "website"},
    LeadIdentity: {"kind": "domain", "value": "b.example.com"},
    Post: {"title": "B", "slug": "b"},
    Report: {"url": "https://a.example.com/", "subject": "https://a.example.com/", "source": "api"},
    Variant: VARIANT,
}


def child(model, constraint, workspace, parent):
    """An unsaved row of the workspace that points to the parent by the constraint's field, with all it needs else."""
    fields = CHILDREN[model] | {constraint.field: parent}
    if model is Variant and constraint.field != "product":
        fields["product"] = Product.objects.create(workspace=workspace, sku="B", title="B")
    if model is Delivery and constraint.field != "event":
        fields["event"] = made(Event, workspace)
    if model is EndpointNotice:
        fields["user"] = User.objects.get(email="alice@example.org")
    return model(workspace=workspace, **fields)


def made(model, workspace):
    row = PARENTS[model](workspace)
    row.save()
    return row


def related(model, constraint):
    return model._meta.get_field(constraint.field).related_model


def check_now() -> None:
    """What the commit would check."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@transaction.atomic
def committed(write: Callable[[], Any]) -> None:
    """As if it were committed after the write."""
    write()
    check_now()


def foreign_keys(model) -> dict[str, tuple]:
    """Of the table: name to columns, the table they lead to with its columns, and when it is checked."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT conname, condeferrable, condeferred, convalidated, confmatchtype, confrelid::regclass::text,
                   ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY AS k(n, o)
                         JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY o),
                   ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY AS k(n, o)
                         JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY o)
            FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass
            """,
            [model._meta.db_table],
        )
        return {row[0]: row[1:] for row in cursor.fetchall()}


@postgresql
@each
def test_postgresql_has_the_foreign_key(db, model, constraint):
    to = related(model, constraint)
    column = model._meta.get_field(constraint.field).column
    deferred_and_simple = (True, True, True, "s")
    expected = (*deferred_and_simple, to._meta.db_table, ["workspace_id", column], ["workspace_id", to._meta.pk.column])
    assert foreign_keys(model)[constraint.name] == expected


@postgresql
@each
def test_postgresql_refuses_a_row_of_another_workspace(people, model, constraint):
    parent = made(related(model, constraint), people.acme)
    with pytest.raises(IntegrityError) as caught:
        committed(child(model, constraint, people.other, parent).save)
    assert caught.value.__cause__.diag.constraint_name == constraint.name
    committed(child(model, constraint, people.acme, parent).save)


@postgresql
@each
def test_postgresql_refuses_a_move_to_another_workspace(people, model, constraint):
    row = child(model, constraint, people.acme, made(related(model, constraint), people.acme))
    row.save()
    parents = related(model, constraint).objects.filter(pk=getattr(row, constraint.field).pk)
    for rows in (model.objects.filter(pk=row.pk), parents):
        with pytest.raises(IntegrityError):
            committed(partial(rows.update, workspace=people.other))


@postgresql
@pytest.mark.django_db(transaction=True)
def test_it_is_checked_at_commit_and_leaves_nothing(people):
    site = made(Site, people.acme)
    seen = []

    @transaction.atomic
    def write():
        Report.objects.create(workspace=people.other, site=site, **CHILDREN[Report])
        seen.append(Report.objects.count())

    with pytest.raises(IntegrityError):
        write()
    assert seen == [1], "not before the commit"
    assert Report.objects.count() == 0


@each
def test_a_parent_that_goes_takes_or_frees_its_children(people, model, constraint):
    parent = made(related(model, constraint), people.acme)
    row = child(model, constraint, people.acme, parent)
    row.save()
    parent.delete()
    if connection.vendor == "postgresql":
        check_now()
    freed = model.objects.filter(pk=row.pk).values_list(constraint.field, flat=True)
    is_freed = model._meta.get_field(constraint.field).remote_field.on_delete is models.SET_NULL
    assert list(freed) == ([None] if is_freed else [])


# --- forms ----------------------------------------------------------------------------------------


@each
def test_a_form_is_told_by_field(people, model, constraint):
    parent = made(related(model, constraint), people.acme)
    with pytest.raises(ValidationError) as caught:
        child(model, constraint, people.other, parent).validate_constraints()
    assert caught.value.message_dict == {constraint.field: ["This belongs to another workspace."]}
    child(model, constraint, people.acme, parent).validate_constraints()


def test_full_clean_asks(people):
    lead = made(Lead, people.acme)
    with pytest.raises(ValidationError) as caught:
        LeadIdentity(workspace=people.other, lead=lead, **CHILDREN[LeadIdentity]).full_clean()
    assert caught.value.error_dict["lead"][0].code == "other_workspace"
    LeadIdentity(workspace=people.acme, lead=lead, **CHILDREN[LeadIdentity]).full_clean()


def test_nothing_to_compare_is_nothing_wrong(people, django_assert_num_queries):
    constraint, site = same_workspace(Report)["site"], made(Site, people.acme)
    with django_assert_num_queries(0):
        constraint.validate(Report, Report(workspace=people.other))
        constraint.validate(Report, Report(site=site))
        constraint.validate(Report, Report(workspace=people.other, site=site), exclude={"site"})
