"""From a credential to an actor: the answer to `kit.identity`."""

import hmac
import re
from collections.abc import Callable
from dataclasses import replace

from accounts import keys, tokens
from accounts.actors import member, person
from accounts.models import ApiKey, Membership, User
from accounts.querysets import USED_EVERY
from accounts.recent import RECENT
from accounts.roles import Role, codenames
from ajansops.kit.actor import Actor, Via
from ajansops.kit.clock import now
from ajansops.kit.errors import NotFound
from ajansops.kit.identity import Unauthorized, WorkspaceRequired
from ajansops.kit.plans import lower_tier, recent_tier


class AccountsIdentity:
    """Reads memberships and keys on each call, so that a removal counts at once."""

    def actor_for_key(self, raw: str, *, workspace: str | None, request_id: str) -> Actor:
        """The checksum rejects typing errors before any query."""
        parsed = keys.parse(raw)
        if parsed is None:
            raise Unauthorized
        digest = parsed.digest
        actor = _recent(digest, lambda: _actor(_key_of(parsed.public_id, digest), Via.API_KEY))
        return _called(actor, workspace, request_id)

    def actor_for_token(self, token: str, *, workspace: str | None, request_id: str) -> Actor:
        """A token is its key for a day, and dies with it."""
        key_id, workspace_id = tokens.read(token)
        actor = _recent(f"{key_id} in {workspace_id}", lambda: _actor(_key_by_id(key_id, workspace_id), Via.TOKEN))
        return _called(actor, workspace, request_id)

    def actor_for_user(self, user_id: int, *, workspace: str | None, request_id: str, required: bool = True) -> Actor:
        """The workspace named, else the current one, else the only one, else none where none is required."""
        memberships = Membership.objects.in_force().filter(user_id=user_id)
        if workspace is not None:
            known = re.fullmatch(r"[0-9]{1,18}", workspace)  # more digits are beyond any id
            chosen = memberships.filter(workspace_id=workspace).first() if known else None
            if chosen is None:
                raise NotFound
        elif (chosen := _current(user_id, list(memberships))) is None:
            if required:
                raise WorkspaceRequired
            return person(user_id, request_id=request_id)
        return member(chosen.workspace_id, Role(chosen.role), user_id, request_id=request_id)


def find_key(raw: str) -> ApiKey:
    """The living key. Raises `Unauthorized`; compares in constant time, also when there is none."""
    parsed = keys.parse(raw)
    if parsed is None:
        raise Unauthorized
    return _key_of(parsed.public_id, parsed.digest)


def _key_of(public_id: str, digest: str) -> ApiKey:
    key = ApiKey.objects.alive().filter(public_id=public_id).first()
    if not hmac.compare_digest(key.digest if key else "0" * 64, digest) or key is None:
        raise Unauthorized
    return key


def _key_by_id(key_id: int, workspace_id: int) -> ApiKey:
    key = ApiKey.objects.alive().filter(pk=key_id, workspace_id=workspace_id).first()
    if key is None:
        raise Unauthorized
    return key


def role_of_key(key: ApiKey) -> Role | None:
    """The role its creator has now, None without one: demoted or removed, the key's rights shrink at once."""
    if key.creator_id is None:
        return Role.OWNER
    found = Membership.objects.in_force().filter(workspace_id=key.workspace_id, user_id=key.creator_id)
    role = found.values_list("role", flat=True).first()
    return Role(role) if role else None


def codenames_of(key: ApiKey) -> frozenset[str]:
    """What the role of the key allows now."""
    role = role_of_key(key)
    return codenames(role) if role else frozenset()


def _recent(credential: str, look_up: Callable[[], Actor]) -> Actor:
    """As it was looked up less than a second ago, or now."""
    changes = RECENT.changes
    actor = RECENT.find(credential)
    if actor is None:
        actor = look_up()
        RECENT.keep(credential, actor, changes=changes)
    return actor


def _called(actor: Actor, workspace: str | None, request_id: str) -> Actor:
    """For this request. Raises `NotFound` when it names another workspace."""
    if workspace is not None and workspace != str(actor.workspace_id):
        raise NotFound
    return replace(actor, request_id=request_id)


def _actor(key: ApiKey, via: Via) -> Actor:
    role = role_of_key(key)
    if role is None:
        raise Unauthorized
    if key.last_used_at is None or key.last_used_at < now() - USED_EVERY:
        ApiKey.objects.mark_used(key.pk)
    return Actor(
        workspace_id=key.workspace_id,
        codenames=codenames(role),
        scopes=frozenset(key.scopes),
        user_id=key.creator_id,
        key_id=key.pk,
        test_mode=key.test,
        role=role,
        via=via,
        key_family=str(key.family),
        tier=lower_tier(key.tier, recent_tier(key.workspace_id)),
    )


def _current(user_id: int, memberships: list[Membership]) -> Membership | None:
    current = User.objects.values_list("current_workspace_id", flat=True).get(pk=user_id)
    for membership in memberships:
        if membership.workspace_id == current or len(memberships) == 1:
            return membership
    return None
