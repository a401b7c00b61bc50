"""Pages about payments. Mounted under `billing/`."""

from django.urls import path

from billing.pages import PortalPage
from billing.plans_page import PlansPage
from billing.return_page import returned

urlpatterns = [
    path("portal/<str:token>/", PortalPage.as_view(), name="billing_portal"),
    path("workspaces/<int:pk>/", PlansPage.as_view(), name="billing_plans"),
    path("return", returned, name="billing_return"),
]
