"""What a workspace is subscribed to, and buttons that lead to Stripe: where mails and refusals send who wants more.

A page of a person's account, as owners need no right to the admin.
"""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.views import View
from django.views.decorators.cache import never_cache

from accounts.models import Workspace
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import DomainError, Kind, NotFound
from ajansops.kit.identity import identity
from ajansops.kit.permissions import Permission
from ajansops.pages import STRICT, worded
from billing.api.serializers import CheckoutBody, InvalidPlan
from billing.models import Subscription
from billing.page_limit import limited
from billing.pages import STRIPE
from billing.prices import CURRENCIES, INTERVALS, MONTHLY, PRICES, SETUP_PACK, Price
from billing.referrals import code_of
from billing.selectors import subscription_of
from billing.services import Order, open_portal, start_checkout

CHECKOUT = "https://checkout.stripe.com"
POLICY = worded(STRICT | {"form-action": f"'self' {STRIPE} {CHECKOUT}"})  # browsers ask it about the redirect, too
STATUSES = {Kind.FORBIDDEN: 403, Kind.CONFLICT: 409, Kind.NOT_CONFIGURED: 503, Kind.MALFORMED: 400, Kind.TIMEOUT: 504}
BY_KEY = {price.lookup_key: price for price in PRICES.values()}


@method_decorator(login_required, name="dispatch")
@method_decorator(limited, name="dispatch")
@method_decorator(never_cache, name="dispatch")
class PlansPage(View):
    """404 for a workspace that the person is not in."""

    http_method_names = ("get", "head", "post", "options")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """What cannot be done now is said above the same page."""
        response = super().dispatch(request, *args, **kwargs)
        assert isinstance(response, HttpResponse)
        response.headers["Content-Security-Policy"] = POLICY
        return response

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show."""
        return self._page(request, _actor(request, pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """To Stripe: a payment page for the price that was chosen, else the customer's page."""
        actor = _actor(request, pk)
        try:
            return redirect(_address(actor, request.POST, request.user.email))  # type: ignore[union-attr]
        except DomainError as error:
            return self._page(request, actor, error)

    def _page(self, request: HttpRequest, actor: Actor, error: DomainError | None = None) -> HttpResponse:
        row = subscription_of(actor.workspace_id)
        context = {
            "error": error and error.message,
            "workspace": Workspace.objects.get(pk=actor.workspace_id).name,
            "subscription": row,
            "plan": row.plan_at(now()).code,
            "may": Permission.CHANGE_SUBSCRIPTION.codename in actor.codenames,
            "referral_code": code_of(actor.workspace_id),
            **_offers(row, request.GET.get("currency", "")),
        }
        status = STATUSES.get(error.kind, 502) if error else 200
        return render(request, "billing/plans.html", context, status=status)


def _actor(request: HttpRequest, pk: int) -> Actor:
    assert request.user.is_authenticated
    try:
        return identity().actor_for_user(
            request.user.pk, workspace=str(pk), request_id=str(getattr(request, "request_id", ""))
        )
    except NotFound as error:
        raise Http404 from error


def _address(actor: Actor, form: QueryDict, email: str) -> str:
    """By the rules of the API's body. Raises the errors of its fields."""
    if "price" not in form:
        return open_portal(actor, subscription_of(actor.workspace_id).customer)
    price = BY_KEY.get(str(form["price"]))
    if price is None:
        raise InvalidPlan
    body = {"plan": price.product, "currency": price.currency, "interval": price.interval, "email": email}
    checked = CheckoutBody(data=body | {"referrer": form.get("referrer", "")})
    checked.is_valid(raise_exception=True)
    order = Order(price.product, price.currency, price.interval, email, checked.validated_data["referrer"])
    return start_checkout(actor, order).url


def _offers(row: Subscription, wanted: str) -> dict[str, Any]:
    """The plans, unless one is paid already: that one is changed on the customer's page."""
    currency = next(one for one in (wanted, row.currency, _usual_currency()) if one in CURRENCIES)
    return {
        "currency": currency,
        "currencies": CURRENCIES,
        "pays": Subscription.objects.filter(workspace_id=row.workspace_id).subscribed().exists(),
        "offers": [(plan, [_price(plan, currency, interval) for interval in INTERVALS]) for plan in MONTHLY],
        "pack": _price(SETUP_PACK, currency, None),
    }


def _price(product: str, currency: str, interval: Any) -> Price:
    return PRICES[product, currency, interval]


def _usual_currency() -> str:
    return "huf" if (get_language() or "").startswith("hu") else "eur"
