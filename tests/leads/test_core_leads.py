"""Leads that people and programs write: what is kept, what is refused, and that no company is kept twice."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from accounts.actors import operator
from accounts.models import Activity, Workspace
from accounts.roles import Role
from accounts.services import members
from ajansops.kit.errors import NotFound
from leads.found import Found
from leads.models import Lead, LeadIdentity
from leads.services import leads as services
from leads.services.keep import save_lead
from leads.services.leads import LEADS
from sites.models import Site
from tests.accounts.test_admin import address, post, staff
from tests.conftest import Api

pytestmark = pytest.mark.django_db

PATH = "/api/v1/leads"
FULL = {
    "company": "Lale Çini",
    "contact": "Ayşe Demir",
    "emails": ["info@lale.com.tr"],
    "phones": ["+902122345678"],
    "website": "https://lale.com.tr/",
    "address": {"street": "Çarşı 1", "locality": "Kütahya", "country": "TR"},
    "latitude": 39.4,
    "longitude": 29.9,
    "socials": ["https://www.instagram.com/lale"],
    "source": "manual",
    "external_id": "crm-1",
    "score": 70,
    "status": "qualified",
    "tags": ["çini", "fair 2026"],
}


def made(api: Api, **fields):
    answer = api.post(PATH, {"company": "A"} | fields)
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def refused(answer, *names: str) -> bool:
    """Whether exactly these fields are."""
    assert answer.status_code == 422, answer.content
    return {name.removesuffix(".non_field_errors") for name in answer.json()["errors"]} == set(names)


def taken(answer) -> list[str]:
    """The fields of a conflict."""
    assert (answer.status_code, answer.json()["error"]) == (409, "conflict"), answer.content
    return sorted(answer.json()["errors"])


def identities(pk: int) -> set[tuple[str, str]]:
    return set(LeadIdentity.objects.filter(lead=pk).values_list("kind", "value"))


def test_it_works(acme, people, site):
    body = FULL | {"site_id": site.pk, "owner_id": people.bob.pk}
    answer = acme.post(PATH, body)
    assert (answer.status_code, set(answer.json())) == (201, {"message", "data"})
    row = answer.json()["data"]
    assert {name: row[name] for name in body} == body
    assert acme.get(f"{PATH}/{row['id']}").json()["data"] == row
    changed = acme.patch(f"{PATH}/{row['id']}", {"status": "won"}).json()["data"]
    assert changed | {"updated_at": ""} == row | {"status": "won", "updated_at": ""}
    replaced = acme.put(f"{PATH}/{row['id']}", {"company": "Bare"}).json()["data"]
    assert [name for name in body if replaced[name]] == ["company", "source", "score", "status"]
    assert replaced["status"] == "new"
    assert acme.delete(f"{PATH}/{row['id']}").status_code == 204
    assert acme.get(f"{PATH}/{row['id']}").status_code == 404
    told = Activity.objects.filter(action__startswith="lead.").order_by("seq").values_list("action", flat=True)
    assert list(told) == ["lead.created", "lead.updated", "lead.updated", "lead.deleted"]


def test_the_log_says_that_a_contact_changed_and_not_to_what(acme):
    acme.patch(f"{PATH}/{made(acme, **FULL)['id']}", {"emails": ["neu@lale.com.tr"], "contact": "Ali"})
    lines = str(list(Activity.objects.filter(action__startswith="lead.").values_list("details", flat=True)))
    assert "•••" in lines
    for personal in ("info@", "neu@", "+90212", "Ayşe", "Ali", "Çarşı"):
        assert personal not in lines


def test_a_program_and_a_person_are_different_sources(acme, people):
    assert made(acme)["source"] == "api"
    assert made(Api(user=people.alice))["source"] == "manual"
    assert made(acme, source="csv")["source"] == "csv"


def test_a_score_that_nobody_gave_says_how_well_it_can_be_reached(acme):
    assert made(acme)["score"] == 0
    assert made(acme, emails=["a@firma.com.tr"], phones=["+36301234567"])["score"] == 65


# --- how things are kept ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("emails", ["INFO@Lale.com.tr", "info@lale.com.tr"], ["info@lale.com.tr"]),
        ("emails", ["info@example.com"], ["info@example.com"]),
        ("phones", ["+36 30 123 4567", "0036301234567"], ["+36301234567"]),
        ("phones", ["06 30 123 4567"], ["+36301234567"]),
        ("website", "HTTPS://Lale.com.tr", "https://lale.com.tr/"),
        ("website", "https://çini.com.tr/a b", None),
        ("website", "", ""),
        ("socials", ["https://x.com/a", "https://X.com/a"], ["https://x.com/a"]),
        ("address", {"locality": "Pécs", "country": "Magyarország"}, {"locality": "Pécs", "country": "HU"}),
        ("tags", [" fair  2026 ", "fair 2026"], ["fair 2026"]),
        ("company", "  Lale\r\n Çini ", "Lale Çini"),
        ("contact", "Ayşe\nBcc: x@y.example", "Ayşe Bcc: x@y.example"),
    ],
)
def test_contacts_are_kept_as_scrapes_keep_them(acme, people, field, given, kept):
    Workspace.objects.filter(pk=people.acme.pk).update(settings={"timezone": "UTC", "locale": "hu-HU"})
    answer = acme.post(PATH, {"company": "A", field: given})
    if kept is None:
        assert refused(answer, field)
    else:
        assert answer.json()["data"][field] == kept


NATIONAL = "0212 234 56 78"  # Istanbul


@pytest.mark.parametrize(
    ("facts", "understood"),
    [
        ({}, False),
        ({"address": {"country": "TR"}}, True),
        ({"address": {"country": "Türkiye"}}, True),
        ({"website": "https://lale.com.tr"}, True),
        ({"site": "nergis.com.tr"}, True),
        ({"website": "https://lale.hu", "site": "nergis.com.tr"}, False),
        ({"locale": "tr-TR"}, True),
    ],
)
def test_a_national_number_is_at_home_where_the_company_is(acme, people, facts, understood):
    body = {"company": "A", "phones": [NATIONAL]} | facts
    if locale := body.pop("locale", None):
        Workspace.objects.filter(pk=people.acme.pk).update(settings={"timezone": "UTC", "locale": locale})
    if domain := body.pop("site", None):
        body["site_id"] = Site.objects.create(workspace=people.acme, name="N", domain=domain).pk
    answer = acme.post(PATH, body)
    if understood:
        assert answer.json()["data"]["phones"] == ["+902122345678"]
    else:
        assert refused(answer, "phones")
        assert NATIONAL in answer.json()["errors"]["phones"][0]


WRONG = [
    ({"company": ""}, "company"),
    ({"company": None}, "company"),
    ({"company": "x" * 256}, "company"),
    ({"emails": ["nobody"]}, "emails"),
    ({"emails": ["a@localhost"]}, "emails"),
    ({"emails": ["a@firma.com.tr\r\nBcc: b@firma.com.tr"]}, "emails"),
    ({"emails": "a@firma.com.tr"}, "emails"),
    ({"emails": [f"a{n}@firma.com.tr" for n in range(21)]}, "emails"),
    ({"phones": ["12"]}, "phones"),
    ({"phones": ["call me"]}, "phones"),
    ({"website": "lale"}, "website"),
    ({"website": "javascript:alert(1)"}, "website"),
    ({"website": "https://user:secret@lale.com.tr"}, "website"),
    ({"socials": ["ftp://x.com/a"]}, "socials"),
    ({"address": "Kütahya"}, "address"),
    ({"address": {"planet": "Mars"}}, "address.planet"),
    ({"latitude": 39.4}, "longitude"),
    ({"latitude": 91, "longitude": 0}, "latitude"),
    ({"latitude": "nan", "longitude": 0}, "latitude"),
    ({"latitude": 0, "longitude": "-inf"}, "longitude"),
    ({"score": 101}, "score"),
    ({"score": -1}, "score"),
    ({"status": "hot"}, "status"),
    ({"source": "magic"}, "source"),
    ({"tags": ["x" * 81]}, "tags.0"),
    ({"tags": ["x"] * 51}, "tags"),
    ({"identities": []}, "identities"),
    ({"workspace_id": 1}, "workspace_id"),
]


@pytest.mark.parametrize(("body", "field"), WRONG)
def test_what_is_wrong_is_named_and_nothing_is_kept(acme, body, field):
    assert refused(acme.post(PATH, {"company": "A"} | body), field)
    assert not Lead.objects.exists()


@pytest.mark.parametrize(("body", "field"), [pair for pair in WRONG if pair[1] != "longitude"])
def test_a_change_is_checked_as_a_new_one_is(acme, body, field):
    lead = made(acme, **FULL)
    assert refused(acme.patch(f"{PATH}/{lead['id']}", body), field)
    assert acme.get(f"{PATH}/{lead['id']}").json()["data"] == lead


def test_everything_wrong_is_named_at_once(acme):
    body = {"company": "A", "emails": ["x", "a@firma.com.tr", "y"], "phones": ["1"], "website": "z", "latitude": 100}
    answer = acme.post(PATH, body)
    assert refused(answer, "emails", "phones", "website", "latitude", "longitude")
    assert [text.split("'")[1] for text in answer.json()["errors"]["emails"]] == ["x", "y"]


def test_what_was_scraped_is_not_judged_when_something_else_changes(acme, people):
    """Its sources are stricter here and laxer there."""
    lead = Lead.objects.create(workspace=people.acme, company="A", source="website", website="gone", phones=["112"])
    answer = acme.patch(f"{PATH}/{lead.pk}", {"status": "lost"})
    assert (answer.status_code, answer.json()["data"]["phones"]) == (200, ["112"])


# --- whose ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["charlie", "unknown", "gone", "inactive"])
def test_an_owner_is_a_member(acme, people, who):
    if who == "gone":
        members.remove_member(operator(people.acme.pk), people.acme.memberships.get(user=people.bob))
    if who == "inactive":
        people.bob.is_active = False
        people.bob.save()
    pk = {"charlie": people.charlie.pk, "unknown": 987654321}.get(who, people.bob.pk)
    answer = acme.post(PATH, {"company": "A", "owner_id": pk})
    assert refused(answer, "owner_id")
    assert answer.json()["errors"]["owner_id"] == ["Does not exist."]


def test_a_site_is_one_of_the_workspace(acme, foreign_site):
    assert refused(acme.post(PATH, {"company": "A", "site_id": foreign_site.pk}), "site_id")


def test_a_site_or_owner_that_goes_meanwhile_is_not_there(alice, people, site):
    """Between the body's look and the lock; the service looks again."""
    Site.objects.filter(pk=site.pk).delete()
    people.acme.memberships.filter(user=people.bob).delete()
    with pytest.raises(services.Invalid) as caught:
        LEADS.create(alice, company="A", site=site, owner=people.bob)
    assert set(caught.value.errors) == {"site_id", "owner_id"}


