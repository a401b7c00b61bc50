"""Every event that can be subscribed to, in words, with an example: for the API and the docs."""

from typing import Any

from ajansops.kit.public_events import PublicEvent, public_events

EXAMPLE_ID = "evt_2vF8kQm1ZxT0aYcB7nWpLr3d"
EXAMPLE_AT = "2026-01-15T10:30:00Z"
EXAMPLE_WORKSPACE = 69


def catalogue() -> list[dict[str, Any]]:
    """Alphabetically."""
    return [_entry(event) for _, event in sorted(public_events().items())]


def _entry(event: type[PublicEvent]) -> dict[str, Any]:
    return {"type": event.type, "description": (event.__doc__ or "").strip(), "example": example(event)}


def example(event: type[PublicEvent]) -> dict[str, Any]:
    """What an endpoint would be sent."""
    return {
        "id": EXAMPLE_ID,
        "type": event.type,
        "created_at": EXAMPLE_AT,
        "data": event.example,
        "workspace_id": EXAMPLE_WORKSPACE,
    }
