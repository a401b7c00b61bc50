"""Personal data of accounts and of the libraries it stands on: what is exported, and how it is erased."""

import json
from collections.abc import Iterable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.db.models import F, Model, Q

from accounts.actors import operator, system
from accounts.models import Activity, ApiKey, Invitation, Membership, User
from accounts.roles import Role
from accounts.services.members import withdraw
from ajansops.kit.events import tell
from ajansops.kit.personal import JSON, PersonalData, kept


def _profile(user_id: int) -> Iterable[JSON]:
    fields = ("id", "email", "name", "is_staff", "is_active", "date_joined", "last_login", "current_workspace_id")
    return User.objects.filter(pk=user_id).values(*fields)


def _anonymise(user_id: int) -> int:
    user = User.objects.get(pk=user_id)
    user.email, user.name = f"erased-{user_id}@erased.invalid", ""
    user.is_active = user.is_staff = user.is_superuser = False
    user.current_workspace = user.last_login = None
    user.set_unusable_password()
    user.save()
    return 1


def _memberships(user_id: int) -> Iterable[JSON]:
    rows = Membership.objects.filter(user=user_id)
    names = {"workspace_name": F("workspace__name"), "workspace_slug": F("workspace__slug")}
    return rows.values("id", "workspace_id", "role", "created_at", **names)


def _withdraw(user_id: int) -> int:
    rows = list(Membership.objects.filter(user=user_id).order_by("workspace_id"))
    for row in rows:
        withdraw(operator(row.workspace_id), row)
    return len(rows)


def _owned(user_id: int) -> Iterable[JSON]:
    rows = Membership.objects.in_force().filter(user=user_id, role=Role.OWNER).select_related("workspace")
    names = ("id", "name", "slug", "settings", "created_at", "updated_at")
    return ({name: getattr(row.workspace, name) for name in names} for row in rows.iterator())


def _keys(user_id: int) -> Iterable[JSON]:
    fields = ("id", "workspace_id", "name", "prefix", "scopes", "test", "created_at", "last_used_at", "expires_at")
    return ApiKey.objects.filter(creator=user_id).values(*fields, "revoked_at").iterator()


def _delete_keys(user_id: int) -> int:
    keys = ApiKey.objects.filter(creator=user_id)
    open_ones = keys.filter(revoked_at=None)
    for workspace_id in sorted(set(open_ones.values_list("workspace_id", flat=True))):
        tell(system(workspace_id), "api_key.revoked", open_ones.filter(workspace_id=workspace_id))
    return keys.delete()[0]


def _received(user_id: int) -> Iterable[JSON]:
    rows = Invitation.objects.filter(email__in=_addresses(user_id))
    names = {"workspace_name": F("workspace__name")}
    return rows.values("id", "email", "name", "role", "created_at", "accepted_at", **names).iterator()


def _forget_invitations(user_id: int) -> int:
    return Invitation.objects.filter(email__in=_addresses(user_id)).delete()[0]


def _activity(user_id: int) -> Iterable[JSON]:
    """Without what was changed: that is the workspace's, and may be about others."""
    fields = ("id", "workspace_id", "action", "via", "object_type", "object_id", "request_id", "created_at")
    return Activity.objects.filter(user=user_id).order_by("id").values(*fields).iterator()


def _emails(user_id: int) -> Iterable[JSON]:
    return EmailAddress.objects.filter(user=user_id).values("email", "verified", "primary")


def _addresses(user_id: int) -> list[str]:
    return list(EmailAddress.objects.filter(user=user_id).values_list("email", flat=True))


def _delete_emails(user_id: int) -> int:
    return EmailAddress.objects.filter(user=user_id).delete()[0]


def _factors(user_id: int) -> Iterable[JSON]:
    return Authenticator.objects.filter(user=user_id).values("type", "created_at", "last_used_at")


def _delete_factors(user_id: int) -> int:
    return Authenticator.objects.filter(user=user_id).delete()[0]


def _sessions(user_id: int) -> Iterable[JSON]:
    return UserSession.objects.filter(user=user_id).values("ip", "user_agent", "created_at", "last_seen_at")


def _end_sessions(user_id: int) -> int:
    """Also those that are not signed in yet: one that waits for a code could bring the address back."""
    rows = list(UserSession.objects.filter(user=user_id))
    for row in rows:
        row.end()
    theirs = {*_addresses(user_id), User.objects.values_list("email", flat=True).filter(pk=user_id).first()}
    begun = [session for session in Session.objects.iterator() if _names(session.get_decoded(), user_id, theirs)]
    for session in begun:
        session.delete()
    return len(rows) + len(begun)


def _names(data: dict[str, Any], user_id: int, addresses: set[str | None]) -> bool:
    text = json.dumps(data, default=str, ensure_ascii=False)
    return data.get("_auth_user_id") == str(user_id) or any(address in text for address in addresses if address)


def _admin_log(user_id: int) -> Iterable[JSON]:
    fields = ("action_time", "object_id", "action_flag")
    rows = LogEntry.objects.filter(user=user_id)
    return rows.values(*fields, object_type=F("content_type__model")).iterator()


def _delete_admin_log(user_id: int) -> int:
    """Theirs, and what names them; the activity log has the same without names."""
    about = Q(user=user_id) | _about(User, [user_id])
    about |= _about(Membership, Membership.objects.filter(user=user_id).values_list("pk", flat=True))
    for address in _addresses(user_id):
        about |= Q(object_repr__icontains=address)
    return LogEntry.objects.filter(about).delete()[0]


def _about(model: type[Model], ids: Iterable[int]) -> Q:
    return Q(content_type=ContentType.objects.get_for_model(model), object_id__in=[str(pk) for pk in ids])


# The person first: they are erased last, when nothing else has to be found by their address any more. But for
# their memberships, found by id: so that what webhooks are told of the end of one names nobody.
ENTRIES = (
    PersonalData("accounts.Membership", "memberships", "Roles. Deleted.", _memberships, _withdraw),
    PersonalData(
        "accounts.User", "profile", "The account. Anonymised: the log and jobs point to it.", _profile, _anonymise
    ),
    PersonalData("account.EmailAddress", "addresses", "Addresses. Deleted.", _emails, _delete_emails),
    PersonalData("accounts.Workspace", "workspaces", "Those they own. They stay, with another owner.", _owned, kept),
    PersonalData("accounts.ApiKey", "api_keys", "Keys they made, without secrets. Deleted.", _keys, _delete_keys),
    PersonalData("accounts.Invitation", "invitations", "To their addresses. Deleted.", _received, _forget_invitations),
    PersonalData("accounts.Activity", "activity", "What they did, by id. Stays: it names nobody.", _activity, kept),
    PersonalData("mfa.Authenticator", "second_factors", "Without secrets. Deleted.", _factors, _delete_factors),
    PersonalData("usersessions.UserSession", "sessions", "Where they are signed in. Ended.", _sessions, _end_sessions),
    PersonalData("admin.LogEntry", "admin_log", "Django's own log. Deleted.", _admin_log, _delete_admin_log),
)
