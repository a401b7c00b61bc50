"""Paying on the insight surface, as its reference shows it."""

from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.throttling import BILLING
from ajansops.api.views import SurfaceView
from ajansops.kit.permissions import Permission
from billing.api.serializers import CheckoutBody, CheckoutSerializer, PortalBody, PortalSerializer
from billing.services import Order, open_portal, start_checkout


class CheckoutView(SurfaceView):
    """A payment page for a plan or an add-on."""

    rights = {"post": Permission.CHANGE_SUBSCRIPTION}
    by_address = BILLING
    beside_plan = True
    body = CheckoutBody
    answers = {"post": {200: CheckoutSerializer}}
    faults = {"post": (409, 502, 504)}

    def post(self, request: Request) -> Response:
        """Its address."""
        body = self.parsed(CheckoutBody)
        order = Order(
            plan=body["plan"],
            currency=body["currency"],
            interval=body.get("interval"),
            email=body["email"],
            referrer=body.get("referrer") or "",
        )
        session = start_checkout(self.actor, order)
        return self.reply({"url": session.url, "id": session.id})


class PortalView(SurfaceView):
    """The page where a customer changes the card, cancels and finds invoices."""

    rights = {"post": Permission.CHANGE_SUBSCRIPTION}
    by_address = BILLING
    beside_plan = True
    body = PortalBody
    answers = {"post": {200: PortalSerializer}}
    faults = {"post": (502, 504)}

    def post(self, request: Request) -> Response:
        """Its address."""
        return self.reply({"url": open_portal(self.actor, self.parsed(PortalBody)["customerId"])})