def test_a_lead_that_goes_meanwhile_is_not_there(alice, acme):
    row = Lead.objects.get(pk=made(acme)["id"])
    acme.delete(f"{PATH}/{row.pk}")
    for write in (lambda: LEADS.update(alice, row, status="won"), lambda: LEADS.remove(alice, row)):
        with pytest.raises(NotFound):
            write()
    assert not Lead.objects.exists()


def test_a_change_keeps_what_another_one_changed_meanwhile(alice, acme):
    row = Lead.objects.get(pk=made(acme)["id"])
    acme.patch(f"{PATH}/{row.pk}", {"tags": ["new"]})
    LEADS.update(alice, row, status="won")
    assert Lead.objects.values_list("status", "tags").get() == ("won", ["new"])


# --- once -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"emails": ["Info@LALE.com.tr", "other@firma.com.tr"]}, "emails"),
        ({"phones": ["+90 212 234 56 78"]}, "phones"),
        ({"website": "http://www.lale.com.tr/iletisim"}, "website"),
        ({"external_id": "crm-1", "source": "manual"}, "external_id"),
    ],
)
def test_a_company_is_kept_once(acme, other, body, field):
    made(acme, **FULL)
    second = made(acme, company="B")
    assert taken(acme.post(PATH, {"company": "C"} | body)) == [field]
    assert taken(acme.patch(f"{PATH}/{second['id']}", body)) == [field]
    assert acme.get(f"{PATH}/{second['id']}").json()["data"] == second
    assert Lead.objects.count() == 2
    assert other.post(PATH, {"company": "C"} | body).status_code == 201


