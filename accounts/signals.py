"""What people do to their own accounts, told by Django and allauth, into the log. Connected by `AccountsConfig`.

Signals rather than services, because these journeys are allauth's.
"""

from typing import Any

from allauth.account import signals as account
from allauth.account.models import EmailAddress
from allauth.mfa import signals as mfa
from allauth.usersessions.models import UserSession
from django.contrib.auth import signals as auth
from django.http import HttpRequest

from accounts.activity import record_of_person
from accounts.actors import person
from accounts.models import User, normal_email
from ajansops.kit.actor import Via
from ajansops.kit.events import HIDDEN

HEADLESS = "/_allauth/"


def connect() -> None:
    """Once, at start. Strong references: these functions live as long as the process."""
    told = {
        account.user_signed_up: _signed_up,
        account.user_logged_in: _signed_in,
        auth.user_logged_out: _signed_out,
        auth.user_login_failed: _refused,
        mfa.authentication_failed: _factor_refused,
        account.password_set: _password_changed,
        account.password_changed: _password_changed,
        account.password_reset: _password_changed,
        account.email_added: _email_changed,
        account.email_changed: _email_changed,
        account.email_confirmed: _email_confirmed,
        account.email_removed: _email_changed,
        mfa.authenticator_added: _factor_changed,
        mfa.authenticator_removed: _factor_changed,
        mfa.authenticator_reset: _factor_changed,
    }
    for signal, receiver in told.items():
        signal.connect(receiver, weak=False, dispatch_uid=f"accounts.{receiver.__name__}")


def _signed_up(request: HttpRequest, user: User, **_: Any) -> None:
    _tell(request, user, "user.created")


def _signed_in(request: HttpRequest, user: User, **_: Any) -> None:
    _tell(request, user, "session.started")


def _signed_out(request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        _tell(request, user, "session.ended")


def _refused(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    """Only for accounts that exist: anybody can invent addresses, and fill a log with them."""
    given = credentials.get("email") or credentials.get("username") or ""
    try:
        user = User.objects.filter(email=normal_email(str(given))).first()
    except ValueError:
        return
    if user and request:
        _tell(request, user, "session.refused")


def _factor_refused(request: HttpRequest, user: User, **_: Any) -> None:
    _tell(request, user, "session.refused", {"factor": ("second", None)})


def _password_changed(request: HttpRequest, user: User, **_: Any) -> None:
    _end_other_sessions(request, user)
    _tell(request, user, "password.changed")


def _email_changed(request: HttpRequest, user: User, **_: Any) -> None:
    """Added, removed, or another one made the primary one."""
    _tell(request, user, "user.updated", {"email": (HIDDEN, HIDDEN)})


def _email_confirmed(request: HttpRequest, email_address: EmailAddress, **_: Any) -> None:
    """From now on it can accept invitations."""
    _tell(request, email_address.user, "user.updated", {"email_verified": (HIDDEN, HIDDEN)})


def _factor_changed(request: HttpRequest, user: User, authenticator: Any, **_: Any) -> None:
    _end_other_sessions(request, user)
    _tell(request, user, "second_factor.changed", {"type": (None, str(authenticator.type))})


def _end_other_sessions(request: HttpRequest, user: User) -> None:
    """Whoever was in before may be why it was changed."""
    for session in UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key or ""):
        session.end()


def _tell(request: HttpRequest, user: User, action: str, changes: dict[str, tuple[Any, Any]] | None = None) -> None:
    via = Via.SESSION if request.path.startswith(HEADLESS) else Via.PAGE
    actor = person(user.pk, via=via, request_id=getattr(request, "request_id", ""))
    record_of_person(user, actor, action, changes)
