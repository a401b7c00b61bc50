"""The way from a mail to Stripe's portal. Its pages live for minutes, so the mail has a link of ours.

GET changes nothing, as scanners of mail open every link.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import cache_control

from ajansops.kit.errors import DomainError
from ajansops.pages import STRICT, worded
from billing.notices import PortalLinkGone, find, portal_of
from billing.page_limit import limited
from billing.payments import StripeNotConfigured
from billing.selectors import upgrade_url

STRIPE = "https://billing.stripe.com"
POLICY = worded(STRICT | {"form-action": f"'self' {STRIPE}"})  # browsers ask it about the redirect, too


@method_decorator(limited, name="dispatch")
@method_decorator(cache_control(no_store=True), name="dispatch")
class PortalPage(View):
    """Whose subscription it is, and a button that leads to Stripe."""

    http_method_names = ("get", "head", "post", "options")

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        """The token stays out of Referer headers. A link that opens nothing says so; Stripe away is for later."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except PortalLinkGone as error:
            response = self._failed(request, error, 404)
        except StripeNotConfigured as error:
            response = self._failed(request, error, 503)
        except DomainError as error:
            response = self._failed(request, error, 502)
        assert isinstance(response, HttpResponse)
        response.headers["Referrer-Policy"] = "strict-origin"
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show."""
        return render(request, "billing/portal.html", {"workspace": find(token).workspace.name})

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """To Stripe."""
        return redirect(portal_of(token, upgrade_url(find(token).workspace_id)))

    def _failed(self, request: HttpRequest, error: DomainError, status: int) -> HttpResponse:
        return render(request, "billing/portal.html", {"error": error.message}, status=status)
