"""The rows a start of generation makes: written in SQL, they are those the ORM would make of the model's defaults."""

from itertools import product as every

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from ajansops.ai.contract import ContentType
from ajansops.kit.clock import now
from content import kinds
from content.bulk import Axes, insert_variants
from content.models import Audience, Persona, SpecialDay, Variant
from content.services.generation import Wanted, start_generation

TITLE, HTML, FEED = ContentType.TITLE, ContentType.DESCRIPTION, ContentType.GOOGLE_FEED
SLOT = ("product_id", "content_type", "persona_id", "audience_id", "special_day_id")
UNLIKE = {"id", "uid", "created_at", "updated_at"}  # of two rows of the same slot


def rows() -> list[dict]:
    return [{name: row[name] for name in row if name not in UNLIKE} for row in Variant.objects.order_by("pk").values()]


def by_orm(workspace, axes: Axes) -> list[dict]:
    """What the ORM makes; taken back."""
    with transaction.atomic():
        made = [
            Variant(workspace=workspace, language="hu-HU", **dict(zip(SLOT, slot, strict=True)))
            for slot in every(*axes)
        ]
        Variant.objects.bulk_create(made, ignore_conflicts=True)
        found = rows()
        transaction.set_rollback(True)
    return found


@pytest.mark.parametrize("existing", [False, True])
@pytest.mark.parametrize(
    ("products", "types", "personas", "audiences", "days"),
    [
        (1, [TITLE], 0, 0, 0),
        (3, [FEED, TITLE, HTML], 0, 0, 0),
        (2, [TITLE, HTML], 3, 0, 0),
        (2, [HTML], 0, 2, 1),
        (3, [HTML, TITLE], 2, 3, 2),
        (0, [TITLE], 2, 0, 0),
    ],
)
def test_rows_and_items_are_those_of_the_orm(
    people, alice, make_product, products, types, personas, audiences, days, existing
):
    ids = [make_product(people.acme, f"SKU-{n}").pk for n in range(products)]
    readers = [
        [model.objects.create(workspace=people.acme, name=str(n)).pk for n in range(count)] or [None]
        for model, count in ((Persona, personas), (Audience, audiences), (SpecialDay, days))
    ]
    axes = Axes(ids, [one.value for one in types], *readers)
    if existing and ids:  # the last slot, whose text is there, the same one in another language, and everybody's
        last = dict(zip(SLOT, list(every(*axes))[-1], strict=True)) | {"workspace": people.acme}
        Variant.objects.create(language="hu-HU", body="Cserép", status="APPROVED", usage={"model": "x"}, **last)
        Variant.objects.create(language="en-US", **last)
        Variant.objects.get_or_create(
            language="hu-HU", workspace=people.acme, product_id=ids[0], content_type=TITLE, **dict.fromkeys(SLOT[2:])
        )
    expected, before, start = by_orm(people.acme, axes), set(Variant.objects.values_list("pk", flat=True)), now()

    made = start_generation(alice, kinds.CONTENT, Wanted("hu-HU", types, special_day_ids=[d for d in readers[2] if d]))

    assert rows() == expected
    for row in Variant.objects.exclude(pk__in=before):
        assert (row.uid.version, row.uid.variant) == (4, "specified in RFC 4122")
        assert start <= row.created_at == row.updated_at <= now()
    assert made.units == len(list(every(*axes)))
    items = made.job.items.order_by("pk").values_list("payload", flat=True) if made.job else []
    slots = {row[0]: row[1:] for row in Variant.objects.filter(language="hu-HU").values_list("pk", *SLOT)}
    assert [slots[item["variant"]] for item in items] == list(every(*axes))
    assert [item["product"] for item in items] == [slot[0] for slot in every(*axes)]


@pytest.mark.parametrize(("only_missing", "units"), [(False, 4), (True, 3)])
def test_what_failed_waits_again_and_what_was_not_asked_for_stays(people, alice, make_product, only_missing, units):
    def variant(product, **fields) -> Variant:
        given = {"workspace": people.acme, "content_type": TITLE, "language": "hu-HU", "error": "No"} | fields
        return Variant.objects.create(product=product, **given)

    asked, other = make_product(people.acme, "A"), make_product(people.acme, "B")
    one, two = (Persona.objects.create(workspace=people.acme, name=name) for name in "XY")
    again = variant(asked, persona=one, status="FAILED")
    written = variant(asked, persona=two, status="FAILED", body="Cserép")
    stay = [
        variant(asked, status="FAILED"),  # for everybody
        variant(asked, persona=one, content_type=FEED, status="FAILED"),
        variant(asked, persona=one, language="en-US", status="FAILED"),
        variant(other, persona=one, status="FAILED"),
    ]
    made = start_generation(alice, kinds.CONTENT, Wanted("hu-HU", [TITLE, HTML], [asked.pk], only_missing=only_missing))
    states = dict(Variant.objects.values_list("pk", "status"))
    assert made.units == units
    assert (states[again.pk], states[written.pk]) == ("WAITING", "FAILED" if only_missing else "WAITING")
    assert {states[row.pk] for row in stay} == {"FAILED"}


def test_thousands_take_as_many_statements_as_one(people, alice, make_product):
    ids = [make_product(people.acme, f"SKU-{n}").pk for n in range(6)]
    personas, audiences = (
        [model.objects.create(workspace=people.acme, name=str(n)).pk for n in range(14)]
        for model in (Persona, Audience)
    )

    def statements(count: int) -> int:
        wanted = Wanted("hu-HU", [TITLE, HTML], ids[:count], personas[:count], audiences[:count])
        with CaptureQueriesContext(connection) as captured:
            start_generation(alice, kinds.CONTENT, wanted)
        return len(captured)

    statements(1)  # the first one of a period makes that
    assert statements(1) == statements(14)
    assert Variant.objects.count() == 6 * 2 * 14 * 14


@pytest.mark.parametrize("wrong", [{"types": ["poem"]}, {"products": [None]}])
def test_a_wrong_row_is_an_error_and_not_left_out(people, make_product, wrong):
    axes = Axes([make_product(people.acme).pk], ["title"], [None], [None], [None])
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_variants(people.acme.pk, "hu-HU", axes._replace(**wrong))
