"""Everybody who might call, and what each row of the matrix answers them."""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from accounts.models import User, Workspace
from ajansops.kit.clock import now
from tests.conftest import Api
from tests.contract.matrix import OPEN, OUTSIDE, ROLES, SCOPES, Row
from tests.contract.worlds import Tenant, World

RESOURCES = sorted({scope.partition(":")[0] for scope in SCOPES})
ACTIONS = ("read", "write", "delete", "publish")


@dataclass(frozen=True)
class Answer:
    """A status, and of an error the canonical code and the scope it names; None where it may name one or not."""

    status: int
    code: str = ""
    scope: str | None = ""


UNAUTHORIZED = Answer(401, "unauthorized")
DENIED = Answer(403, "access_denied")
MISSING = Answer(404, "not_found")
NO_PERSON = Answer(403, "access_denied", None)
FORGED = Answer(403, "csrf_failed")
NOWHERE = Answer(400, "workspace_required")


@dataclass
class Call:
    """Who calls, from which tenant, and what comes of it."""

    who: str
    api: Api
    answer: Answer
    tenant: Tenant  # whose body is sent, and in whose log it stands
    user: User | None = None  # who acts, where a person does
    key: int | None = None  # … or the id of the key
    headers: dict[str, str] = field(default_factory=dict)
    before: Callable[[], object] | None = None  # what happened shortly before


def without(scope: str) -> list[str]:
    """Every scope there is but this one: its resource with other actions, its action on other resources."""
    return [f"{resource}:{action}" for resource in RESOURCES for action in ACTIONS if f"{resource}:{action}" != scope]


def calls(row: Row, world: World) -> Iterator[Call]:
    """Of this row. Where the credential plays no part, everybody gets the same, and what became of one matters not."""
    made = [*people(row, world), *keys(row, world), *tokens(row, world)]
    if row.needs not in OPEN:
        yield from made
        return
    same = {"PUBLIC": Answer(row.status), "SECRET": UNAUTHORIZED, "NOTHING": MISSING}[row.needs]
    for call in made:
        if call.before is None:
            call.answer, call.user, call.key = same, None, None
            yield call
    if row.needs == "SECRET":
        yield Call("the secret", Api(authorization="Bearer cron-secret"), Answer(row.status), world.acme)


def people(row: Row, world: World) -> Iterator[Call]:
    """By cookie."""
    acme, other = world.acme, world.other
    good = Answer(row.status)
    yield Call("anonymous", Api(), UNAUTHORIZED, acme)
    for role in ROLES:
        yield Call(role, acme.session(role), good if row.allows(role) else DENIED, acme, acme.people[role])
    owner = acme.session("OWNER")
    here, there = {"X-Workspace-ID": str(acme.pk)}, {"X-Workspace-ID": str(other.pk)}
    yield Call("OWNER, workspace named", owner, good, acme, acme.people["OWNER"], headers=here)
    if not row.names_workspace:
        yield Call("OWNER in a foreign workspace", owner, MISSING, acme, headers=there)
    yield from _strangers(row, world, here, there)
    if not row.is_safe:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            yield Call(f"OWNER from {headers}", owner, FORGED, acme, headers=headers)
    yield Call(
        "deactivated OWNER",
        owner,
        UNAUTHORIZED,
        acme,
        before=lambda: User.objects.filter(pk=acme.people["OWNER"].pk).update(is_active=False),
    )
    yield Call("deleted workspace, named", owner, MISSING, acme, headers=here, before=_delete(acme))
    yield Call("deleted workspace", owner, _outside(row), acme, acme.people["OWNER"], before=_delete(acme))


def _strangers(row: Row, world: World, here: dict[str, str], there: dict[str, str]) -> Iterator[Call]:
    """Signed in, and members of nothing here. With ids of Acme in the path there is nothing for them."""
    other = world.other
    stranger, its_owner = other.session("OWNER"), other.people["OWNER"]
    own = MISSING if _has_rows(row) else Answer(row.status)
    yield Call("other OWNER", stranger, own, other, its_owner)
    yield Call("other OWNER, own workspace named", stranger, own, other, its_owner, headers=there)
    yield Call("other OWNER in Acme", stranger, MISSING, other, headers=here)
    for user, api in world.outsiders.items():
        who = "superuser" if user.is_superuser else "staff"
        yield Call(f"{who} in Acme", api, MISSING, other, headers=here)
        yield Call(f"{who} of nowhere", api, _outside(row), other, user)


def _outside(row: Row) -> Answer:
    """Of somebody who is in no workspace and names none."""
    if row.names_workspace:
        return MISSING
    return Answer(row.status) if row.least == "ANYBODY" else NOWHERE


def _has_rows(row: Row) -> bool:
    return any(kind != "task" for kind in row.ids)