def test_everything_that_is_taken_is_named(acme):
    made(acme, emails=["a@firma.com.tr"])
    made(acme, phones=["+36301234567"])
    both = {"company": "C", "emails": ["a@firma.com.tr"], "phones": ["+36301234567"], "website": "https://new.com.tr"}
    assert taken(acme.post(PATH, both)) == ["emails", "phones"]


@pytest.mark.parametrize(
    "body",
    [
        {"company": "A"},
        {"company": "A", "website": "https://www.instagram.com/another"},
        {"company": "A", "external_id": "crm-1", "source": "csv"},
    ],
)
def test_what_does_not_name_a_company_is_no_conflict(acme, body):
    made(acme, website="https://www.instagram.com/lale", external_id="crm-1", source="manual")
    assert acme.post(PATH, body).status_code == 201


def test_identities_follow_the_contacts(acme):
    lead = made(acme, **FULL)
    path = f"{PATH}/{lead['id']}"
    assert identities(lead["id"]) == {
        ("external", "manual:crm-1"),
        ("domain", "lale.com.tr"),
        ("email", "info@lale.com.tr"),
        ("phone", "+902122345678"),
    }
    acme.patch(path, {"emails": ["new@lale.com.tr"], "phones": [], "website": "https://cini.com.tr"})
    assert identities(lead["id"]) == {
        ("external", "manual:crm-1"),
        ("domain", "cini.com.tr"),
        ("email", "new@lale.com.tr"),
    }
    freed = {"emails": FULL["emails"], "phones": FULL["phones"], "website": FULL["website"]}
    second = made(acme, company="B", **freed)
    assert taken(acme.patch(path, {"emails": FULL["emails"]})) == ["emails"]
    acme.delete(f"{PATH}/{second['id']}")
    assert acme.patch(path, {"emails": FULL["emails"]}).status_code == 200


