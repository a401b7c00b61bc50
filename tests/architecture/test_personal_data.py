"""Every table that may hold personal data says how it is exported and erased."""

import pytest
from django.apps import apps
from django.db import models

from accounts.models import User
from ajansops.kit.personal import PersonalData, registry


def personal_fields(model) -> list[str]:
    """Links to a person, and addresses."""
    found = []
    for field in model._meta.get_fields(include_hidden=True):
        if not getattr(field, "concrete", False):
            continue
        linked = isinstance(field, models.ForeignKey) and issubclass(field.related_model, User)
        named = "email" in field.name and not isinstance(field, models.ForeignKey)
        if linked or named or isinstance(field, models.EmailField):
            found.append(field.name)
    return found


def unregistered(known) -> dict[str, list[str]]:
    found = {model._meta.label: personal_fields(model) for model in apps.get_models()}
    return {label: fields for label, fields in found.items() if fields and label not in known}


def test_a_model_with_a_person_or_an_address_is_registered():
    assert unregistered(registry()) == {}


def test_the_search_finds_what_it_should():
    """The positive control."""
    assert set(unregistered({})) >= {"accounts.User", "accounts.Invitation", "jobs.Job", "leads.Lead", "admin.LogEntry"}


@pytest.mark.parametrize("entry", registry().values(), ids=lambda entry: entry.model)
def test_an_entry_is_of_a_model_and_says_why(entry: PersonalData):
    assert apps.get_model(entry.model)
    assert entry.why.endswith(".")


@pytest.mark.parametrize("entry", registry().values(), ids=lambda entry: entry.model)
def test_an_entry_answers_for_somebody_without_rows(entry: PersonalData, people):
    if entry.model != "accounts.User":
        assert entry.erase(0) == 0
    assert list(entry.rows(0)) == []
