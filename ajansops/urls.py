"""Every address there is. Longer prefixes first: `/api/v1/` is core's, the rest of `/api/` insight's and app's."""

from django.contrib import admin
from django.urls import include, path, re_path
from django.views.generic import RedirectView, TemplateView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from ajansops import handlers, health
from ajansops.api.views import UnknownPath
from ajansops.surfaces import app, core, insight, studio

handler400, handler403 = handlers.handler400, handlers.handler403
handler404, handler500 = handlers.handler404, handlers.handler500

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("api/schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    # A surface without its slash is still that surface, and says 404 in its words.
    path("api/v1", UnknownPath.as_view(surface=core.CORE)),
    path("v1", UnknownPath.as_view(surface=studio.STUDIO)),
    path("api", UnknownPath.as_view(surface=app.APP)),
    path("api/v1/", include(core)),
    path("v1/", include(studio)),
    path("api/", include(insight)),
    path("api/", include(app)),
    path("admin/", admin.site.urls),
    re_path(r"^admin$", RedirectView.as_view(url="/admin/")),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.urls")),
    path("billing/", include("billing.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("_allauth/", include("allauth.headless.urls")),
    path("bot", TemplateView.as_view(template_name="bot.txt", content_type="text/plain; charset=utf-8")),
    path("favicon.ico", RedirectView.as_view(url="/static/ajansops/icon.svg")),
    path("", RedirectView.as_view(url="/accounts/")),
]