def test_a_scrape_completes_what_was_written_by_hand(acme, people):
    lead = made(acme, emails=["info@lale.com.tr"])
    found = Found(company="Lale", website="https://lale.com.tr/", emails=["info@lale.com.tr"], phones=["+902122345678"])
    kept = save_lead(people.acme.pk, found, source="website")
    assert (kept.lead.pk, kept.created, kept.lead.website) == (lead["id"], False, "https://lale.com.tr/")


def test_what_a_scrape_keeps_without_recognising_by_it_stays_so(acme, people):
    """Of several companies of a page: the same switchboard, and pages on the directory's own host."""
    switchboard, host = "+36301234567", "rehber.com.tr"
    for name in ("a", "b"):
        website, email = f"https://{host}/{name}", f"{name}@firma.com.tr"
        found = Found(
            company=name, website=website, emails=[email], phones=[switchboard], host=host, weak=[switchboard]
        )
        save_lead(people.acme.pk, found, source="website")
    first, second = Lead.objects.order_by("pk")
    before = identities(first.pk)
    answer = acme.patch(f"{PATH}/{first.pk}", {"status": "won", "phones": [switchboard], "website": first.website})
    assert (answer.status_code, identities(first.pk)) == (200, before)
    acme.patch(f"{PATH}/{first.pk}", {"website": "https://own.com.tr", "phones": []})
    assert identities(first.pk) == {("domain", "own.com.tr"), ("email", "a@firma.com.tr")}
    assert ("domain", f"{host}/b") in identities(second.pk)


def test_another_address_that_is_the_leads_own_already_is_no_conflict(acme, people):
    """A scrape has found the company under two domains; the lead shows one."""
    lead = save_lead(people.acme.pk, Found(website="https://a.com.tr", emails=["x@a.com.tr"]), source="website").lead
    save_lead(people.acme.pk, Found(website="https://b.com.tr", emails=["x@a.com.tr"]), source="website")
    assert acme.patch(f"{PATH}/{lead.pk}", {"website": "https://b.com.tr"}).status_code == 200
    assert ("domain", "b.com.tr") in identities(lead.pk)


