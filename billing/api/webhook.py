"""Where Stripe tells what has happened."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.errors import PayloadTooLarge
from ajansops.api.parsers import MAX_BYTES
from ajansops.api.views import Public, SurfaceView
from billing.inbox import receive


class ReceivedSerializer(serializers.Serializer[Any]):
    """The event is kept."""

    received = serializers.BooleanField()


class StripeWebhookView(SurfaceView):
    """The signature is the credential; a session or a key is none here. Any content type: the bytes are what counts."""

    rights = {"post": Public}
    authentication_classes = []
    unlimited = True
    scheme = "stripeSignature"
    answers = {"post": {200: ReceivedSerializer}}
    faults = {"post": (400, 503)}

    def examine(self, request: Request, path: Mapping[str, Any]) -> None:
        """Nothing is parsed before the signature is checked."""

    def post(self, request: Request) -> Response:
        """Keeps it, once. What it means is found out by a worker. 400 `invalid_signature` for what is not Stripe's."""
        body = request._request.body  # noqa: SLF001
        if len(body) > MAX_BYTES:
            raise PayloadTooLarge
        receive(body, request.headers.get("Stripe-Signature", ""))
        return self.reply({"received": True})
