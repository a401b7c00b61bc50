"""The product's addresses, and on each surface one view that does as it is told."""

from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response

from ajansops.api.throttling import AUDIT, BILLING, CHAT, AddressLimit
from ajansops.api.views import SurfaceView
from ajansops.kit.errors import Invalid, NotFound
from ajansops.kit.permissions import Permission
from ajansops.surfaces.app import APP
from ajansops.surfaces.core import CORE
from ajansops.surfaces.insight import INSIGHT
from ajansops.surfaces.studio import STUDIO
from ajansops.urls import handler400, handler403, handler404, handler500
from ajansops.urls import urlpatterns as product

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


class Probe(SurfaceView):
    """`?fail=invalid`, `missing` or `bug`."""

    rights = {"get": Permission.VIEW_SITE, "post": Permission.ADD_SITE}

    def get(self, request: Request) -> Response:
        match request.query_params.get("fail"):
            case "invalid":
                raise Invalid(errors={"name": ["No."]})
            case "missing":
                raise NotFound
            case "bug":
                raise RuntimeError("a bug")
        return self.reply({"tier": self.actor.tier})

    post = get


def probe(limit: AddressLimit) -> type[Probe]:
    return type("Probe", (Probe,), {"by_address": limit})


urlpatterns = [
    path("api/v1/probe", Probe.as_view(surface=CORE)),
    path("v1/probe", Probe.as_view(surface=STUDIO)),
    path("api/probe", Probe.as_view(surface=APP)),
    path("api/billing/other", Probe.as_view(surface=INSIGHT)),
    path("api/audit/run", probe(AUDIT).as_view(surface=INSIGHT)),
    path("api/chat/insight", probe(CHAT).as_view(surface=INSIGHT)),
    path("api/billing/portal", probe(BILLING).as_view(surface=INSIGHT)),
    path("", include(product)),
]
