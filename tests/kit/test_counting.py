"""Totals that nobody counts are those of counting, whatever happens to the rows; on PostgreSQL."""

import random
import threading

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from ajansops.api.models import RowCount
from ajansops.kit.clock import now
from ajansops.kit.counting import TOTAL, compact, counter_of
from content.models import Product
from leads.models import Lead

pytestmark = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite counts")


def kept(model, workspace) -> int:
    with connection.cursor() as cursor:
        cursor.execute(TOTAL, [model._meta.db_table, workspace.pk])
        return cursor.fetchone()[0]


def counted(model, workspace) -> int:
    return counter_of(model).counted(model).filter(workspace=workspace).count()


def lead(workspace, name="Company") -> Lead:
    return Lead(workspace=workspace, company=name, source="website")


def product(workspace, sku) -> Product:
    return Product(workspace=workspace, sku=str(sku), title="T")


def test_it_counts_what_is_added_and_removed_by_any_statement(people):
    acme, other = people.acme, people.other
    Lead.objects.bulk_create([lead(acme) for _ in range(5)] + [lead(other)])
    lead(acme).save()
    assert (kept(Lead, acme), kept(Lead, other)) == (6, 1)
    Lead.objects.filter(workspace=acme)[0].delete()
    Lead.objects.filter(pk__in=Lead.objects.filter(workspace=acme).values("pk")[:2]).delete()
    Lead.objects.filter(workspace=acme).update(status="won")
    assert (kept(Lead, acme), kept(Lead, other)) == (3, 1)
    Lead.objects.filter(workspace=acme).delete()
    assert kept(Lead, acme) == 0


def test_what_is_rolled_back_was_never_there(people):
    with transaction.atomic():
        lead(people.acme).save()
        assert kept(Lead, people.acme) == 1
        transaction.set_rollback(True)
    assert kept(Lead, people.acme) == 0


def test_a_condition_is_followed_in_both_directions(people):
    Product.objects.bulk_create([product(people.acme, number) for number in range(4)])
    Product.objects.filter(workspace=people.acme, sku__lt="2").update(deleted_at=now())
    assert kept(Product, people.acme) == 2
    Product.objects.filter(workspace=people.acme, sku="0").update(deleted_at=None)
    assert kept(Product, people.acme) == 3
    Product.objects.filter(workspace=people.acme, sku="1").delete()
    assert kept(Product, people.acme) == counted(Product, people.acme) == 3


def test_compacting_changes_no_total_and_leaves_a_line_each(people):
    for number in range(5):
        lead(people.acme).save()
        product(people.other, number).save()
    Lead.objects.all().delete()
    compact()
    assert (kept(Lead, people.acme), kept(Product, people.other)) == (0, 5)
    lines = RowCount.objects.filter(name__in=["leads_lead", "content_product"])
    assert lines.count() == 1, "a total of nothing needs no line"


def test_a_list_asks_for_its_total_and_counts_nothing(people, acme):
    lead(people.acme).save()
    acme.get("/api/v1/leads")
    with CaptureQueriesContext(connection) as captured:
        assert acme.get("/api/v1/leads").json()["meta"]["total"] == 1
    read = [query["sql"] for query in captured if "leads_lead" in query["sql"]]
    assert len(read) == 1
    assert "count(*)" not in read[0].lower()


@pytest.mark.django_db(transaction=True)
def test_it_is_exact_under_writers_and_compactors(people):
    def work(seed: int) -> None:
        chance = random.Random(seed)
        mine: list[int] = []
        for number in range(40):
            with transaction.atomic():
                if mine and chance.random() < 0.4:
                    Product.objects.filter(pk=chance.choice(mine)).update(deleted_at=now())
                row = product(chance.choice([people.acme, people.other]), f"{seed}-{number}")
                row.save()
                if chance.random() < 0.2:
                    transaction.set_rollback(True)
                else:
                    mine.append(row.pk)
            if number % 10 == 0:
                compact()
        connection.close()

    threads = [threading.Thread(target=work, args=[seed]) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for workspace in (people.acme, people.other):
        assert kept(Product, workspace) == counted(Product, workspace) > 0
