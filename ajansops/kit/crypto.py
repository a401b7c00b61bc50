"""Keys for one purpose each, derived from ENCRYPTION_KEYS, so that a key for one thing opens nothing else."""

import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """`id` names the key without telling anything about it."""

    id: str
    secret: bytes


def derived_keys(purpose: str) -> list[DerivedKey]:
    """256 bits from each encryption key, newest first: make with the first, accept all of them."""
    return [_derive(key.encode(), purpose) for key in settings.ENV.encryption_keys]


def _derive(key: bytes, purpose: str) -> DerivedKey:
    secret = HKDF(SHA256(), 32, salt=None, info=f"ajansops {purpose}".encode()).derive(key)
    return DerivedKey(hashlib.sha256(secret).hexdigest()[:8], secret)
