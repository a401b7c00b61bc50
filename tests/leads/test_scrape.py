"""A scrape from the directory to the leads."""

import json

import pytest

from ajansops.demo.server import redirect, text
from ajansops.demo.website import EXPECTED_LEADS
from leads.models import Lead, LeadIdentity
from leads.services.scrape import start_scrape

pytestmark = pytest.mark.django_db(transaction=True)


def ld(*shops):
    return f'<html lang="tr"><script type="application/ld+json">{json.dumps(shops)}</script>'


def shop(name, **facts):
    return {"@type": "Store", "name": name, **facts}


def found():
    return {lead.company: (set(lead.emails), set(lead.phones)) for lead in Lead.objects.all()}


def test_the_demo_directory_gives_exactly_the_expected_leads(scrape, directory, site):
    job = scrape(f"{directory}/rehber")
    assert (job.status, job.failed, job.total) == ("completed", 0, 1 + len(EXPECTED_LEADS))
    assert found() == {lead.name: (lead.emails, lead.phones) for lead in EXPECTED_LEADS.values()}
    lead = Lead.objects.get(company="Toprak Seramik Atölyesi")
    assert (lead.status, lead.source, lead.site, lead.website) == (
        "new",
        "website",
        site,
        f"{directory}/firma/toprak-seramik/",
    )
    assert lead.address["locality"] == "Kütahya"
    assert (lead.latitude, lead.longitude) == (39.4192, 29.9857)


def test_a_second_scrape_adds_nothing_and_changes_nothing_of_peoples(scrape, directory, people):
    scrape(f"{directory}/rehber")
    Lead.objects.filter(company="Mavi Dokuma").update(
        status="contacted", score=7, tags=["vip"], owner=people.alice, company="Mavi (ours)"
    )
    before = list(Lead.objects.order_by("pk").values())
    identities = LeadIdentity.objects.count()
    scrape(f"{directory}/rehber")
    assert list(Lead.objects.order_by("pk").values()) == before
    assert LeadIdentity.objects.count() == identities


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_the_limit_of_kept_leads_is_exact(scrape, directory, limit):
    job = scrape(f"{directory}/rehber", limit=limit)
    assert Lead.objects.count() == limit
    assert job.status == "completed"
    skipped = [item for item in job.items.all() if item.result == {"skipped": "limit_reached"}]
    assert len(skipped) == len(EXPECTED_LEADS) - limit


def test_the_limit_counts_known_leads_too_and_a_company_found_twice_once(scrape, serve):
    one = shop("A", url="/a", telephone="+36 30 555 0123")
    again = shop("A again", url="/b", email="b@firma.com.tr")
    pages = serve({"/": ld(one, again, shop("C", url="/c", telephone="+36 30 555 0124"))})
    scrape(f"{pages.url}/", limit=2)
    names = set(Lead.objects.values_list("company", flat=True))
    scrape(f"{pages.url}/", limit=2)
    assert set(Lead.objects.values_list("company", flat=True)) == names
    assert len(names) == 2


def test_robots_txt_is_obeyed(scrape, serve):
    pages = serve({"/robots.txt": text("User-agent: *\nDisallow: /closed", "text/plain"), "/closed": ld(shop("A"))})
    job = scrape(f"{pages.url}/closed")
    assert (job.status, job.error["code"]) == ("failed", "robots_disallowed")
    assert pages.asked == ["/robots.txt"]


def test_a_page_that_a_redirect_leads_to_needs_its_own_permission(scrape, serve):
    rules = text("User-agent: *\nDisallow: /closed", "text/plain")
    tree = {"/robots.txt": rules, "/open": redirect("/closed"), "/closed": ld(shop("A", email="a@firma.com.tr"))}
    pages = serve(tree)
    assert scrape(f"{pages.url}/open").error["code"] == "robots_disallowed"
    assert not Lead.objects.exists()


def test_a_robots_txt_that_cannot_be_read_is_a_no(scrape, serve):
    pages = serve({"/robots.txt": text("", status=503), "/": ld(shop("A", email="a@firma.com.tr"))})
    assert scrape(f"{pages.url}/").status == "failed"
    assert "/" not in pages.asked


