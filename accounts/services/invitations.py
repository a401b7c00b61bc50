"""Inviting somebody by mail, and coming in through the link."""

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext

from accounts.actors import member
from accounts.limits import count_action
from accounts.mail import tell
from accounts.models import Invitation, Membership, User, Workspace, normal_email
from accounts.roles import Role, at_most
from accounts.services.members import add_member, require_rank, require_still
from accounts.services.people import insert_user
from ajansops.kit.actor import Actor, Via
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, admit
from ajansops.kit.errors import AccessDenied, Conflict, DomainError, Invalid, Kind, NotFound
from ajansops.kit.events import changed, created, deleted, publish, snapshot
from ajansops.kit.permissions import Permission

LIFETIME = timedelta(days=7)
MOST, WITHIN = 10, timedelta(hours=1)  # invitations of one person or key
UNSENT_AFTER = timedelta(seconds=30)  # then the request that should have sent the mail is not coming back
ATTEMPTS = 10  # of sending one mail, over about eight hours
AT_ONCE = 50  # mails of one round: a slow mail server must not hold up other periodic work for long


class AlreadyMember(Conflict):
    """This person is already a member."""


class AlreadyInvited(Conflict):
    """This person is already invited."""


class InvitationGone(DomainError):
    """This invitation is not valid any more."""

    code = "invitation_gone"
    kind = Kind.NOT_FOUND


@transaction.atomic
def invite(actor: Actor, *, email: str, role: str, name: str = "") -> Invitation:
    """Mail a link that is good for one use and seven days. Raises `RateLimited` after ten an hour."""
    actor.require(Permission.ADD_INVITATION)
    require_rank(actor, role)
    address = _address(email)
    _count(actor)
    Workspace.objects.lock(actor.workspace_id)
    require_still(actor)
    _require_new(actor, address)
    admit(actor, Feature.MEMBERS)
    invitation = Invitation(
        workspace_id=actor.workspace_id,
        email=address,
        name=name,
        role=role,
        inviter_id=actor.user_id,
        expires_at=now() + LIFETIME,
        test_mode=actor.test_mode,
    )
    try:
        with transaction.atomic():
            invitation.save()
    except IntegrityError as error:
        raise _invited() from error
    publish(actor, "invitation.created", invitation, created(invitation))
    transaction.on_commit(lambda: deliver(invitation.pk), robust=True)
    return invitation


@transaction.atomic
def resend(actor: Actor, invitation: Invitation) -> Invitation:
    """A new link for seven more days; the old one is void."""
    actor.require(Permission.ADD_INVITATION, on=invitation)
    require_rank(actor, invitation.role)
    _count(actor)
    row = _locked(invitation)
    require_still(actor)
    if row.expires_at <= now():  # it kept no place
        admit(actor, Feature.MEMBERS)
    before = snapshot(row)
    row.test_mode = actor.test_mode
    row.inviter_id = actor.user_id or row.inviter_id  # who sends it answers for it
    row.token_digest, row.sent_at, row.attempts = None, None, 0
    row.expires_at = now() + LIFETIME
    row.save()
    publish(actor, "invitation.resent", row, changed(row, before))
    transaction.on_commit(lambda: deliver(row.pk), robust=True)
    return row


@transaction.atomic
def revoke_invitation(actor: Actor, invitation: Invitation) -> None:
    """Its link is void at once."""
    actor.require(Permission.DELETE_INVITATION, on=invitation)
    row = _locked(invitation)
    require_still(actor)
    _end(actor, row)


