"""Generation of texts: what is started, what is written, what happens when it is not good enough."""

import re

import pytest

from ajansops.ai.contract import ContentType, ProviderFailed
from ajansops.ai.registry import ProviderConfig
from ajansops.kit.errors import AccessDenied, NotFound
from content import kinds
from content.models import Audience, Brand, Persona, SpecialDay, Variant, VariantRevision
from content.services.generation import Wanted, start_generation
from jobs.models import Job, JobItem
from tests.conftest import Api

PATH = "/api/v1/content/generate"
TITLE, HTML, FEED = ContentType.TITLE, ContentType.DESCRIPTION, ContentType.GOOGLE_FEED
ALL = (TITLE, HTML, FEED)


def bodies() -> list[tuple[str, str]]:
    return list(Variant.objects.order_by("pk").values_list("status", "body"))


def test_it_works(people, acme, make_product, work):
    make_product(people.acme, "A")
    make_product(people.acme, "B", title="Yellow Sofa")
    answer = acme.post(PATH, {"content_types": ["title", "description", "google_feed", "tags"], "language": "en"})
    assert answer.status_code == 202, answer.content
    jobs = answer.json()["data"]
    assert [(job["type"], job["progress"]["total"]) for job in jobs] == [
        ("title", 2),
        ("content", 2),
        ("google_feed", 2),
        ("tags", 2),
    ]
    assert [job["id"].split(f"_{people.acme.pk}_")[0] for job in jobs] == ["title", "content", "google_feed", "tags"]
    assert {status for status, _ in bodies()} == {"WAITING"}
    work()
    assert set(Job.objects.values_list("status", flat=True)) == {"completed"}
    variants = acme.get("/api/v1/variants").json()["data"]
    assert len(variants) == 6
    for variant in variants:
        assert (variant["status"], variant["provider"], variant["error"]) == ("GENERATED", "mock", "")
        assert variant["body"]
        (revision,) = VariantRevision.objects.filter(variant_id=variant["id"])
        assert revision.body == variant["body"]


@pytest.mark.parametrize("language", ["tr-TR", "en-US", "hu-HU"])
def test_the_real_export_gets_all_its_texts(people, acme, work, shared, language):
    data = (shared / "data" / "shopify-home-and-garden.csv").read_bytes()
    products = acme.post("/api/v1/products/import", data, content_type="text/csv").json()["data"]["progress"]["total"]
    work()
    acme.post(PATH, {"content_types": ["title", "description", "google_feed"], "language": language})
    work()
    assert Variant.objects.filter(status="GENERATED", language=language).exclude(body="").count() == 3 * products
    assert JobItem.objects.filter(state="failed").count() == 0


def test_every_reader_and_occasion_gets_its_own(people, alice, make_product, work, fake):
    product = make_product(people.acme)
    for model, names in ((Persona, "ABC"), (Audience, "XY")):
        for name in names:
            model.objects.create(workspace=people.acme, name=name, description=f"{name} likes pots")
    day = SpecialDay.objects.create(workspace=people.acme, name="Easter", date="2027-03-28")
    made = start_generation(alice, kinds.CONTENT, Wanted("tr-TR", ALL))
    assert (made.units, made.segments, made.interests, made.found) == (3 * 3 * 2, 3, 2, 1)
    once = start_generation(
        alice,
        kinds.TITLE,
        Wanted("tr-TR", [TITLE], [product.pk], [Persona.objects.get(name="B").pk], special_day_ids=[day.pk]),
    )
    assert once.units == 2
    work()
    assert Variant.objects.filter(status="GENERATED").count() == Variant.objects.count() == 20
    voices = {(task.voice.persona, task.voice.audience, task.voice.special_day) for task in fake.tasks}
    assert ("B: B likes pots", "X: X likes pots", "Easter (2027-03-28)") in voices
    assert fake.tasks[0].product.attributes == (("Vendor", "Company 123"), ("Size", "Regular, Large"))
    assert fake.tasks[0].product.description == "Classic blown clay pot for plants"
    assert fake.closed == 2  # each kind has one of its own


def test_generating_again_keeps_history_and_needs_a_new_review(people, alice, make_product, work, fake):
    make_product(people.acme)
    fake.answers = ["First title", "Second title"]
    start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE]))
    work()
    Variant.objects.update(status="APPROVED")
    start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE]))
    assert bodies() == [("APPROVED", "First title")]
    work()
    assert bodies() == [("GENERATED", "Second title")]
    assert list(VariantRevision.objects.values_list("body", flat=True)) == ["Second title", "First title"]


def test_only_missing_leaves_out_what_is_written(people, alice, make_product, work, fake):
    make_product(people.acme, "A")
    start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE]))
    work()
    make_product(people.acme, "B")
    again = start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE], only_missing=True))
    assert (again.units, again.found, again.queued) == (1, 2, 1)
    work()
    nothing = start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE], only_missing=True))
    assert (nothing.job, nothing.found, nothing.queued) == (None, 2, 0)


def test_a_wrong_text_is_repaired_once(people, alice, make_product, work, fake):
    make_product(people.acme)
    fake.answers = ["x" * 151, "A pot"]
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    work()
    assert bodies() == [("GENERATED", "A pot")]
    first, second = fake.tasks
    assert (first.complaints, first.previous) == ((), "")
    assert second.previous == "x" * 151
    assert second.complaints == ("It has 151 characters; 150 are allowed.",)
    assert Variant.objects.get().usage["input_tokens"] == 20


