"""What most tests begin with: made once in a process by the services, and put back as rows in each further test."""

import copy
from collections.abc import Callable
from typing import Any

import time_machine
from django.apps import apps
from django.db import connection, transaction

from accounts.models import ActivityHead
from ajansops.kit.counting import TABLE

_KEPT: dict[Callable[[], Any], tuple[Any, dict[str, list[tuple]]]] = {}


def made_once(make: Callable[[], Any]) -> Any:
    """What `make()` returned the first time, and its rows with their ids and times.

    Under a moved clock, and where something has happened in the database already, it is called as it is.
    """
    if time_machine.escape_hatch.is_travelling() or ActivityHead.objects.exists():
        return make()
    if make not in _KEPT:
        before = _rows()
        made = make()
        _KEPT[make] = copy.deepcopy(made), {table: rows for table, rows in _rows().items() if rows != before[table]}
        return made
    made, kept = _KEPT[make]
    with transaction.atomic(), connection.cursor() as cursor:  # foreign keys are looked at when it ends
        for table, rows in kept.items():
            places = ", ".join([f"({', '.join(['%s'] * len(rows[0]))})"] * len(rows))
            cursor.execute(f'INSERT INTO "{table}" VALUES {places}', [value for row in rows for value in row])
    return copy.deepcopy(made)


def _rows() -> dict[str, list[tuple]]:
    """Of every table but the one that triggers fill."""
    tables = [model._meta.db_table for model in apps.get_models() if model._meta.managed]
    found = {}
    with connection.cursor() as cursor:
        for table in tables:
            if table != TABLE:
                cursor.execute(f'SELECT * FROM "{table}"')
                found[table] = cursor.fetchall()
    return found