def deliver(invitation_id: int) -> bool:
    """Send the mail unless it was sent. The token exists nowhere but in the mail."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = Invitation.objects.unsent().select_for_update(of=("self",)).filter(pk=invitation_id).first()
        if row is None:
            return False
        sending = {"token_digest": _digest(token), "sent_at": now(), "attempts": F("attempts") + 1}
        Invitation.objects.filter(pk=row.pk).update(**sending, updated_at=now())
    context = {
        "name": row.name,
        "inviter": str(row.inviter) if row.inviter else "",
        "workspace": row.workspace.name,
        "role": row.role,  # worded by the template, in the reader's language
        "link": settings.ENV.public_url.rstrip("/") + reverse("invitation", args=[token]),
        "expires_at": row.expires_at,
    }
    sent = tell("invitation", row.email, row.workspace.language, context, test_mode=row.test_mode)
    if not sent:
        Invitation.objects.filter(pk=row.pk, token_digest=_digest(token)).update(sent_at=None)
    return sent


def deliver_unsent() -> dict[str, int]:
    """Those whose mail could not be sent, or whose process died before it was; each at twice the distance of the last.

    After the last attempt somebody has to send it again: an address that does not exist would be asked for a week.
    """
    moment = now()
    late = Invitation.objects.unsent().filter(attempts__lt=ATTEMPTS).order_by("updated_at")
    due = [pk for pk, last, tries in late.values_list("pk", "updated_at", "attempts") if last < moment - _pause(tries)]
    return {"invitations_sent": sum(deliver(pk) for pk in due[:AT_ONCE])}


def _pause(attempts: int) -> timedelta:
    return UNSENT_AFTER * 2**attempts


def find(token: str) -> Invitation:
    """The open invitation of a link. Raises `InvitationGone`."""
    row = Invitation.objects.open().filter(token_digest=_digest(token)).select_related("workspace", "inviter").first()
    if row is None or not _stands(row):
        raise InvitationGone
    return row


@transaction.atomic
def accept(user: User, token: str, *, request_id: str = "") -> Membership:
    """For somebody who has an account with the invited address. Their role never gets lower by it."""
    row = _claim(token)
    if not is_for(user, row):
        raise AccessDenied(gettext("This invitation is for another e-mail address."))
    return _enter(user, row, request_id)


@transaction.atomic
def accept_as_new(token: str, *, name: str, password: str, request_id: str = "") -> User:
    """For somebody who has none: the link proves that the address is theirs. Raises `Conflict` if there is one."""
    row = _claim(token)
    user = insert_user(email=row.email, password=password, name=name or row.name)
    _enter(user, row, request_id)
    return user


def is_for(user: User, invitation: Invitation) -> bool:
    """Whether one of the person's verified addresses is the invited one, in whatever spelling."""
    verified = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    return invitation.email in {normal_email(address) for address in verified}


def _enter(user: User, row: Invitation, request_id: str) -> Membership:
    actor = member(row.workspace_id, Role(row.role), user.pk, via=Via.PAGE, request_id=request_id)
    Invitation.objects.filter(pk=row.pk).update(accepted_at=now(), updated_at=now())
    publish(actor, "invitation.accepted", row)
    known = Membership.objects.filter(workspace_id=row.workspace_id, user=user).first()
    return known or add_member(row.workspace, user, Role(row.role), actor=actor)


def _claim(token: str) -> Invitation:
    """Locked: of two that come at once the second finds it accepted."""
    row = find(token)
    Workspace.objects.lock(row.workspace_id)
    locked = Invitation.objects.open().select_for_update(of=("self",)).filter(pk=row.pk, token_digest=_digest(token))
    if locked.first() is None or not _stands(
        row
    ):  # `exists` would forget `of`, and lock the workspace for foreign keys
        raise InvitationGone
    return row


def _stands(row: Invitation) -> bool:
    """Whether its inviter could still send it, as a key has the rights that its maker has now. Operators always can."""
    if row.inviter_id is None or User.objects.filter(pk=row.inviter_id, is_superuser=True, is_active=True).exists():
        return True
    inviter = Membership.objects.in_force().filter(workspace=row.workspace_id, user=row.inviter_id).first()
    return inviter is not None and at_most(Role.ADMIN, inviter.role) and at_most(row.role, inviter.role)


def _end(actor: Actor, row: Invitation) -> None:
    told = deleted(row)
    Invitation.objects.filter(pk=row.pk).update(revoked_at=now(), updated_at=now())
    publish(actor, "invitation.revoked", row, told)


def _locked(invitation: Invitation) -> Invitation:
    Workspace.objects.lock(invitation.workspace_id)
    row: Invitation | None = (
        Invitation.objects.unanswered().select_for_update(of=("self",)).filter(pk=invitation.pk).first()
    )
    if row is None:
        raise NotFound
    return row


def _require_new(actor: Actor, address: str) -> None:
    """By any of the addresses that a member has proven to be theirs. An invitation that expired makes room."""
    theirs = Q(user__email=address) | Q(user__emailaddress__email=address, user__emailaddress__verified=True)
    if Membership.objects.visible_to(actor).filter(theirs).exists():
        raise AlreadyMember(errors={"email": [gettext("This person is already a member.")]})
    for row in Invitation.objects.visible_to(actor).unanswered().filter(email=address):
        if row.expires_at > now():
            raise _invited()
        _end(actor, row)


def _invited() -> AlreadyInvited:
    return AlreadyInvited(errors={"email": [gettext("This person is already invited.")]})


def _count(actor: Actor) -> None:
    # Keys without a person count together: each can make more of them.
    who = f"user:{actor.user_id}" if actor.user_id else f"workspace:{actor.workspace_id}"
    if actor.via is not Via.COMMAND:
        count_action(f"invite:{who}", most=MOST, within=WITHIN)


def _address(email: str) -> str:
    try:
        return normal_email(email)
    except ValueError as error:
        raise Invalid(errors={"email": [gettext("The email must be a valid email address.")]}) from error


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
