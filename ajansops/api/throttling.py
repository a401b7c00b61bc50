"""How many calls there may be: of a key or a person by tier, of an address where nobody is known.

Each call is counted once, after its credential is known and before anything else is looked at, in one round trip. Its
plan is asked last: what a limit of the minute refuses is no call of the month.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext
from rest_framework.request import Request

from ajansops.api.client import client_network
from ajansops.api.windows import DatabaseStore
from ajansops.kit.actor import Actor
from ajansops.kit.clock import iso
from ajansops.kit.errors import RateLimited
from ajansops.kit.limiter import Bucket, Limit, Limiter, Standing
from ajansops.kit.limiter_stores import DividedStore, MemoryStore, RedisStore, SharedStore, SplitStore
from ajansops.kit.tally import CALLS

BY_TIER = {
    "free": Limit(60),
    "starter": Limit(1_000, burst=20),
    "pro": Limit(5_000, burst=30),
    "agency": Limit(20_000, burst=50),
    "enterprise": Limit(100_000, burst=100),
}


@dataclass(frozen=True, slots=True)
class AddressLimit:
    """Of each client address, whoever calls. Named by a view or a surface: `by_address = AUDIT`."""

    name: str
    limit: Limit
    sensitive: bool = False


AUDIT = AddressLimit("audit", Limit(5))
CHAT = AddressLimit("chat", Limit(30))
BILLING = AddressLimit("billing", Limit(60))
INSIGHT_ELSE = AddressLimit("insight", Limit(60))
# Every call that no credential pays for: public routes, unknown paths, wrong methods, and each 401. Guessing a key of
# 256 bits needs no limit; this one is for the work it costs, and wide enough for an office behind one address.
NOBODY = AddressLimit("nobody", Limit(300), sensitive=True)

REDIS_PREFIX = "ajansops:limit:"


def admit(request: Request, view: Any) -> None:
    """Find out who calls and count it. Raises what authentication raises, or as `count`.

    What an address is known to have used up is refused before that: a flood costs no query.
    """
    if refusal := limiter().refusal(_early(request, view)):
        _refuse(request, refusal)
    actor: Any = None
    try:
        actor = request.auth
    finally:
        count(request, view, actor)


def count(request: Request, view: Any, actor: Actor | None = None) -> None:
    """Count the call. Raises `RateLimited`, or `FeatureLimitReached` when the plan allows no more of them."""
    standing = limiter().hit([*_by_address(request, view), _payer(request, actor)])
    if not standing.admitted:
        _refuse(request, standing)
    _note(request, standing)
    if actor is not None and actor.workspace_id and not view.beside_plan:
        CALLS.add(actor.workspace_id)


def headers(request: HttpRequest) -> dict[str, str]:
    """Of the answer; none where nothing was counted."""
    standing: Standing | None = getattr(request, "standing", None)
    if standing is None:
        return {}
    limit, policy = standing.bucket.limit, standing.bucket.name.partition(":")[0]  # whose bucket it is, is not said
    return {
        "X-RateLimit-Limit": str(limit.calls),
        "X-RateLimit-Remaining": str(standing.remaining),
        "X-RateLimit-Reset": str(standing.reset),
        "RateLimit-Policy": f'"{policy}";q={limit.calls};w={limit.seconds}',  # draft-ietf-httpapi-ratelimit-headers
        "RateLimit": f'"{policy}";r={standing.remaining};t={standing.retry_after}',
    }


def limiter() -> Limiter:
    """Of this installation."""
    return limiter_at(settings.ENV.redis_url, settings.ENV.web_workers)


@cache
def limiter_at(redis_url: str, processes: int) -> Limiter:
    """One a process, so that its memory is shared."""
    apart = SplitStore(DividedStore(MemoryStore(), processes), DatabaseStore())
    if redis_url:
        return Limiter(SharedStore(RedisStore(redis_url, REDIS_PREFIX), apart))
    return Limiter(apart if processes > 1 else MemoryStore())


def _early(request: Request, view: Any) -> list[Bucket]:
    """What is sure to be counted before a credential is looked at."""
    cookies, header = request.COOKIES, request.META.get("HTTP_AUTHORIZATION")
    known = header or settings.SESSION_COOKIE_NAME in cookies
    return _by_address(request, view) + ([] if known else [_payer(request, None)])


def _by_address(request: Request, view: Any) -> list[Bucket]:
    limit: AddressLimit | None = view.by_address or view.surface.by_address
    return [_of_address(limit, request)] if limit else []


def _payer(request: Request, actor: Actor | None) -> Bucket:
    """A token is its key, over all surfaces."""
    if actor is None:
        return _of_address(NOBODY, request)
    name = f"key:{actor.key_id}" if actor.key_id else f"user:{actor.user_id}"
    return Bucket(name, BY_TIER[actor.tier])


def _of_address(limit: AddressLimit, request: Request) -> Bucket:
    network = client_network(request._request)  # noqa: SLF001  # DRF's own way back
    return Bucket(f"{limit.name}:{network}", limit.limit, limit.sensitive)


def _note(request: Request, standing: Standing) -> None:
    request._request.standing = standing  # type: ignore[attr-defined]  # noqa: SLF001  # for the middleware


def _refuse(request: Request, standing: Standing) -> None:
    _note(request, standing)
    message = gettext("Too many requests. Please retry after %(seconds)d seconds.") % {"seconds": standing.retry_after}
    raise RateLimited(
        message,
        retry_after=standing.retry_after,
        limit=standing.bucket.limit.calls,
        remaining=standing.remaining,
        reset_at=iso(datetime.fromtimestamp(standing.reset, UTC)),
    )
