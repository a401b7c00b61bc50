"""Every model says whose its rows are, and every tenant's rows are read through `visible_to`."""

import pytest
from django.apps import apps

from accounts.roles import APPS, Role, codenames
from ajansops.kit.actor import Actor
from ajansops.kit.tenancy import Tenancy

MODELS = [model for model in apps.get_models() if model._meta.app_label in APPS]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_declares_its_tenancy(model):
    assert isinstance(getattr(model, "tenancy", None), Tenancy)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_tenants_rows_are_found_by_workspace(model, db):
    if model.tenancy not in {Tenancy.WORKSPACE, Tenancy.CHILD}:
        pytest.skip("no tenant")
    actor = Actor(4711, codenames(Role.OWNER))
    sql = str(model.objects.visible_to(actor).query)
    assert "4711" in sql


def test_our_apps_are_all_there_are():
    ours = {config.label for config in apps.get_app_configs() if config.module.__file__.count("/site-packages/") == 0}
    assert ours - {"ajansops", "api"} == APPS