def test_robots_txt_is_fetched_once_and_one_request_at_a_time(scrape, serve):
    shops = [shop(f"Shop {n}", url=f"/{n}/", email=f"a@firma{n}.com.tr") for n in range(12)]
    robots = {"/robots.txt": text("User-agent: *\nAllow: /", "text/plain")}
    pages = serve({"/": ld(*shops), **robots, **{f"/{n}/": "<html>" for n in range(12)}})
    assert scrape(f"{pages.url}/").done == 13
    assert pages.together == 1
    assert sorted(pages.asked) == sorted(["/", "/robots.txt", *(f"/{n}/" for n in range(12))])


def test_a_company_whose_website_is_away_is_kept_as_the_directory_has_it(scrape, serve):
    away = "http://127.0.0.1:9/"
    pages = serve(
        {"/": ld(shop("A", url=away, email="a@firma.com.tr"), shop("B", url="/missing/", email="b@b.com.tr"))}
    )
    job = scrape(f"{pages.url}/")
    assert (job.status, job.failed) == ("completed", 0)
    assert {name: emails for name, (emails, _) in found().items()} == {"A": {"a@firma.com.tr"}, "B": {"b@b.com.tr"}}
    results = {item.key: item.result for item in job.items.filter(key__startswith="org:")}
    assert results[f"org:{away}"]["enrichment"] == "fetch_failed"
    assert results[f"org:{pages.url}/missing/"]["enrichment"] == "not_a_page"


def test_a_page_without_structured_data_is_a_company(scrape, serve):
    pages = serve(
        {
            "/": "<html lang=tr><title>Fırın A | Ana sayfa</title><a href=/iletisim>İletişim</a>",
            "/iletisim": "<html lang=tr><p>0212 555 01 23, merhaba@firin.com.tr</p>",
        }
    )
    scrape(f"{pages.url}/")
    assert found() == {"Fırın A": ({"merhaba@firin.com.tr"}, {"+902125550123"})}


def test_companies_of_one_host_are_not_taken_for_one(scrape, serve):
    footer = "<footer>Rehber: info@rehber.com.tr 0212 555 01 99 <a href=/iletisim>İletişim</a></footer>"
    pages = serve(
        {
            "/": ld(shop("A", url="/a/"), shop("B", url="/b/"), shop("Rehber", url="/")) + footer,
            "/a/": f"<html lang=tr>a@firma.com.tr {footer}",
            "/b/": f"<html lang=tr>b@firma.com.tr {footer}",
            "/iletisim": "<html lang=tr>genel@rehber.com.tr",
        }
    )
    scrape(f"{pages.url}/")
    assert set(found()) == {"A", "B", "Rehber"}
    assert all("genel@rehber.com.tr" not in found()[name][0] for name in ("A", "B"))


def test_a_phone_that_all_companies_of_a_page_have_does_not_make_them_one(scrape, serve):
    shops = [shop(name, telephone="+90 212 555 01 99") for name in "AB"]
    pages = serve({"/": ld(*shops)})
    for _ in range(2):
        scrape(f"{pages.url}/")
        assert found() == {"A": (set(), {"+902125550199"}), "B": (set(), {"+902125550199"})}


def test_what_nobody_can_reach_is_not_kept(scrape, serve):
    pages = serve({"/": ld(shop("A"), shop("B", email="b@b.com.tr"))})
    job = scrape(f"{pages.url}/")
    assert set(found()) == {"B"}
    assert job.items.get(key="org:a").result == {"skipped": "unreachable"}


def test_text_that_a_database_refuses_does_not_stop_the_scrape(scrape, serve):
    bad = "\0\ud800"
    facts = {"address": {"streetAddress": f"x{bad}"}, "url": f"/{bad}", "sameAs": f"https://instagram.com/a{bad}"}
    pages = serve({"/": ld(shop(f"A{bad}", email="a@firma.com.tr", **facts))})
    assert scrape(f"{pages.url}/").status == "completed"
    assert set(found()) == {"A"}


def test_a_private_address_is_refused_and_the_error_does_not_say_why(scrape, serve):
    job = scrape("http://127.0.0.2/")
    assert job.error == {"code": "fetch_failed", "message": "The address could not be fetched."}


def test_a_site_deleted_during_the_scrape_does_not_stop_it(alice, site, work, directory):
    start_scrape(alice, site, terms=[f"{directory}/rehber"])
    site.delete()
    work()
    assert Lead.objects.filter(site=None).count() == len(EXPECTED_LEADS)
