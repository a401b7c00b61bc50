"""Pages of a person's account that allauth does not have. Mounted before allauth's, under `accounts/`."""

from django.urls import path

from accounts.pages.home import home, session_end, workspace_switch
from accounts.pages.invitation import InvitationPage

urlpatterns = [
    path("", home, name="account_home"),
    path("workspaces/<int:pk>/switch/", workspace_switch, name="workspace_switch"),
    path("sessions/<int:pk>/end/", session_end, name="session_end"),
    path("invitations/<str:token>/", InvitationPage.as_view(), name="invitation"),
]
