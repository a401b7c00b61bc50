"""Who I am, the workspaces I am in, and ending one of my sessions."""

from allauth.account.utils import get_next_redirect_url
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.activity import record_of_person
from accounts.actors import person
from accounts.models import Membership
from accounts.querysets import MembershipQuerySet
from ajansops.kit.actor import Via

# A POST without a session comes back to the page with the button, not to the address, which answers no GET.
signed_in_post = login_required(redirect_field_name=None)


def memberships_of(request: HttpRequest) -> MembershipQuerySet:
    """The person's, in workspaces that are alive."""
    assert request.user.is_authenticated
    rows: MembershipQuerySet = Membership.objects.filter(user=request.user, workspace__deleted_at=None)
    return rows


@require_safe
@never_cache
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """The way to everything about one's account."""
    memberships = list(memberships_of(request).select_related("workspace").order_by("workspace__name", "workspace_id"))
    context = {"memberships": memberships, "current": _current(request, memberships)}
    return render(request, "accounts/home.html", context)


def _current(request: HttpRequest, memberships: list[Membership]) -> int | None:
    """As `identity` chooses: the one chosen, else the only one."""
    if len(memberships) == 1:
        return memberships[0].workspace_id
    return request.user.current_workspace_id if request.user.is_authenticated else None


@require_POST
@signed_in_post
def workspace_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """The workspace that calls without one mean from now on. 404 for one that the person is not in."""
    assert request.user.is_authenticated
    membership = get_object_or_404(memberships_of(request).select_related("workspace"), workspace_id=pk)
    request.user.current_workspace = membership.workspace
    request.user.save(update_fields=["current_workspace"])
    said = gettext("You now work in %(workspace)s.") % {"workspace": membership.workspace.name}
    messages.success(request, said)
    return HttpResponseRedirect(get_next_redirect_url(request) or reverse("account_home"))


@require_POST
@signed_in_post
def session_end(request: HttpRequest, pk: int) -> HttpResponse:
    """One of one's own sessions; the one at hand is a sign-out. 404 for anybody else's."""
    assert request.user.is_authenticated
    session = get_object_or_404(UserSession, pk=pk, user=request.user)
    is_this_one = session.session_key == request.session.session_key
    session.end()
    actor = person(request.user.pk, via=Via.PAGE, request_id=getattr(request, "request_id", ""))
    record_of_person(request.user, actor, "session.revoked")
    if is_this_one:
        logout(request)
        return redirect("account_login")
    messages.success(request, gettext("The session was ended."))
    return redirect("usersessions_list")
