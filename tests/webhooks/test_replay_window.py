"""What a replay brings: which window of time, of which events, of whose."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command

from ajansops.kit.clock import now
from webhooks.models import Event

SITE = {"name": "Tea", "domain": "tea.example.com"}


@pytest.mark.parametrize(
    ("window", "wrong"),
    [
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "until"),
        ({"since": "2999-01-01T00:00:00Z"}, "since"),
    ],
)
def test_a_window_that_ends_before_it_begins_is_refused(acme, endpoint, window, wrong):
    answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/replay", window)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [wrong])
    with pytest.raises(CommandError, match=f"{wrong}: The window ends before it begins"):
        call_command("webhooks", "replay", str(endpoint["id"]), *(f"--{name}={at}" for name, at in window.items()))


def replay(api, endpoint: int, **fields):
    body = {"since": (now() - timedelta(minutes=1)).isoformat(), "include_delivered": True} | fields
    answer = api.post(f"/api/v1/webhooks/{endpoint}/replay", body)
    assert answer.status_code == 202, answer.content
    return answer.json()["data"]["deliveries"]


def test_a_replay_brings_what_the_endpoint_wants_of_its_workspace_and_window(acme, other, receiver, endpoint):
    posts = acme.post("/api/v1/webhooks", {"url": receiver.url, "events": ["post.*"]}).json()["data"]["id"]
    theirs = other.post("/api/v1/webhooks", {"url": receiver.url, "events": ["*"]}).json()["data"]["id"]
    acme.post("/api/v1/sites", SITE)
    created = Event.objects.get(type="site.created").created_at.isoformat()
    assert replay(acme, endpoint["id"]) == 1
    assert replay(acme, endpoint["id"], since=created, until=created) == 1, "both ends are in it"
    assert replay(acme, endpoint["id"], since=now().isoformat()) == 0
    assert replay(acme, posts) == 0
    assert replay(other, theirs) == 0


def test_a_window_from_and_to_what_a_receiver_has_seen_holds_it(acme, receiver, endpoint, dispatch):
    acme.post("/api/v1/sites", SITE)
    dispatch()
    seen = json.loads(receiver.taken[-1].body)["created_at"]
    window = {"since": seen, "until": seen, "include_delivered": True}
    answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/replay", window)
    assert answer.json()["data"]["deliveries"] == 1
