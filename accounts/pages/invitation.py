"""An invitation, opened from its mail. GET changes nothing, as scanners of mail open every link."""

from allauth.account.internal.flows.login import record_authentication
from allauth.account.utils import complete_signup, filter_users_by_email
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views import View
from django.views.decorators.cache import cache_control
from django.views.decorators.debug import sensitive_post_parameters

from accounts.forms import NewMemberForm
from accounts.models import Invitation, User
from accounts.services import invitations
from accounts.services.invitations import InvitationGone
from ajansops.kit.entitlements import FeatureLimitReached
from ajansops.kit.errors import AccessDenied, Conflict


@method_decorator(cache_control(no_store=True), name="dispatch")
@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class InvitationPage(View):
    """Who invited whom to what; a way to accept that fits whoever is looking."""

    http_method_names = ("get", "head", "post", "options")

    def dispatch(self, request: HttpRequest, *args: str, **kwargs: str) -> HttpResponse:
        """The token stays out of Referer headers; one that opens nothing (any more) gets a page that says what to do.

        Not `no-referrer`: with it browsers post `Origin: null`, and the check of the origin refuses the button.
        """
        try:
            response = super().dispatch(request, *args, **kwargs)
        except InvitationGone:
            response = render(request, "accounts/invitation_gone.html", status=404)
        except FeatureLimitReached:
            response = render(request, "accounts/invitation_full.html", status=403)
        assert isinstance(response, HttpResponse)
        response.headers["Referrer-Policy"] = "strict-origin"
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Show."""
        invitation = invitations.find(token)
        return self._page(request, invitation)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Accept."""
        invitation = invitations.find(token)
        if request.user.is_authenticated:
            return self._accept(request, request.user, invitation, token)
        return self._sign_up(request, invitation, token)

    def _accept(self, request: HttpRequest, user: User, invitation: Invitation, token: str) -> HttpResponse:
        try:
            membership = invitations.accept(user, token, request_id=_request_id(request))
        except AccessDenied:
            return self._page(request, invitation, status=403)
        _welcome(request, membership.workspace.name)
        return redirect("account_home")

    def _sign_up(self, request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
        form = NewMemberForm(request.POST, email=invitation.email)
        if has_account(invitation) or not form.is_valid():
            return self._page(request, invitation, form)
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        try:
            user = invitations.accept_as_new(token, name=name, password=password, request_id=_request_id(request))
        except Conflict:  # made between the question above and now
            return self._page(request, invitation)
        _welcome(request, invitation.workspace.name)
        record_authentication(request, user, method="password", email=user.email)
        response: HttpResponse = complete_signup(request, user, None, reverse("account_home"))
        return response

    def _page(
        self, request: HttpRequest, invitation: Invitation, form: NewMemberForm | None = None, *, status: int = 200
    ) -> HttpResponse:
        context = {
            "invitation": invitation,
            "case": case_of(request, invitation),
            "form": form or NewMemberForm(email=invitation.email),
        }
        return render(request, "accounts/invitation.html", context, status=status)


def case_of(request: HttpRequest, invitation: Invitation) -> str:
    """`join`, `somebody_else`, `sign_in` or `sign_up`: who is looking."""
    if request.user.is_authenticated:
        return "join" if invitations.is_for(request.user, invitation) else "somebody_else"
    return "sign_in" if has_account(invitation) else "sign_up"


def has_account(invitation: Invitation) -> bool:
    """Only whoever holds the token learns it."""
    return bool(filter_users_by_email(invitation.email))


def _request_id(request: HttpRequest) -> str:
    return str(getattr(request, "request_id", ""))


def _welcome(request: HttpRequest, workspace: str) -> None:
    messages.success(request, gettext("Welcome to %(workspace)s.") % {"workspace": workspace})