# --- at the same moment -----------------------------------------------------------------------------------------------


def in_threads(calls):
    """All at once, each with a connection of its own."""
    start = threading.Barrier(len(calls))

    def run(call):
        try:
            start.wait(10)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_of_leads_with_one_address_at_the_same_moment_one_is_kept(acme):
    body = {"emails": ["a@firma.com.tr"]}
    answers = in_threads([lambda n=n: acme.post(PATH, {"company": f"C{n}"} | body) for n in range(4)])
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {tuple(taken(answer)) for answer in answers if answer.status_code == 409} == {("emails",)}
    assert Lead.objects.count() == LeadIdentity.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_it_is_the_identities_that_hold_them_together(acme, monkeypatch):
    """The control of the test above: with keys that nobody else can have, the same race makes four."""
    keys = services.keys_by_contact
    monkeypatch.setattr(
        services, "keys_by_contact", lambda f, s: [(k, f"{threading.get_ident()}{v}") for k, v in keys(f, s)]
    )
    body = {"emails": ["a@firma.com.tr"]}
    answers = in_threads([lambda n=n: acme.post(PATH, {"company": f"C{n}"} | body) for n in range(4)])
    assert [answer.status_code for answer in answers] == [201] * 4


@pytest.mark.django_db(transaction=True)
def test_a_scrape_and_a_person_make_one_lead(acme, people, monkeypatch):
    """The scrape takes no lock of the workspace: only the constraint stands between them. It waits here until the
    person's lead is there but not yet told of; without a lock on SQLite, where one writes after the other.
    """
    if connection.vendor == "sqlite":
        pytest.skip("one writer at a time")
    inserted, after_save = threading.Barrier(2), services.LeadWriter.after_save

    def slowly(self, row, before):
        after_save(self, row, before)
        inserted.wait(10)

    monkeypatch.setattr(services.LeadWriter, "after_save", slowly)
    found = Found(company="Scraped", emails=["a@firma.com.tr"], phones=["+36301234567"])

    def scrape():
        inserted.wait(10)
        return save_lead(people.acme.pk, found, source="website")

    answer, kept = in_threads([lambda: acme.post(PATH, {"company": "A", "emails": ["a@firma.com.tr"]}), scrape])
    assert (answer.status_code, kept.created) == (201, False)
    lead = Lead.objects.get()
    assert (lead.company, lead.phones) == ("A", ["+36301234567"])


# --- lists and rights -------------------------------------------------------------------------------------------------


@pytest.fixture
def three(acme, people, site):
    made(acme, company="Lale", emails=["info@lale.com.tr"], tags=["çini", "a"], owner_id=people.bob.pk, status="won")
    made(acme, company="Nergis", phones=["+36301234567"], tags=["çini seramik"], site_id=site.pk, source="csv")
    made(acme, company="Sümbül", contact="Lale Hanım", tags=['say "hi"', "Ç"], source="manual")
    return acme


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Lale", "Nergis", "Sümbül"]),
        ("tag=çini", ["Lale"]),
        ("tag=%20%C3%A7ini%20", ["Lale"]),
        ("tag=Çini", []),
        ('tag=say "hi"', ["Sümbül"]),
        ("tag=%25", []),
        ("tag=", ["Lale", "Nergis", "Sümbül"]),
        ("tag=çini&status=won", ["Lale"]),
        ("owner_id={bob}", ["Lale"]),
        ("owner_id={alice}", []),
        ("site_id={site}", ["Nergis"]),
        ("source=CSV", ["Nergis"]),
        ("source=manual", ["Sümbül"]),
        ("search=lale", ["Lale", "Sümbül"]),
        ("search=INFO@", ["Lale"]),
        ("search=30123", ["Nergis"]),
        ("sort=-company", ["Sümbül", "Nergis", "Lale"]),
        ("sort=score", ["Sümbül", "Nergis", "Lale"]),
    ],
)
def test_lists_are_narrowed_and_sorted(three, people, site, query, found):
    known = {"bob": people.bob.pk, "alice": people.alice.pk, "site": site.pk}
    answer = three.get(f"{PATH}?{query.format(**known)}{'' if 'sort' in query else '&sort=company'}")
    assert [row["company"] for row in answer.json()["data"]] == found


