"""Writes of accounts that operators make; people's own journeys come on top of these."""

from collections.abc import Collection
from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils.text import slugify
from django.utils.translation import gettext

from accounts import keys
from accounts.models import ApiKey, Membership, User, Workspace
from accounts.roles import Role
from ajansops.kit.errors import Conflict, Invalid
from ajansops.kit.plans import plans

ALL_SCOPES = ("*:read", "*:write")


def create_workspace(*, name: str, slug: str = "", plan: str = "free", owner: User | None = None) -> Workspace:
    """Raises `Conflict` for a slug that is taken, `Invalid` for an unknown plan."""
    slug = slug or slugify(name) or "workspace"
    try:
        with transaction.atomic():
            workspace = Workspace.objects.create(name=name, slug=slug)
            plans().set_plan(workspace.pk, plan)
            if owner:
                add_member(workspace, owner, Role.OWNER)
    except IntegrityError as error:
        raise Conflict(errors={"slug": [gettext("This slug is already taken.")]}) from error
    return workspace


def lock_workspace(workspace_id: int) -> None:
    """Until the transaction ends. For decisions that count rows of the workspace."""
    Workspace.objects.select_for_update().filter(pk=workspace_id).values_list("pk", flat=True).first()


def create_user(*, email: str, password: str | None = None, name: str = "", staff: bool = False) -> User:
    """An operator vouches for the address. Raises `Conflict` for one that is taken, `Invalid` for what is none."""
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, password, name=name, is_staff=staff)
            EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=True)
            return user
    except ValueError as error:
        raise Invalid(errors={"email": [gettext("The email must be a valid email address.")]}) from error
    except IntegrityError as error:
        raise Conflict(errors={"email": [gettext("This e-mail address is already taken.")]}) from error


def add_member(workspace: Workspace, user: User, role: Role) -> Membership:
    """Idempotent; the last role wins."""
    membership, _ = Membership.objects.update_or_create(workspace=workspace, user=user, defaults={"role": role})
    return membership


def create_api_key(
    workspace: Workspace,
    *,
    name: str,
    scopes: Collection[str] = ALL_SCOPES,
    test: bool = False,
    creator: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself, which is never shown again."""
    raw = keys.make(test=test)
    key = ApiKey.objects.create(
        workspace=workspace,
        name=name,
        creator=creator,
        public_id=raw.public_id,
        prefix=raw.prefix,
        digest=raw.digest,
        scopes=sorted(scopes),
        test=test,
        expires_at=expires_at,
    )
    return key, raw.text
