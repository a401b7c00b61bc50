"""Pages about payments. Mounted under `billing/`."""

from django.urls import path

from billing.pages import PortalPage
from billing.return_page import returned

urlpatterns = [
    path("portal/<str:token>/", PortalPage.as_view(), name="billing_portal"),
    path("return", returned, name="billing_return"),
]