@pytest.mark.parametrize("query", ["owner_id=me", "owner_id=-1", "source=hot", "tags=a"])
def test_a_filter_that_makes_no_sense_is_named(acme, query):
    assert refused(acme.get(f"{PATH}?{query}"), query.partition("=")[0])


def test_the_site_and_the_owner_come_along_if_one_may_see_them(three, people, site, key_for):
    rows = three.get(f"{PATH}?include=site,owner&fields=company&sort=company").json()["data"]
    assert rows[0] == {
        "company": "Lale",
        "site": None,
        "owner": {"id": people.bob.pk, "name": "Bob", "email": "bob@example.org"},
    }
    assert (rows[1]["site"]["id"], rows[1]["owner"]) == (site.pk, None)
    answer = Api(key=key_for(people.acme, "leads:read", "sites:read")).get(f"{PATH}?include=site,owner")
    assert (answer.status_code, "members:read" in answer.json()["message"]) == (403, True)


@pytest.mark.parametrize(
    ("role", "statuses"),
    [
        (Role.VIEWER, {"POST": 403, "PATCH": 403, "PUT": 403, "DELETE": 403}),
        (Role.EDITOR, {"POST": 201, "PATCH": 200, "PUT": 200, "DELETE": 403}),
        (Role.ADMIN, {"POST": 201, "PATCH": 200, "PUT": 200, "DELETE": 204}),
    ],
)
def test_the_role_decides(acme, people, role, statuses):
    people.acme.memberships.filter(user=people.bob).update(role=role)
    path, bob = f"{PATH}/{made(acme)['id']}", Api(user=people.bob)
    for method, status in statuses.items():
        assert bob.call(method, PATH if method == "POST" else path, {"company": "B"}).status_code == status, method


@pytest.mark.parametrize("source", ["api", "manual"])
def test_nothing_is_scraped_from_people(acme, site, source):
    answer = acme.post(f"{PATH}/scrape", {"site_id": site.pk, "source": source, "terms": ["https://example.com/"]})
    assert refused(answer, "source")
    assert source not in answer.json()["errors"]["source"][0].partition(":")[2].split(", ")


# --- the admin --------------------------------------------------------------------------------------------------------


def test_staff_change_what_people_decide_and_nothing_else(acme, people):
    lead = made(acme, **FULL)
    api, page = staff(people.alice), address(Lead, "change", lead["id"])
    form = {"workspace": people.other.pk, "status": "lost", "owner": people.bob.pk, "tags": "a\r\n b \r\na\r\n"}
    answer = post(api, page, **form, company="Stolen", score=1)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    row = Lead.objects.get()
    assert (row.status, row.owner, row.tags) == ("lost", people.bob, ["a", "b"])
    assert (row.company, row.score, row.workspace) == (lead["company"], lead["score"], people.acme)
    line = Activity.objects.order_by("-seq").filter(action="lead.updated").first()
    assert (line.via, line.user, set(json.loads(line.details))) == (
        "admin",
        people.alice,
        {"status", "owner_id", "tags"},
    )


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"owner": "{charlie}"}, "Select a valid choice"),
        ({"tags": "x" * 81}, "At most 50 tags of at most 80 characters."),
        ({"status": "hot"}, "Select a valid choice"),
    ],
)
def test_staff_are_told_what_is_wrong(acme, people, form, told):
    lead = made(acme, **FULL)
    given = {name: value.format(charlie=people.charlie.pk) for name, value in form.items()}
    answer = post(staff(people.alice), address(Lead, "change", lead["id"]), **{"status": "new"} | given)
    assert (answer.status_code, told in answer.content.decode()) == (200, True)
    assert Lead.objects.get().status == "qualified"


def test_a_viewer_changes_nothing_in_the_admin(acme, people):
    api, page = staff(people.bob), address(Lead, "change", made(acme, **FULL)["id"])
    assert api.get(page).status_code == 200
    assert post(api, page, status="lost").status_code == 403
    assert Lead.objects.get().status == "qualified"