def test_a_text_that_stays_wrong_fails_with_the_reason(people, alice, make_product, work, fake):
    make_product(people.acme, "A")
    Brand.objects.create(workspace=people.acme, name="Acme", banned_words=["ucuz"], is_default=True)
    fake.answers = ["UCUZ saksı"]
    job = start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE])).job
    work()
    assert len(fake.tasks) == 2
    variant = Variant.objects.get()
    assert (variant.status, variant.body) == ("FAILED", "")
    assert variant.error == "It uses the banned word 'ucuz'."
    item = job.items.get()
    assert (item.state, item.attempts, item.error["message"]) == ("failed", 1, variant.error)
    fake.answers = ["Güzel saksı"]
    start_generation(alice, kinds.TITLE, Wanted("tr-TR", [TITLE]))
    assert Variant.objects.get().status == "WAITING"
    work()
    variant.refresh_from_db()
    assert (variant.status, variant.error) == ("GENERATED", "")


def test_a_failed_rewrite_leaves_the_text_and_its_review(people, alice, make_product, work, fake):
    make_product(people.acme)
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    work()
    Variant.objects.update(status="APPROVED")
    fake.answers = [""]
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    work()
    variant = Variant.objects.get()
    assert (variant.status, variant.body, variant.error) == ("APPROVED", "A clay pot.", "The text is empty.")


def test_a_provider_that_fails_is_tried_again(people, alice, make_product, work, fake):
    make_product(people.acme)
    fake.answers = [ProviderFailed(), ProviderFailed(), "A pot"]
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    work()
    assert bodies() == [("GENERATED", "A pot")]


def test_a_provider_that_keeps_failing_fails_the_variant(people, alice, make_product, work, fake):
    make_product(people.acme)
    fake.answers = [ProviderFailed("It is away.")]
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    work()
    assert len(fake.tasks) == 4
    assert Variant.objects.get().error == "It is away."


def test_a_provider_without_a_key_is_not_tried_again(people, alice, make_product, work, monkeypatch):
    make_product(people.acme)
    monkeypatch.setattr("jobs.providers.configured", lambda: ProviderConfig(mode="claude"))
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    work()
    assert JobItem.objects.get().attempts == 1
    assert "ANTHROPIC_API_KEY" in Variant.objects.get().error


def test_what_is_written_is_made_safe(people, alice, make_product, work, fake):
    make_product(people.acme)
    fake.answers = ["<p>A pot</p><script>x()</script><img src=http://e/x>"]
    start_generation(alice, kinds.CONTENT, Wanted("en-US", [HTML]))
    work()
    assert bodies() == [("GENERATED", "<p>A pot</p>")]


def test_a_product_deleted_meanwhile_fails_its_item(people, acme, alice, make_product, work, fake):
    product = make_product(people.acme)
    start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE]))
    acme.delete(f"/api/v1/products/{product.pk}")
    work()
    assert fake.tasks == []
    assert JobItem.objects.get().state == "failed"


def test_rows_of_other_workspaces_do_not_exist(people, alice, make_product):
    theirs = make_product(people.other)
    persona = Persona.objects.create(workspace=people.other, name="A")
    day = SpecialDay.objects.create(workspace=people.other, name="A")
    mine = make_product(people.acme)
    for wanted in (
        Wanted("en-US", [TITLE], [mine.pk, theirs.pk]),
        Wanted("en-US", [TITLE], persona_ids=[persona.pk]),
        Wanted("en-US", [TITLE], audience_ids=[99]),
        Wanted("en-US", [TITLE], special_day_ids=[day.pk]),
    ):
        with pytest.raises(NotFound):
            start_generation(alice, kinds.TITLE, wanted)
    assert start_generation(alice, kinds.TITLE, Wanted("en-US", [TITLE])).found == 1
    assert Variant.objects.filter(workspace=people.other).count() == 0


def test_a_viewer_generates_nothing(people, bob, make_product):
    make_product(people.acme)
    for kind in kinds.GENERATION:
        with pytest.raises(AccessDenied):
            start_generation(bob, kind, Wanted("en-US", [TITLE]))
    assert Job.objects.count() == Variant.objects.count() == 0


def test_who_may_not(people, other, key_for, make_product):
    product = make_product(people.acme)
    body = {"content_types": ["title"]}
    assert Api().post(PATH, body).status_code == 401
    assert Api(key=key_for(people.acme, creator=people.bob)).post(PATH, body).status_code == 403
    assert Api(key=key_for(people.acme, "titles:write")).post(PATH, body).status_code == 403
    only_content = Api(key=key_for(people.acme, "content:write"))
    assert only_content.post(PATH, body).status_code == 403
    assert only_content.post(PATH, {"content_types": ["description"]}).status_code == 202
    assert other.post(PATH, body | {"product_ids": [product.pk]}).status_code == 422
    assert other.post(PATH, body).json() == {"message": "There is nothing to generate.", "data": []}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"content_types": []}, "content_types"),
        ({"content_types": ["poem"]}, "content_types.0"),
        ({"language": "fr"}, "language"),
        ({"product_ids": ["x"]}, "product_ids.0"),
        ({"persona_ids": [0]}, "persona_ids.0"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_field_is_named(people, acme, change, field):
    answer = acme.post(PATH, {"content_types": ["title"]} | change)
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == [field]


def test_without_a_language_the_workspaces_is_taken(people, acme, make_product):
    make_product(people.acme)
    people.acme.settings = {"timezone": "UTC", "locale": "hu-HU"}
    people.acme.save()
    job = acme.post(PATH, {"content_types": ["title"]}).json()["data"][0]
    assert job["configuration"]["language"] == "hu-HU"
    assert re.match(r"title_\d+_\d{13}_[0-9a-z]{16}$", job["id"])
