"""A window of time that ends before it begins is a mistake, not an empty replay."""

import json

import pytest
from django.core.management import CommandError, call_command


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


def test_a_window_from_and_to_what_a_receiver_has_seen_holds_it(acme, receiver, endpoint, dispatch):
    acme.post("/api/v1/sites", {"name": "Tea", "domain": "tea.example.com"})
    dispatch()
    seen = json.loads(receiver.taken[-1].body)["created_at"]
    window = {"since": seen, "until": seen, "include_delivered": True}
    answer = acme.post(f"/api/v1/webhooks/{endpoint['id']}/replay", window)
    assert answer.json()["data"]["deliveries"] == 1
