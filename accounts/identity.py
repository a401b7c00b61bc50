"""From a credential to an actor: the answer to `kit.identity`."""

import hmac
import re

from accounts import keys
from accounts.models import ApiKey, Membership, User
from accounts.querysets import USED_EVERY
from accounts.roles import Role, codenames
from ajansops.kit.actor import Actor
from ajansops.kit.clock import now
from ajansops.kit.errors import NotFound
from ajansops.kit.identity import Unauthorized, WorkspaceRequired


class AccountsIdentity:
    """Reads memberships and keys on each call, so that a removal counts at once."""

    def actor_for_key(self, raw: str, *, workspace: str | None, request_id: str) -> Actor:
        """One query; the checksum rejects typing errors before it."""
        parsed = keys.parse(raw)
        if parsed is None:
            raise Unauthorized
        key = ApiKey.objects.alive().filter(public_id=parsed.public_id).first()
        if not hmac.compare_digest(key.digest if key else "0" * 64, parsed.digest) or key is None:
            raise Unauthorized
        if workspace is not None and workspace != str(key.workspace_id):
            raise NotFound
        if key.last_used_at is None or key.last_used_at < now() - USED_EVERY:
            ApiKey.objects.mark_used(key.pk)
        return Actor(
            workspace_id=key.workspace_id,
            codenames=codenames(_role_of_key(key)),
            scopes=frozenset(key.scopes),
            user_id=key.creator_id,
            key_id=key.pk,
            test_mode=key.test,
            request_id=request_id,
        )

    def actor_for_user(self, user_id: int, *, workspace: str | None, request_id: str) -> Actor:
        """The workspace named, else the current one, else the only one."""
        memberships = Membership.objects.filter(user_id=user_id, workspace__deleted_at=None)
        if workspace is not None:
            known = re.fullmatch(r"[0-9]{1,18}", workspace)  # more digits are beyond any id
            chosen = memberships.filter(workspace_id=workspace).first() if known else None
            if chosen is None:
                raise NotFound
        else:
            chosen = _current(user_id, list(memberships))
        role = Role(chosen.role)
        return Actor(chosen.workspace_id, codenames(role), user_id=user_id, request_id=request_id)


def _current(user_id: int, memberships: list[Membership]) -> Membership:
    current = User.objects.values_list("current_workspace_id", flat=True).get(pk=user_id)
    for membership in memberships:
        if membership.workspace_id == current or len(memberships) == 1:
            return membership
    raise WorkspaceRequired


def _role_of_key(key: ApiKey) -> Role:
    """The role its creator has now: demoted or removed, the key's rights shrink at once."""
    if key.creator_id is None:
        return Role.OWNER
    found = Membership.objects.filter(workspace_id=key.workspace_id, user_id=key.creator_id, user__is_active=True)
    membership = found.only("role").first()
    if membership is None:
        raise Unauthorized
    return Role(membership.role)
