"""The admin's door: one signs in where everybody does, with a second factor when the installation asks for one."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext
from unfold.sites import UnfoldAdminSite


class AgencyAdminSite(UnfoldAdminSite):
    """Staff only; the rows they see are another question."""

    def has_permission(self, request: HttpRequest) -> bool:
        """On every page, so that a session from before the rule does not slip through."""
        return super().has_permission(request) and not _lacks_factor(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """Never Django's own form: it knows neither second factors nor limits."""
        if request.user.is_staff and _lacks_factor(request):
            messages.warning(request, gettext("The admin asks for a second factor. Set one up to go on."))
            return redirect("mfa_index")
        return secure_admin_login(super().login)(request, extra_context)


def _lacks_factor(request: HttpRequest) -> bool:
    return settings.ENV.staff_mfa_required and not is_mfa_enabled(request.user)
