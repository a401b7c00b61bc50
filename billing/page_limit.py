"""The limit of pages about payments: that of the insight surface's billing routes, and the same count."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from ajansops.api.client import client_network
from ajansops.api.throttling import BILLING, limiter
from ajansops.kit.limiter import Bucket

View = Callable[..., HttpResponseBase]


def limited(view: View) -> View:
    """429 with `Retry-After` for an address that asks too often: each of these pages may ask Stripe."""

    @wraps(view)
    def called(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        standing = limiter().hit([Bucket(f"{BILLING.name}:{client_network(request)}", BILLING.limit)])
        if standing.admitted:
            return view(request, *args, **kwargs)
        response = render(request, "429.html", status=429)
        response.headers["Retry-After"] = str(standing.retry_after)
        return response

    return called
