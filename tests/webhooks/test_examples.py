"""The examples of the catalogue and of the page for receivers are true; operators' commands do what they say."""

import json
import re
import time
from datetime import timedelta
from itertools import product

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from ajansops.kit.clock import iso, now
from ajansops.kit.public_events import public_events
from tests.webhooks.page import PAGE, documented
from tests.webhooks.test_endpoints import SITE
from webhooks.catalogue import example
from webhooks.models import Delivery, Endpoint, Event, Outbox
from webhooks.periodic import KEPT, forget_old, forget_secrets


@pytest.mark.parametrize("event", public_events().values(), ids=lambda event: event.type)
def test_an_example_has_the_fields_of_its_object(event):
    assert set(event.example) == set(import_string(event.serializer)().fields)


def run(capsys, *arguments: str):
    call_command("webhooks", *arguments, "--json")
    return json.loads(capsys.readouterr().out)


def test_the_commands(acme, receiver, dispatch, endpoint, capsys):
    begin = iso(now() - timedelta(minutes=1))
    acme.post("/api/v1/sites", SITE)
    [shown] = run(capsys, "list", "--workspace", "acme")
    assert (shown["id"], shown["url"], shown["workspace"]) == (endpoint["id"], receiver.url, "acme")
    assert shown["oldest_pending"]
    [delivery] = run(capsys, "list", "--endpoint", str(endpoint["id"]), "--status", "pending")
    Delivery.objects.update(status="retrying", attempts=1, next_attempt_at=now() + timedelta(hours=1))
    assert run(capsys, "retry", str(delivery["id"]))["attempt"] == 2
    dispatch()
    assert len(receiver.taken) == 1
    assert run(capsys, "replay", str(endpoint["id"]), "--since", begin) == {"deliveries": 0}
    again = run(capsys, "replay", str(endpoint["id"]), "--since", begin, "--include-delivered")
    assert again["deliveries"] == 1
    call_command("webhooks", "list", "--endpoint", str(endpoint["id"]), "--limit", "1")
    assert capsys.readouterr().out.endswith("… and 1 more: see --limit.\n")
    call_command("webhooks", "list")
    assert receiver.url in capsys.readouterr().out
    for wrong in ("-1", "0", "many"):
        with pytest.raises(CommandError, match="no number from 1"):
            call_command("webhooks", "list", f"--limit={wrong}")
    with pytest.raises(CommandError, match="no time such as"):
        call_command("webhooks", "replay", str(endpoint["id"]), "--since", "0001-01-01T00:00:00+14:00")
    with pytest.raises(CommandError, match="already succeeded"):
        call_command("webhooks", "retry", str(delivery["id"]))


def test_old_events_are_forgotten_with_their_deliveries(acme, endpoint):
    acme.post("/api/v1/sites", SITE)
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    Event.objects.filter(pk=Event.objects.first().pk).update(created_at=now() - KEPT - timedelta(minutes=1))
    assert forget_old() == {"webhook_events_removed": 0}, "it is still to be sent"
    Delivery.objects.update(status="failed", next_attempt_at=None)
    assert forget_old() == {"webhook_events_removed": 1}
    assert (Event.objects.count(), Delivery.objects.count(), Endpoint.objects.count()) == (1, 1, 1)


def test_a_secret_that_no_longer_signs_is_wiped(acme, endpoint):
    for path in (f"{endpoint['id']}", "jobs"):
        acme.post(f"/api/v1/webhooks/{path}/rotate-secret")
    assert forget_secrets() == {"webhook_secrets_removed": 0}
    for model in (Endpoint, Outbox):
        model.objects.update(old_until=now())
    assert forget_secrets() == {"webhook_secrets_removed": 2}
    assert {row.old_secret for model in (Endpoint, Outbox) for row in model.objects.all()} == {""}


def test_a_receiver_written_from_the_page_verifies_every_delivery(acme, receiver, dispatch, endpoint):
    """Before, while and after a secret is rotated: each secret that signs is enough."""
    page, old = documented(), endpoint["secret"]
    acme.post("/api/v1/sites", SITE)
    dispatch()
    new = acme.post(f"/api/v1/webhooks/{endpoint['id']}/rotate-secret").json()["data"]["secret"]
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    dispatch()
    Endpoint.objects.update(old_until=now())
    acme.post("/api/v1/sites", SITE | {"domain": "three.example.com"})
    dispatch()
    for check in (page.verified_by_library, page.verified_by_hand):
        found = [[check(taken.body, taken.headers, secret) for secret in (old, new)] for taken in receiver.taken]
        assert found == [[True, False], [True, True], [False, True]]
        taken = receiver.taken[-1]
        assert not check(taken.body + b" ", taken.headers, new)
        late = taken.headers | dict.fromkeys(("webhook-timestamp", "x-webhook-timestamp"), str(int(time.time()) - 301))
        assert not check(taken.body, late, new)
        assert not check(taken.body, {}, new)


def test_the_page_names_the_headers_that_come(acme, receiver, dispatch, endpoint):
    acme.post("/api/v1/sites", SITE)
    dispatch()
    shown = {name.lower() for name in re.findall(r"^([\w-]+): ", PAGE, re.MULTILINE)}
    assert {name for name in receiver.taken[0].headers if name.startswith(("x-", "webhook-"))} <= shown


def test_the_page_shows_a_request_that_is_signed_as_it_says():
    """What a receiver tries its code on. And it is an event as it comes."""
    page, secret = documented(), re.search(r"`(whsec_\S+)`", PAGE)[1]
    lines = re.search(r"```http\n(.*?)```", PAGE, re.DOTALL)[1].splitlines()
    body, headers = lines[-1], dict(line.split(": ", 1) for line in lines[1:-2])
    headers = {name.lower(): value for name, value in headers.items()}
    assert json.loads(body) == example(public_events()["usage.threshold"])
    with time_machine.travel(int(headers["webhook-timestamp"])):
        assert page.verified_by_library(body.encode(), headers, secret)
        assert page.verified_by_hand(body.encode(), headers, secret)


def test_what_is_malformed_is_not_verified():
    page, secret, signed = documented(), f"whsec_{'A' * 32}", str(int(time.time()))
    stamps, signatures = (
        ("", "now", "1" * 5000, "²", signed),
        ("", "v1", "v1,a,b", "v1,€", "\udcff", "v1,!!!!", "a" * 64),
    )
    for stamp, signature, body in product(stamps, signatures, (b"{}", b"\xff")):
        headers = dict.fromkeys(("x-webhook-signature", "webhook-signature"), signature) | {"webhook-id": "evt_1"}
        headers |= dict.fromkeys(("x-webhook-timestamp", "webhook-timestamp"), stamp)
        assert not page.verified_by_library(body, headers, secret)
        assert not page.verified_by_hand(body, headers, secret)
