"""What endpoints are sent, in the API's description of itself (`webhooks` of OpenAPI): the catalogue, for the docs."""

from typing import Any

from ajansops.kit.public_events import PublicEvent, public_events
from webhooks.catalogue import example

JSON_TYPE = "application/json"
TEXT = {"type": "string"}
# Those of each request, as `signatures.signed_headers` makes them; by name of the component.
HEADERS = {
    "WebhookId": ("webhook-id", "The event's id, the same at each attempt."),
    "WebhookTimestamp": ("webhook-timestamp", "Of the attempt, in Unix seconds."),
    "WebhookSignature": ("webhook-signature", "Standard Webhooks: `v1,` and base64 for each secret, a space between."),
    "XWebhookId": ("X-Webhook-Id", "As `webhook-id`."),
    "XWebhookEvent": ("X-Webhook-Event", "As `type`."),
    "XWebhookTimestamp": ("X-Webhook-Timestamp", "As `webhook-timestamp`."),
    "XWebhookSignature": ("X-Webhook-Signature", "Hexadecimal for each secret, a comma between."),
    "XRequestId": ("X-Request-ID", "Of the call that made the change."),
}


def describe(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    components = result["components"]
    components["parameters"] = {
        key: {"name": name, "in": "header", "description": text, "schema": TEXT}
        for key, (name, text) in HEADERS.items()
    }
    schemas = components["schemas"]
    result["webhooks"] = {name: {"post": _call(event, schemas)} for name, event in sorted(public_events().items())}
    return result


def _call(event: type[PublicEvent], schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"webhook_{event.type.replace('.', '_')}",
        "summary": (event.__doc__ or "").strip(),
        "description": "docs/webhooks.md says how to verify it, what to answer, and when it is sent again.",
        "tags": ["webhooks"],
        "parameters": [{"$ref": f"#/components/parameters/{key}"} for key in HEADERS],
        "requestBody": {
            "required": True,
            "content": {JSON_TYPE: {"schema": _body(event, schemas), "example": example(event)}},
        },
        "responses": {"2XX": {"description": "It was taken. Everything else is tried again."}},
    }


def _body(event: type[PublicEvent], schemas: dict[str, Any]) -> dict[str, Any]:
    name = event.serializer.rpartition(".")[2].removesuffix("Serializer")
    properties = {
        "id": TEXT,
        "type": {"const": event.type},
        "created_at": TEXT | {"format": "date-time"},
        "data": {"$ref": f"#/components/schemas/{name}"} if name in schemas else {"type": "object"},
        "workspace_id": {"type": "integer"},
    }
    return {"type": "object", "properties": properties, "required": [*properties]}
