"""The studio's short-lived bearer: a JWT that names its key and nothing that could be used without it.

Signed with a key of its own, by one algorithm; the header is never asked which key or algorithm to use beyond the id of
one of ours. What the token may do is read from its key on every call.
"""

from datetime import timedelta

import jwt

from accounts.models import ApiKey
from ajansops.kit.clock import now
from ajansops.kit.crypto import derived_keys
from ajansops.kit.identity import Unauthorized
from ajansops.kit.ids import random_text

LIFETIME = timedelta(days=1)
LEEWAY = timedelta(seconds=30)
ALGORITHM = "HS256"
ISSUER = "ajansops"
AUDIENCE = "ajansops-studio"
PURPOSE = "studio token"
REQUIRED = ["exp", "iat", "iss", "aud", "sub", "tid", "jti"]


def issue(key: ApiKey) -> str:
    """A day's bearer for the key."""
    signing = derived_keys(PURPOSE)[0]
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(key.pk),
        "tid": key.workspace_id,
        "iat": now(),
        "exp": now() + LIFETIME,
        "jti": random_text(22),
    }
    return jwt.encode(claims, signing.secret, ALGORITHM, headers={"kid": signing.id})


def read(token: str) -> tuple[int, int]:
    """The ids of the key and its workspace. Raises `Unauthorized` for whatever is not a token of ours in its time."""
    try:
        known = {key.id: key.secret for key in derived_keys(PURPOSE)}
        secret = known[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            leeway=LEEWAY,
            options={"require": REQUIRED},
        )
        return int(claims["sub"]), int(claims["tid"])
    except (jwt.InvalidTokenError, KeyError, TypeError, ValueError) as error:
        raise Unauthorized from error
