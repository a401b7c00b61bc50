"""The examples of the catalogue have the fields that core shows; operators' commands do what they say."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils.module_loading import import_string

from ajansops.kit.clock import iso, now
from ajansops.kit.public_events import public_events
from tests.webhooks.test_endpoints import SITE
from webhooks.models import Delivery, Endpoint, Event
from webhooks.periodic import KEPT, forget_old


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
    assert (shown["id"], shown["url"]) == (endpoint["id"], receiver.url)
    assert shown["oldest_pending"]
    [delivery] = run(capsys, "list", "--endpoint", str(endpoint["id"]), "--status", "pending")
    Delivery.objects.update(status="retrying", attempts=1, next_attempt_at=now() + timedelta(hours=1))
    assert run(capsys, "retry", str(delivery["id"]))["attempt"] == 2
    dispatch()
    assert len(receiver.taken) == 1
    assert run(capsys, "replay", str(endpoint["id"]), "--since", begin) == {"deliveries": 0, "more": False}
    again = run(capsys, "replay", str(endpoint["id"]), "--since", begin, "--include-delivered")
    assert again["deliveries"] == 1
    call_command("webhooks", "list")
    assert receiver.url in capsys.readouterr().out
    with pytest.raises(CommandError, match="already succeeded"):
        call_command("webhooks", "retry", str(delivery["id"]))


def test_old_events_are_forgotten_with_their_deliveries(acme, endpoint):
    acme.post("/api/v1/sites", SITE)
    acme.post("/api/v1/sites", SITE | {"domain": "two.example.com"})
    Event.objects.filter(pk=Event.objects.first().pk).update(created_at=now() - KEPT - timedelta(minutes=1))
    assert forget_old() == {"webhook_events_removed": 1}
    assert (Event.objects.count(), Delivery.objects.count(), Endpoint.objects.count()) == (1, 1, 1)
