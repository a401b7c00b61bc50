"""Where Stripe sends whoever has paid: what they bought is looked up here, so that nobody waits for its event."""

import re
from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts.models import Membership
from ajansops.kit.errors import NotFound, UpstreamError, UpstreamTimeout
from billing.labels import plan_name
from billing.page_limit import limited
from billing.payments import StripeNotConfigured, StripeRefused
from billing.returning import Returned, take_up

SESSION = re.compile(r"cs_[A-Za-z0-9_]{1,250}")


@require_safe
@limited
@never_cache
@login_required
def returned(request: HttpRequest) -> HttpResponse:
    """The workspace and its plan, or that it takes a moment. 404 for a payment of somebody else."""
    assert request.user.is_authenticated
    session_id = request.GET.get("session_id", "")
    memberships = Membership.objects.in_force().filter(user=request.user)
    if not SESSION.fullmatch(session_id):
        return _unknown(request)
    try:
        found = take_up(session_id, frozenset(memberships.values_list("workspace_id", flat=True)))
    except (NotFound, StripeRefused):
        return _unknown(request)
    except (UpstreamError, UpstreamTimeout, StripeNotConfigured):
        found = None
    return render(request, "billing/returned.html", _shown(found))


def _unknown(request: HttpRequest) -> HttpResponse:
    return render(request, "billing/returned.html", {"unknown": True}, status=HTTPStatus.NOT_FOUND)


def _shown(found: Returned | None) -> dict[str, str | bool]:
    """Until Stripe says that it is paid, this page says that it takes a moment."""
    if found is None or not found.paid:
        return {"waiting": True}
    return {"workspace": found.workspace, "bought": plan_name(found.product)}
