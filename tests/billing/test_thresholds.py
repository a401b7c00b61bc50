"""A workspace is told at 80 and at 100 percent, once a period: as an event, and by mail to its owners."""

import json

import pytest

from accounts.models import Workspace
from accounts.roles import Role
from accounts.services.members import add_member
from ajansops.kit.entitlements import Feature, entitlements
from ajansops.kit.periodic import task
from billing import periods
from billing.services import set_plan
from sites.models import Site
from webhooks.models import Endpoint, Event, first_secret

EMAILS = Feature.EMAILS


@pytest.fixture
def pk(people):
    set_plan(people.acme.pk, "free")
    hook = {"url": "http://127.0.0.1:9/hook", "events": ["usage.*"], "secret": first_secret()}
    Endpoint.objects.create(workspace=people.acme, **hook)
    return people.acme.pk


def spend(pk: int, quantity: int, source: str) -> None:
    entitlements().use(pk, EMAILS, quantity, source)


def tell(mailoutbox) -> tuple[list[int], int]:
    """The percentages that were told since the last time, and the number of mails."""
    events, mails = Event.objects.filter(type="usage.threshold"), len(mailoutbox)
    before = set(events.values_list("pk", flat=True))
    task("tell_usage").run()
    task("billing_notices").run()
    told = [json.loads(bytes(row.body))["data"]["percent"] for row in events.order_by("pk") if row.pk not in before]
    return told, len(mailoutbox) - mails


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([79], [[]]),
        ([80], [[80]]),
        ([79, 1, 19, 1], [[], [80], [], [100]]),
        ([100], [[80, 100]]),
    ],
)
def test_each_threshold_is_told_when_it_is_reached(pk, mailoutbox, steps, told):
    seen = []
    for number, quantity in enumerate(steps):
        spend(pk, quantity, f"mail:{number}")
        percents, mails = tell(mailoutbox)
        assert mails == len(percents)
        seen.append(percents)
    assert seen == told


def test_the_event_says_what_is_used(pk):
    spend(pk, 85, "mail:1")
    task("tell_usage").run()
    told = json.loads(bytes(Event.objects.get(type="usage.threshold").body))
    assert told["workspace_id"] == pk
    reset_at = told["data"].pop("reset_at")
    assert reset_at.endswith("Z")
    assert told["data"] == {"feature": "emails", "percent": 80, "used": 85, "limit": 100}


def test_it_is_told_once_in_a_period_and_again_in_the_next(pk, mailoutbox, monkeypatch):
    spend(pk, 80, "mail:1")
    assert tell(mailoutbox) == ([80], 1)
    entitlements().refund(pk, EMAILS, "mail:1", 10)
    spend(pk, 10, "mail:2")
    assert tell(mailoutbox) == ([], 0)
    end = periods.current_period(pk).end
    monkeypatch.setattr(periods, "now", lambda: end)
    spend(pk, 80, "mail:3")
    assert tell(mailoutbox) == ([80], 1)


def test_a_gauge_is_told_too(pk, people, mailoutbox):
    set_plan(pk, "starter")
    for number in range(8):
        entitlements().admit(pk, Feature.SITES)
        Site.objects.create(workspace_id=pk, name="S", domain=f"s{number}.example.com")
    assert tell(mailoutbox) == ([80], 1)


def test_without_a_limit_nothing_is_told(pk, mailoutbox):
    set_plan(pk, "enterprise")
    spend(pk, 1_000_000, "mail:1")
    assert tell(mailoutbox) == ([], 0)


def test_only_owners_get_the_mail(pk, people, mailoutbox):
    spend(pk, 80, "mail:1")
    tell(mailoutbox)
    assert [mail.to for mail in mailoutbox] == [["alice@example.org"]]


def test_every_owner_gets_one(pk, people, mailoutbox):
    add_member(people.acme, people.charlie, Role.OWNER)
    spend(pk, 80, "mail:1")
    assert tell(mailoutbox) == ([80], 2)


@pytest.mark.parametrize(
    ("locale", "subject", "text"),
    [
        ("en-GB", "Acme: 80% of the limit is used (E-mail)", "Acme has used 80 of 100 (E-mail)."),
        ("tr-TR", "Acme: sınırın %80'i kullanıldı (E-posta)", "Acme, 100 sınırının 80 birimini kullandı (E-posta)."),
        ("hu-HU", "Acme: a korlát 80%-a elfogyott (E-mail)", "Acme: 80 felhasználva ebből: 100 (E-mail)."),
    ],
)
def test_it_is_written_in_the_workspaces_language(pk, mailoutbox, locale, subject, text):
    workspace = Workspace.objects.get(pk=pk)
    workspace.settings["locale"] = locale
    workspace.save()
    spend(pk, 80, "mail:1")
    tell(mailoutbox)
    [mail] = mailoutbox
    assert mail.subject == subject
    assert text in mail.body
    assert text in mail.alternatives[0][0]
    assert "http" in mail.body
