"""What an endpoint is told when somebody tries it."""

from dataclasses import dataclass
from typing import ClassVar

from ajansops.kit.permissions import Permission
from ajansops.kit.public_events import JSON, PublicEvent


@dataclass(frozen=True, slots=True)
class WebhookTest(PublicEvent):
    """Somebody tries the endpoint. It is sent once, to this endpoint alone, and by no subscription."""

    type: ClassVar[str] = "webhook.test"
    serializer: ClassVar[str] = "webhooks.api.serializers.EndpointSerializer"
    path: ClassVar[str] = "webhooks"
    right: ClassVar[Permission] = Permission.CHANGE_WEBHOOK
    example: ClassVar[JSON] = {
        "id": 1,
        "url": "https://your-app.example/webhooks",
        "events": ["post.*"],
        "is_active": True,
        "disabled_reason": "",
        "success_count": 150,
        "failure_count": 2,
        "consecutive_failures": 0,
        "last_delivery_at": "2026-01-15T10:30:00Z",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-15T10:30:00Z",
    }


EVENTS = (WebhookTest,)
