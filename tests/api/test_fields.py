"""Ids in bodies: what is not the caller's is what is not there, and no id is a fault of ours."""

from types import SimpleNamespace

import pytest
from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer

from accounts.roles import Role, codenames
from ajansops.api.fields import WorkspaceRelatedField, WorkspaceRelatedIds
from ajansops.kit.actor import Actor
from content.models import Persona

NO_IDS = ["", " ", "abc", "٣", "１", "1.0", "1e3", "+1", "-1", "1_0", "0x1", "9" * 19, "9" * 5000]
NO_IDS += ["persona_1", "\0", "\ud800", 0, -1, 2**63, 10**4000, -(10**4000)]
NO_IDS += [True, False, 1.0, float("nan"), {}, {"id": 1}, [], [1], b"1"]


@pytest.fixture
def rows(people):
    ours = [Persona.objects.create(workspace=people.acme, name=f"P{number}") for number in range(3)]
    return ours, Persona.objects.create(workspace=people.other, name="Theirs")


@pytest.fixture
def bound(people):
    """A field as a view of Alice's binds it."""

    def bind(field):
        actor = Actor(people.acme.pk, codenames(Role.OWNER))
        body = type("Named", (Serializer,), {"it": field})
        return body(context={"view": SimpleNamespace(actor=actor)}).fields["it"]

    return bind


def refused(field, data):
    with pytest.raises(ValidationError) as caught:
        field.run_validation(data)
    return caught.value.detail


def test_it_works(rows, bound):
    (first, *_), _ = rows
    field = bound(WorkspaceRelatedField(Persona, prefix="persona_"))
    for spelled in (first.pk, str(first.pk), f"persona_{first.pk}"):
        assert field.run_validation(spelled) == first
    assert field.to_representation(first) == first.pk


@pytest.mark.parametrize("data", NO_IDS, ids=lambda data: repr(data)[:20])
def test_what_is_no_id_does_not_exist(rows, bound, data):
    assert refused(bound(WorkspaceRelatedField(Persona)), data) == ["Does not exist."]
    assert refused(bound(WorkspaceRelatedIds(Persona)), [data]) == {0: ["Does not exist."]}


def test_a_foreign_id_cannot_be_told_from_an_unknown_one(rows, bound):
    _, theirs = rows
    field = bound(WorkspaceRelatedField(Persona))
    assert refused(field, theirs.pk) == refused(field, theirs.pk + 1000)
    many = bound(WorkspaceRelatedIds(Persona))
    assert refused(many, [theirs.pk]) == refused(many, [theirs.pk + 1000])


def test_rows_may_be_narrowed(rows, bound):
    (first, second, _), _ = rows
    field = bound(WorkspaceRelatedField(lambda actor: Persona.objects.visible_to(actor).exclude(pk=first.pk)))
    assert field.run_validation(second.pk) == second
    assert refused(field, first.pk) == ["Does not exist."]


def test_many_are_one_query_and_the_unknown_are_named_by_place(rows, bound, django_assert_num_queries):
    ours, theirs = rows
    field = bound(WorkspaceRelatedIds(Persona))
    with django_assert_num_queries(1):
        assert field.run_validation([row.pk for row in ours] * 2) == [row.pk for row in ours] * 2
    with django_assert_num_queries(1):
        assert refused(field, [ours[0].pk, theirs.pk, "x"]) == {1: ["Does not exist."], 2: ["Does not exist."]}
    with django_assert_num_queries(0):
        assert field.run_validation([]) == []


def test_too_many_are_refused_before_anything_is_asked(rows, bound, django_assert_num_queries):
    field = bound(WorkspaceRelatedIds(Persona, max_length=3))
    with django_assert_num_queries(0):
        assert "no more than 3" in str(refused(field, [1] * 4))


@pytest.mark.parametrize("data", ["prod_1", 1, {"0": 1}, None])
def test_a_list_is_a_list(bound, data):
    assert len(refused(bound(WorkspaceRelatedIds(Persona)), data)) == 1
