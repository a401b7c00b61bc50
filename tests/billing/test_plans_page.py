"""`/billing/workspaces/…/`: where mails, refusals and Stripe send owners, who may not see the admin."""

from urllib.parse import urlsplit

import pytest

from billing import stripe_sdk
from billing.models import Subscription
from billing.referrals import code_of
from billing.selectors import upgrade_url
from tests.billing.conftest import handle, send
from tests.conftest import Api


@pytest.fixture
def url(people) -> str:
    return urlsplit(upgrade_url(people.acme.pk)).path


@pytest.fixture
def free(people):
    Subscription.objects.update(plan="free")


def test_an_owner_without_rights_to_the_admin_subscribes_here(stripe, people, free, url):
    alice = Api(user=people.alice)
    assert not people.alice.is_staff
    page = alice.get(url)
    assert page.status_code == 200
    assert 'value="growth_eur_year"' in page.content.decode()
    assert code_of(people.acme.pk) in page.content.decode()
    answer = alice.client.post(url, {"price": "growth_eur_year", "referrer": "AJANS-0000-0000"})
    (session,) = stripe.sessions.values()
    assert (answer.status_code, answer.headers["Location"]) == (302, session["url"])
    assert "https://checkout.stripe.com" in answer.headers["Content-Security-Policy"].split("form-action")[1]
    assert session["metadata"]["referrer_code"] == "AJANS-0000-0000"
    assert session["cancel_url"] == upgrade_url(people.acme.pk)


def test_who_pays_already_is_led_to_the_portal(life, customer, people, url):
    send(*life.stripe.events.values())
    handle()
    alice = Api(user=people.alice)
    assert "growth_eur_year" not in alice.get(url).content.decode()
    answer = alice.client.post(url)
    assert answer.headers["Location"].startswith("https://billing.stripe.com/p/session/")
    assert alice.client.post(url, {"price": "growth_eur_year"}).status_code == 409


def test_amounts_are_in_the_currency_that_was_chosen(people, free, url):
    assert "growth_huf_month" in Api(user=people.alice).get(f"{url}?currency=huf").content.decode()
    assert "growth_eur_month" in Api(user=people.alice).get(f"{url}?currency=x").content.decode()


def test_who_is_no_owner_reads_and_pays_not(stripe, people, free, url):
    bob = Api(user=people.bob)
    page = bob.get(url)
    assert page.status_code == 200
    assert "<button" not in page.content.decode().split("<main")[1].split("</main")[0]
    assert bob.client.post(url, {"price": "growth_eur_year"}).status_code == 403
    assert stripe.calls == []


def test_another_workspace_is_404(people, url):
    assert Api(user=people.charlie).get(url).status_code == 404


@pytest.mark.parametrize(
    ("fault", "change", "status"),
    [
        ("none", {}, 503),
        ("away", {}, 502),
        ("silent", {}, 504),
        ("none", {"price": "gold_eur_year"}, 400),
        ("none", {"price": ""}, 400),
        ("none", {"referrer": "<b>"}, 400),
        ("none", {"referrer": "A" * 65}, 400),
    ],
)
def test_what_cannot_be_done_is_said_on_the_page(request, people, free, url, monkeypatch, fault, change, status):
    if fault != "none":
        stripe = request.getfixturevalue("stripe")
        monkeypatch.setattr(stripe_sdk, "TIMEOUT", 0.2)
        stripe.fails(500) if fault == "away" else stripe.hangs()
    answer = Api(user=people.alice).client.post(url, {"price": "growth_eur_year"} | change)
    assert answer.status_code == status
    assert "Subscription of Acme" in answer.content.decode()


@pytest.mark.parametrize("path", ["/billing/return?session_id=cs_1", "/billing/portal/x/", "page"])
def test_pages_have_the_limit_of_the_billing_routes(stripe, people, url, path):
    alice = Api(user=people.alice)
    answers = [alice.get(url if path == "page" else path) for _ in range(61)]
    assert 429 not in [answer.status_code for answer in answers[:60]]
    assert answers[60].status_code == 429
    assert 0 < int(answers[60].headers["Retry-After"]) <= 60
    assert alice.post("/api/billing/portal", {"customerId": "cus_1"}).status_code == 429, "it is one count"