def _delete(tenant: Tenant) -> Callable[[], object]:
    return lambda: Workspace.objects.filter(pk=tenant.pk).update(deleted_at=now())


def keys(row: Row, world: World) -> Iterator[Call]:
    """By Authorization header."""
    acme, other = world.acme, world.other
    good = NO_PERSON if row.needs == "PERSON" else Answer(row.status)
    scope = row.scope or "sites:read"
    resource, _, action = scope.partition(":")
    for granted in (scope, f"{resource}:*", f"*:{action}", "*"):
        yield _by_key(acme, good, granted)
    lacking = Answer(403, "access_denied", row.scope) if row.scope else good
    yield _by_key(acme, lacking, *without(scope), who="all scopes but it")
    for role in ROLES:
        theirs = good if row.needs in {"ANY", "PERSON"} or row.allows(role) else DENIED
        yield _by_key(acme, theirs, "*", creator=role)
    yield _by_key(acme, UNAUTHORIZED, "*", creator="GONE")
    yield _by_key(acme, DENIED if str(row) in OUTSIDE else good, "*", test=True)
    ending = DENIED if row.template.endswith("/rotate") else good  # else it would get a longer life than its own
    yield _by_key(acme, ending, "*", state="in grace")
    for state in ("past grace", "expired", "revoked"):
        yield _by_key(acme, UNAUTHORIZED, "*", state=state)
    exact, raw = acme.key_row(scope)
    basic = base64.b64encode(f"{raw}:".encode()).decode()
    yield Call("key by Basic", Api(authorization=f"Basic {basic}"), good, acme, key=exact.pk)
    mistyped = raw[:-1] + ("a" if raw[-1] != "a" else "b")
    yield Call("mistyped key", Api(key=mistyped), UNAUTHORIZED, acme)
    yield Call("key with a cookie", Api(key=mistyped, user=acme.people["OWNER"]), UNAUTHORIZED, acme)
    forged = _by_key(acme, good, scope, who="key from another site")
    forged.headers = {"Sec-Fetch-Site": "cross-site"}  # no browser sends a key by itself
    yield forged
    elsewhere = _by_key(acme, MISSING, "*", who="key in a foreign workspace")
    elsewhere.headers = {"X-Workspace-ID": str(other.pk)}
    yield elsewhere
    deactivated = _by_key(acme, UNAUTHORIZED, "*", creator="ADMIN", who="key of a deactivated ADMIN")
    deactivated.before = lambda: User.objects.filter(pk=acme.people["ADMIN"].pk).update(is_active=False)
    yield deactivated
    closed = _by_key(acme, UNAUTHORIZED, "*", who="deleted workspace, key")
    closed.before = _delete(acme)
    yield closed
    foreign = MISSING if _has_rows(row) and row.needs != "PERSON" else good
    yield _by_key(other, foreign, "*", who="other's key")
    intruder = _by_key(other, MISSING, "*", who="other's key in Acme")
    intruder.headers = {"X-Workspace-ID": str(acme.pk)}
    yield intruder


def _by_key(
    tenant: Tenant, answer: Answer, *scopes: str, creator: str = "", state: str = "", test: bool = False, who: str = ""
) -> Call:
    key, raw = tenant.key_row(*scopes, creator=creator, state=state, test=test)
    described = ["key", "+".join(scopes), creator and f"made by {creator}", state, "test" if test else ""]
    return Call(who or " ".join(filter(None, described)), Api(key=raw), answer, tenant, key=key.pk)


def tokens(row: Row, world: World) -> Iterator[Call]:
    """A studio bearer is its key on that surface, and nothing on the others."""
    acme = world.acme
    studio = row.surface == "studio"
    scope = row.scope or "sites:read"
    good = Answer(row.status) if studio else UNAUTHORIZED
    exact, raw = acme.key_row(scope)
    token = acme.token(raw)
    yield Call("token", Api(key=token), good, acme, key=exact.pk)
    if not studio:
        return
    lacking = Answer(403, "access_denied", row.scope) if row.scope else good
    other_scopes, raw = acme.key_row(*without(scope))
    yield Call("token without the scope", Api(key=acme.token(raw)), lacking, acme, key=other_scopes.pk)
    there = {"X-Workspace-ID": str(world.other.pk)}
    yield Call("token in a foreign workspace", Api(key=token), MISSING, acme, headers=there)
    revoked = Call("token of a revoked key", Api(key=token), UNAUTHORIZED, acme)
    revoked.before = lambda: type(exact).objects.filter(pk=exact.pk).update(revoked_at=now())
    yield revoked
    yield Call("token with another signature", Api(key=f"{token[:-4]}AAAA"), UNAUTHORIZED, acme)
