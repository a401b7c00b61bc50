"""The life of an API key: made, rotated, narrowed, revoked. The key itself is shown once and never again."""

import hmac
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from accounts import keys
from accounts.actors import operator
from accounts.identity import codenames_of
from accounts.mail import tell
from accounts.models import ApiKey, Membership, User, Workspace
from accounts.scopes import DEFAULT, default_scopes, normal_scopes, require_within
from accounts.services.checks import checked
from accounts.services.members import require_still
from ajansops.kit.actor import Actor, Via
from ajansops.kit.clock import now
from ajansops.kit.entitlements import Feature, admit
from ajansops.kit.errors import AccessDenied, Conflict, Invalid, NotFound
from ajansops.kit.events import changed, created, publish, snapshot
from ajansops.kit.permissions import Permission
from ajansops.kit.plans import RANK, lower_tier, tier_of

MAX_GRACE_HOURS = 720
DEFAULT_GRACE_HOURS = 24


class AlreadyRotated(Conflict):
    """This key was already rotated; rotate the new one."""

    code = "already_rotated"


class KeyExpired(Conflict):
    """This key has expired; make a new one."""

    code = "key_expired"


@transaction.atomic
def create_api_key(
    workspace: Workspace,
    *,
    name: str,
    scopes: Collection[str] = DEFAULT,
    tier: str = "",
    test: bool = False,
    creator: User | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """As an operator does: the row and the key itself."""
    row = ApiKey(
        workspace=workspace,
        name=name,
        scopes=normal_scopes(scopes),
        tier=_tier(workspace.pk, tier),
        test=test,
        creator=creator,
        expires_at=_future(expires_at),
    )
    return row, _insert(operator(workspace.pk), row, "api_key.created")


@transaction.atomic
def mint_api_key(
    actor: Actor,
    *,
    name: str,
    scopes: Collection[str] | None = None,
    rate_limit_tier: str = "",
    test: bool | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    """The row and the key itself. Raises `AccessDenied` for more than the actor has: a test key makes test keys."""
    actor.require(Permission.ADD_API_KEY)
    Workspace.objects.lock(actor.workspace_id)
    require_still(actor)
    admit(actor, Feature.API_KEYS)
    meant = default_scopes(actor) if scopes is None else normal_scopes(scopes)
    require_within(actor, meant)
    if actor.test_mode and test is False:
        raise AccessDenied(gettext("A test key cannot make a live one."))
    own = _own_key(actor)
    row = ApiKey(
        workspace_id=actor.workspace_id,
        name=name,
        scopes=meant,
        tier=_tier(actor.workspace_id, rate_limit_tier or (own.tier if own else ""), own),
        test=actor.test_mode or bool(test),
        creator_id=actor.user_id,
        expires_at=_within_own(own, _future(expires_at), given=expires_at is not None),
    )
    return row, _insert(actor, row, "api_key.created")


@transaction.atomic
def update_api_key(actor: Actor, key: ApiKey, **fields: Any) -> ApiKey:
    """Name, scopes, tier, expiry; never beyond the actor's own rights, neither before nor after."""
    actor.require(Permission.CHANGE_API_KEY, on=key)
    row = _locked(key)
    require_still(actor)
    _require_mine(actor, row)
    before = snapshot(row)
    if "scopes" in fields:
        row.scopes = normal_scopes(fields["scopes"])
        require_within(actor, row.scopes)
    if "rate_limit_tier" in fields:
        row.tier = _tier(actor.workspace_id, fields["rate_limit_tier"], _own_key(actor))
    if "expires_at" in fields:
        row.expires_at = _within_own(_own_key(actor), _future(fields["expires_at"]), given=True)
    row.name = fields.get("name", row.name)
    row.save()
    publish(actor, "api_key.updated", row, changed(row, before))
    return row


@transaction.atomic
def rotate_api_key(actor: Actor, key: ApiKey, *, grace_period_hours: int = DEFAULT_GRACE_HOURS) -> tuple[ApiKey, str]:
    """A new key with the same rights; the old one lives on for the grace, though never beyond its own expiry.

    Whoever rotates learns the new key, so it must not open more than they may themselves. While one that it replaced
    before is still in its grace, the grace takes a place of the plan: `FeatureLimitReached` when there is none.
    """
    actor.require(Permission.CHANGE_API_KEY, on=key)
    old = _locked(key)
    require_still(actor)
    if old.grace_ends_at is not None:
        raise AlreadyRotated
    if old.expires_at is not None and old.expires_at <= now():
        raise KeyExpired
    _require_mine(actor, old)
    own = _own_key(actor)
    if own is not None and own.pk != old.pk:
        _within_own(own, old.expires_at, given=True)
    family = ApiKey.objects.listed().filter(workspace_id=old.workspace_id, family=old.family)
    if grace_period_hours and family.exclude(pk=old.pk).exists():
        admit(actor, Feature.API_KEYS)
    ends = now() + timedelta(hours=grace_period_hours)
    before = snapshot(old)
    old.grace_ends_at = min(ends, old.expires_at) if old.expires_at else ends
    old.save(update_fields=["grace_ends_at", "updated_at"])
    publish(actor, "api_key.rotated", old, changed(old, before))
    same = ("workspace_id", "name", "creator_id", "scopes", "tier", "test", "family", "expires_at")
    row = ApiKey(**{name: getattr(old, name) for name in same})
    row.creator_id = actor.user_id or old.creator_id  # whoever knows it answers for it, and loses it when they go
    return row, _insert(actor, row, "api_key.created")


@transaction.atomic
def revoke_api_key(actor: Actor, key: ApiKey) -> None:
    """At once, whoever's it is: taking away is always allowed to those who may delete keys."""
    actor.require(Permission.DELETE_API_KEY, on=key)
    row = _locked(key)
    require_still(actor)
    _revoke(actor, row)


@transaction.atomic
def revoke_leaked(raw: str, *, via: Via = Via.COMMAND, request_id: str = "") -> ApiKey | None:
    """Whoever holds a key may end it. Owners are told by mail. None for what is no living key of ours."""
    parsed = keys.parse(raw.strip())
    found = ApiKey.objects.alive().filter(public_id=parsed.public_id).first() if parsed else None
    if found is None or parsed is None or not hmac.compare_digest(found.digest, parsed.digest):
        return None
    row = _locked(found)
    _revoke(Actor(row.workspace_id, frozenset(), via=via, request_id=request_id), row)
    transaction.on_commit(lambda: _tell_owners(row), robust=True)
    return row


def _revoke(actor: Actor, row: ApiKey) -> None:
    before = snapshot(row)
    row.revoked_at = now()
    row.save(update_fields=["revoked_at", "updated_at"])
    publish(actor, "api_key.revoked", row, changed(row, before))


def _tell_owners(row: ApiKey) -> None:
    owners = Membership.objects.filter(workspace_id=row.workspace_id).owners().select_related("user", "workspace")
    for owner in owners:
        context = {"key": row, "workspace": owner.workspace.name}
        tell("key_leaked", owner.user.email, owner.workspace.language, context, test_mode=row.test)


def _insert(actor: Actor, row: ApiKey, told: str) -> str:
    raw = keys.make(test=row.test)
    row.public_id, row.prefix, row.digest = raw.public_id, raw.prefix, raw.digest
    checked(row).save(force_insert=True)
    publish(actor, told, row, created(row))
    return raw.text


def _locked(key: ApiKey) -> ApiKey:
    """`NotFound` for one that has ended meanwhile."""
    Workspace.objects.lock(key.workspace_id)
    row: ApiKey | None = ApiKey.objects.listed().select_for_update(of=("self",)).filter(pk=key.pk).first()
    if row is None:
        raise NotFound
    return row


def _require_mine(actor: Actor, row: ApiKey) -> None:
    """Raise `AccessDenied` unless the actor could have made this key: by scopes, by its creator's role, by mode."""
    require_within(actor, row.scopes)
    beyond = bool(codenames_of(row) - actor.codenames)
    if (own := _own_key(actor)) and not beyond:
        whole = tier_of(actor.workspace_id)
        beyond = RANK[lower_tier(row.tier, whole)] > RANK[lower_tier(own.tier, whole)]
    if beyond or (actor.test_mode and not row.test):
        raise AccessDenied(gettext("This key may do more than you."))


def _own_key(actor: Actor) -> ApiKey | None:
    return ApiKey.objects.filter(pk=actor.key_id).first() if actor.key_id else None


def _tier(workspace_id: int, tier: str, own: ApiKey | None = None) -> str:
    """Empty for the workspace's own. Raises `AccessDenied` above it, or above that of the key which asks."""
    if not tier:
        return ""
    if tier not in RANK:
        known = ", ".join(RANK)
        raise Invalid(errors={"rate_limit_tier": [gettext("Use one of: %(known)s.") % {"known": known}]})
    whole = tier_of(workspace_id)
    most = own.tier if own and own.tier and RANK[own.tier] < RANK[whole] else whole
    if RANK[tier] > RANK[most]:
        raise AccessDenied(gettext("You cannot give what you do not have: %(scope)s") % {"scope": tier})
    return tier


def _within_own(own: ApiKey | None, wanted: datetime | None, *, given: bool) -> datetime | None:
    """A key gives no key a longer life than its own; one that names no end gets its maker's."""
    ends = min((end for end in (own.expires_at, own.grace_ends_at) if end), default=None) if own else None
    if ends is None or (wanted is not None and wanted <= ends):
        return wanted
    if given:
        raise AccessDenied(gettext("You cannot give what you do not have: %(scope)s") % {"scope": "expires_at"})
    return ends


def _future(moment: datetime | None) -> datetime | None:
    if moment is not None and moment <= now():
        raise Invalid(errors={"expires_at": [gettext("Must be in the future.")]})
    return moment
